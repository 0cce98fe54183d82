"""An index as large as a test needs it, without any file: rows of studies that look like those of a hospital."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count, islice

from openmodality.store.database import Database
from openmodality.store.index_columns import INSTANCE_ATTRIBUTES, SERIES_ATTRIBUTES, STUDY_ATTRIBUTES
from openmodality.store.rows.patients import find_or_add_patient
from openmodality.store.transaction import Transaction

SERIES_OF_STUDY = 2
_FAMILIES = ("YAMADA", "Tanaka", "Suzuki", "Müller", "Smith", "Jones", "García", "Kim", "Novák", "Rossi")
_STUDIES_AT_ONCE = 500
_FIRST_DAY = date(2000, 1, 1)


def fill_index(database: Database, studies: int, images_of_series: int, *, first: int = 0) -> int:
    """Put studies of two series into the index; each of a patient of its own, two of five days. How many instances."""
    numbers = iter(range(first, first + studies))
    while part := list(islice(numbers, _STUDIES_AT_ONCE)):
        with database.write() as transaction:
            _add_studies(transaction, part, images_of_series)
    if database.engine.dialect.name == "postgresql":  # as its own vacuum does after a while
        with database.write() as transaction:
            transaction.connection.exec_driver_sql("ANALYZE")
    return studies * SERIES_OF_STUDY * images_of_series


def make_patient_id(number: int) -> str:
    """The Patient ID of the patient of a study."""
    return f"P{number:07d}"


def make_patient_name(number: int) -> str:
    """The Patient's Name of the patient of a study; three of ten go beyond ASCII."""
    family = _FAMILIES[(number + number // 10) % len(_FAMILIES)] if number % 100 else "YAMAGATA"
    return f"{family}^Given{number}"


def make_study_date(number: int) -> str:
    """The Study Date of a study, DICOM's way."""
    return (_FIRST_DAY + timedelta(days=number * 2 // 5)).strftime("%Y%m%d")


def make_series_uid(study: int, series: int) -> str:
    """The Series Instance UID of a series of a study."""
    return f"1.2.3.{study}.{series}"


def _add_studies(transaction: Transaction, numbers: list[int], images: int) -> None:
    studies = []
    for number in numbers:
        patient = {"PatientID": make_patient_id(number), "PatientName": make_patient_name(number), "PatientSex": "F"}
        row = dict.fromkeys(STUDY_ATTRIBUTES, "") | {
            "StudyInstanceUID": f"1.2.3.{number}",
            "StudyDate": make_study_date(number),
            "StudyTime": f"{number % 24:02d}1500",
            "AccessionNumber": f"A{number}",
            "StudyDescription": "Brain",
        }
        studies.append((find_or_add_patient(transaction, patient, row["StudyInstanceUID"]), *row.values(), 0.0))
    transaction.insert_missing("studies", ("patient_id", *STUDY_ATTRIBUTES, "created_at"), studies)
    study_ids = _read_ids(transaction, "studies", "StudyInstanceUID", [f"1.2.3.{number}" for number in numbers])
    of_series = {
        make_series_uid(number, each): study_ids[f"1.2.3.{number}"]
        for number in numbers
        for each in range(SERIES_OF_STUDY)
    }
    blank = dict.fromkeys(SERIES_ATTRIBUTES, "") | {"Modality": "MR", "SeriesDescription": "T1 SE"}
    rows = [
        (parent, *(blank | {"SeriesInstanceUID": uid, "SeriesNumber": uid[-1]}).values(), 0.0)
        for uid, parent in of_series.items()
    ]
    transaction.insert_missing("series", ("study_id", *SERIES_ATTRIBUTES, "created_at"), rows)
    _add_instances(transaction, _read_ids(transaction, "series", "SeriesInstanceUID", list(of_series)), images)


def _add_instances(transaction: Transaction, series_ids: dict[str, int], images: int) -> None:
    columns = ("device_id", "series_id", *INSTANCE_ATTRIBUTES)
    own = ("bucket", "length_bytes", "origin", "listed", "created_at")
    blank = dict.fromkeys(INSTANCE_ATTRIBUTES, "") | {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "TransferSyntaxUID": "1.2.840.10008.1.2.1",
        "Rows": "256",
        "Columns": "256",
    }
    number = count()
    rows = [
        (
            transaction.device_id,
            parent,
            *(blank | {"SOPInstanceUID": f"{uid}.{image}", "InstanceNumber": str(image)}).values(),
            f"{next(number) % 256:02x}",
            131072,
            "received",
            True,
            0.0,
        )
        for uid, parent in series_ids.items()
        for image in range(images)
    ]
    transaction.insert_missing("instances", (*columns, *own), rows)


def _read_ids(transaction: Transaction, table: str, key: str, uids: list[str]) -> dict[str, int]:
    marks = ", ".join("?" * len(uids))
    rows = transaction.rows(f'SELECT id, "{key}" AS uid FROM {table} WHERE "{key}" IN ({marks})', uids)
    return {row["uid"]: row["id"] for row in rows}
