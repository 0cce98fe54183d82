from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, or_, update

from openmodality.errors import UsageError
from openmodality.jobs.job import JobInstance, NewJob
from openmodality.jobs.queue import Queue
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing import entities
from openmodality.store.listing.entities import LEVEL_TABLES, Search, count, find, instance_references, read_entities
from openmodality.store.local import LocalStore
from openmodality.store.schema import commitment_instances, commitments, instances, patients
from openmodality.store.states import InstanceResult, JobKind
from tests.peers.objects import ct_image, mr_image
from tests.unit.store.conftest import fill, open_copy


@pytest.fixture(scope="module")
def filled_folder(empty_folder: Path) -> Path:
    """Two patients; the first has a study with an MR series of 11 and a CT series of 2 instances."""
    first: dict[str, Any] = {
        "PatientID": "1",
        "PatientName": "Doe^Jane",
        "StudyInstanceUID": "1.1",
        "StudyDate": "20260102",
    }
    images = [
        mr_image(rows=4, columns=4, **first, SeriesInstanceUID="1.1.1", InstanceNumber=n, SOPInstanceUID=f"1.1.1.{n}")
        for n in range(1, 12)
    ]
    images += [ct_image(rows=4, columns=4, **first, SeriesInstanceUID="1.1.2") for _ in range(2)]
    second: dict[str, Any] = {
        "PatientID": "2",
        "PatientName": "Müller^Jörg=山田^太郎",
        "SpecificCharacterSet": "ISO_IR 192",
    }
    second |= {"StudyDate": "20260203", "StudyTime": "143059.12", "AccessionNumber": "A[1]%_x"}
    images.append(mr_image(rows=4, columns=4, **second, StudyInstanceUID="1.2", OtherPatientIDs=["22", "33"]))
    return fill(empty_folder, images)


@pytest.fixture
def filled(filled_folder: Path, folder: Path) -> Iterator[LocalStore]:
    with open_copy(filled_folder, folder) as opened:
        yield opened


def test_each_level_has_its_counts(filled: LocalStore) -> None:
    with filled.read() as connection:
        patient = find(connection, Level.PATIENT, {"PatientID": "1"})[0]
        studies = find(connection, Level.STUDY)
        [mr, ct] = find(connection, Level.SERIES, {"StudyInstanceUID": "1.1"})
        [image] = find(connection, Level.IMAGE, {"SOPInstanceUID": "1.1.1.7"})
    assert (patient.studies, patient.series, patient.instances, patient.modalities) == (1, 2, 13, ("CT", "MR"))
    assert [(study["StudyInstanceUID"], study.instances) for study in studies] == [("1.2", 1), ("1.1", 13)]
    assert (mr.instances, mr.modalities, ct.instances, ct.modalities) == (11, ("MR",), 2, ("CT",))
    assert (image["PatientName"], image["InstanceNumber"], image["Rows"], image.instances) == ("Doe^Jane", "7", "4", 1)
    assert studies[0]["OtherPatientIDs"] == "22\\33"


@pytest.mark.parametrize("level", list(Level))
def test_counts_are_the_same_where_no_states_are_asked_for(filled: LocalStore, level: Level) -> None:
    with filled.database.write() as transaction:
        hidden = or_(instances.c.SOPInstanceUID == "1.1.1.7", instances.c.SOPInstanceUID.not_like("1.1.1.%"))
        transaction.execute(update(instances).where(hidden).values(listed=False))
    with filled.read() as snapshot:
        [*ids] = [row["id"] for row in snapshot.rows(f"SELECT id FROM {LEVEL_TABLES[level][0]} ORDER BY id")]
        counted, uncounted = (read_entities(snapshot, Search(level, states=states), ids) for states in (True, False))
    assert counted == uncounted
    assert sum(each.instances for each in counted) == 10


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["1.2", "1.1"]),
        ({"PatientID": "", "StudyDate": "*"}, ["1.2", "1.1"]),
        ({"PatientID": "1"}, ["1.1"]),
        ({"PatientName": "doe^JANE"}, ["1.1"]),
        ({"PatientName": "Doe^Jane^^"}, ["1.1"]),
        ({"PatientName": "d?e*"}, ["1.1"]),
        ({"PatientName": "山田^太郎"}, ["1.2"]),
        ({"PatientName": "*^Jörg"}, ["1.2"]),
        ({"PatientName": "Müller^Jörg=山田*"}, ["1.2"]),
        ({"PatientName": "Jane"}, []),
        ({"StudyInstanceUID": "1.1\\1.2"}, ["1.2", "1.1"]),
        ({"StudyInstanceUID": "1.*"}, []),
        ({"StudyDate": "20260102"}, ["1.1"]),
        ({"StudyDate": "20260103-"}, ["1.2"]),
        ({"StudyDate": "-20260102"}, ["1.1"]),
        ({"StudyDate": "20260102-20260203"}, ["1.2", "1.1"]),
        ({"StudyTime": "10-1430"}, ["1.2", "1.1"]),
        ({"StudyTime": "10-1429"}, ["1.1"]),
        ({"AccessionNumber": "A[1]%_*"}, ["1.2"]),
        ({"AccessionNumber": "a*"}, []),
        ({"AccessionNumber": "A0001", "PatientID": "2"}, []),
    ],
)
def test_keys_match_as_the_standard_says(filled: LocalStore, keys: Mapping[str, str], expected: list[str]) -> None:
    with filled.read() as connection:
        assert [study["StudyInstanceUID"] for study in find(connection, Level.STUDY, keys)] == expected
        assert count(connection, Level.STUDY, keys) == len(expected)


def test_limit_and_offset_make_pages(filled: LocalStore) -> None:
    with filled.read() as connection:
        pages = [find(connection, Level.IMAGE, limit=5, offset=start) for start in (0, 5, 10)]
        assert [len(page) for page in pages] == [5, 5, 4]
        assert len({found.id for page in pages for found in page}) == count(connection, Level.IMAGE) == 14


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_study_of_which_nothing_is_listed_takes_no_place_of_a_page(
    filled: LocalStore, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entities, "_FEWEST_AT_ONCE", 1)
    newest = instances.c.SOPInstanceUID.not_like("1.1.%")
    with filled.database.write() as transaction:
        transaction.execute(update(instances).where(newest, instances.c.series_id == 3).values(listed=False))
    with filled.read() as snapshot:
        keys = {"StudyDate": "20260101-20261231"}
        assert [each["StudyInstanceUID"] for each in find(snapshot, Level.STUDY, keys, limit=limit)] == ["1.1"]
        assert find(snapshot, Level.STUDY, keys, limit=limit, offset=1) == []


def test_a_key_of_a_lower_level_is_refused(filled: LocalStore) -> None:
    with filled.read() as connection, pytest.raises(UsageError, match="Modality cannot be searched for at STUDY"):
        find(connection, Level.STUDY, {"Modality": "MR"})


def test_references_come_in_the_order_of_their_numbers(filled: LocalStore) -> None:
    with filled.read() as connection:
        found = instance_references(connection, Level.SERIES, {"SeriesInstanceUID": "1.1.1"})
        assert [reference.SOPInstanceUID for reference in found] == [f"1.1.1.{n}" for n in range(1, 12)]
        assert found[0].StudyInstanceUID == "1.1"
        assert found[0].TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert found[0].length_bytes == filled.files.path("1.1.1.1").stat().st_size
        assert len(instance_references(connection, Level.PATIENT, {"PatientID": "1"})) == 13
        assert instance_references(connection, Level.IMAGE, {"SOPInstanceUID": "9.9"}) == []


def test_a_patient_who_is_only_registered_is_listed(filled: LocalStore) -> None:
    with filled.write() as connection:
        connection.execute(insert(patients).values(PatientID="3", PatientName="New^One", identity="3", created_at=0.0))
    with filled.read() as connection:
        assert [found.instances for found in find(connection, Level.PATIENT)] == [13, 1, 0]


def test_what_was_sent_and_committed_is_counted(filled: LocalStore) -> None:
    queue = Queue(filled.database)
    pairs = [("1.2", f"1.1.1.{number}") for number in (1, 2, 3)]
    with filled.write() as connection:
        job = queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", instances=pairs))
        printed = queue.enqueue(connection, NewJob(JobKind.PRINT, "PRINTER", instances=[("1.2", "1.1.1.4")]))
        values = {"TransactionUID": "1.9", "destination": "PACS", "state": "committed", "created_at": 0.0}
        number = connection.execute(insert(commitments).values(values).returning(commitments.c.id)).scalar_one()
        row = {"commitment_id": number, "SOPInstanceUID": "1.1.1.1", "SOPClassUID": "1.2", "result": "committed"}
        connection.execute(insert(commitment_instances).values(row))
    results = (InstanceResult.SUCCESS, InstanceResult.WARNING, InstanceResult.FAILURE)
    queue.record(job.id, [JobInstance(*pair, result) for pair, result in zip(pairs, results, strict=True)])
    queue.record(printed.id, [JobInstance("1.2", "1.1.1.4", InstanceResult.SUCCESS)])
    with filled.read() as connection:
        study = find(connection, Level.STUDY, {"StudyInstanceUID": "1.1"})[0]
        assert (study.sent, study.committed) == (2, 1)
