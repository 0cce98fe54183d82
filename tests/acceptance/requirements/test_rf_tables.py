"""R/F 8.1 to 8.3: what the device sends has each row of the tables of the statement, and nothing of its own invention.

The tables (8.1-1 to 8.1-27) are read as data, the objects as an archive got them: of a scheduled exam with what a
worklist, an operator and an exposure say (the fullest form), and of one where nothing is said but a Patient ID (the
least).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.datadict import keyword_for_tag

from openmodality import IrradiationEvent, Modality
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_rf_association import full_item
from tests.devices import pixels
from tests.peers.process import wait_until

SPEC = Path("tests/data/spec/rf")
CLASSES = {
    "XA Image": "1.2.840.10008.5.1.4.1.1.12.1",
    "RF Image": "1.2.840.10008.5.1.4.1.1.12.2",
    "CR Image": "1.2.840.10008.5.1.4.1.1.1",
    "SC Image": "1.2.840.10008.5.1.4.1.1.7",
    "Dose SR": "1.2.840.10008.5.1.4.1.1.88.67",
}
IMAGES = [name for name in CLASSES if name != "Dose SR"]
FORMS = ("fullest", "least")
SITE = """
[device]
manufacturer = "Maker"
model = "Model"
serial_number = "S-1"
station_name = "ROOM1"
software_versions = ["1.0"]
[parameters.behaviour]
rdsr_patient_study = false
rdsr_partial = false
[parameters.positioner]
motion = "STATIC"
"""
SHOT = IrradiationEvent(
    KVP=80, XRayTubeCurrent=200, PulseWidth=8, NumberOfPulses=1, DoseAreaProduct=1.5e-5, EntranceDoseInmGy=1.25,
    DistanceSourceToDetector=1100, DistanceSourceToPatient=800, PositionerPrimaryAngle=10, PositionerSecondaryAngle=-5,
    PatientPosition="HFS", Grid="FOCUSED", FocalSpots=0.6, TableHeadTiltAngle=5,
)  # fmt: skip
SAID: dict[str, Any] = {"BodyPartExamined": "ABDOMEN", "ProtocolName": "GI", "SeriesDescription": "Stomach"}

TagPath = tuple[int, ...]
Sent = dict[tuple[str, str], Dataset]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of attributes."""

    keyword: str
    path: TagPath
    presence: str


def read_rows(name: str) -> list[dict[str, str]]:
    with (SPEC / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def parse(path: str) -> TagPath:
    return tuple(int(part.replace(",", ""), 16) for part in path.split(">"))


MODULES = read_rows("iods.csv")
TABLES: dict[str, list[Row]] = {}
for line in read_rows("iod_modules.csv"):
    TABLES.setdefault(line["table"], []).append(Row(line["keyword"], parse(line["path"]), line["presence"]))

EMPTY_BY_PS3_3 = {
    "KVP", "ExposureTime", "XRayTubeCurrent", "PositionerPrimaryAngle", "PositionerSecondaryAngle",
}  # fmt: skip
"""Type 2: sent empty where the tables print ANAP (docs/objects-rf.md)."""
WITHOUT_ITEMS = {
    "ReferencedPatientSequence", "RequestAttributesSequence", "PerformedProtocolCodeSequence",
    "PerformedProcedureCodeSequence",
}  # fmt: skip
"""Sequences that are left out, or empty, where they would have no item (docs/limitations.md)."""
UNKNOWN = {"PatientAge"}
"""ALWAYS in the tables of CR Images; nobody knows it without a birth date."""
BEYOND = {
    "ProcedureCodeSequence", "Laterality", "IssuerOfPatientID", "IrradiationEventUID",
}  # fmt: skip
"""In images, and in no table (docs/objects-rf.md)."""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What an archive got, by form and name of the object."""
    found: Sent = {}
    names = {uid: name for name, uid in CLASSES.items()}
    with (
        recorded_device(tmp_path_factory.mktemp("rf"), "rf", items=[full_item()], more=SITE) as recorded,
        recorded.modality() as modality,
    ):
        for form in FORMS:
            recorded.recorder.forget()
            examine(modality, is_full=form == "fullest")
            wait_until(lambda: len(recorded.recorder.requests("C-STORE-RQ")) == len(CLASSES))
            for each in recorded.recorder.requests("C-STORE-RQ"):
                found[form, names[str(each.data.SOPClassUID)]] = each.data
    return found


def examine(modality: Modality, *, is_full: bool) -> None:
    exam = modality.start_exam(modality.worklist()[0]) if is_full else modality.register({"PatientID": "1"})
    for name in IMAGES:
        series = exam.series(sop_class_uid=CLASSES[name], **(SAID if is_full else {}))
        series.add(pixels(), irradiation=SHOT if is_full and name != "SC Image" else None)
    if not is_full:
        exam.irradiation(KVP=80)
    exam.complete()
    assert modality.wait_until_idle(20)


def find(data_set: Dataset, path: TagPath) -> list[DataElement | None]:
    """The elements at a path, in all items; None where an item has none."""
    items = [data_set]
    for tag in path[:-1]:
        items = [item for each in items if tag in each for item in each[tag].value or ()]
    return [each.get(path[-1]) for each in items]


def list_paths(data_set: Dataset, before: TagPath = ()) -> Iterator[TagPath]:
    for element in data_set:
        path = (*before, int(element.tag))
        yield path
        if element.VR == "SQ":
            for item in element.value:
                yield from list_paths(item, path)


def tables_of(name: str) -> list[tuple[dict[str, str], list[Row]]]:
    """The modules of an object, each with its rows."""
    return [(module, TABLES.get(module["reference_table"], [])) for module in MODULES if module["iod"] == name]


def has_own(data_set: Dataset, rows: list[Row], others: set[TagPath]) -> bool:
    """Whether an attribute is there that no other module of the object has."""
    return any(row.path not in others and any(find(data_set, row.path)) for row in rows)


def judge_row(row: Row, element: DataElement | None) -> str:
    """What is wrong with the attribute of a row; empty where nothing is."""
    is_empty = element is None or element.is_empty
    wrong = {
        "ALWAYS": is_empty and row.keyword not in UNKNOWN | WITHOUT_ITEMS,
        "VNAP": element is None and row.keyword not in WITHOUT_ITEMS,
        "ANAP": element is not None and is_empty and row.keyword not in EMPTY_BY_PS3_3,
        "EMPTY": element is None or not is_empty,
    }
    return f"{row.keyword}, {row.presence}: {element}" if wrong[row.presence] else ""


def judge(name: str, data_set: Dataset) -> Iterator[str]:
    """The rows of the tables that an object does not follow."""
    for module, rows in tables_of(name):
        others = {row.path for other, its in tables_of(name) if other is not module for row in its}
        there = has_own(data_set, rows, others)
        if module["presence"] == "EMPTY":
            yield from [f"{module['module']} is there"] * there
        elif module["presence"] == "ALWAYS" or there:
            for row in rows:
                yield from filter(None, (judge_row(row, element) for element in find(data_set, row.path)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CLASSES)
def test_each_row_of_the_tables(sent: Sent, form: str, name: str) -> None:
    assert list(judge(name, sent[form, name])) == []


@pytest.mark.requirement("RF-8.1.1-04")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CLASSES)
def test_mandatory_modules_are_always_there(sent: Sent, form: str, name: str) -> None:
    """Those that have an attribute which is sent whatever is known."""
    required = {
        module["module"]: [row for row in rows if row.presence in ("ALWAYS", "VNAP") and len(row.path) == 1]
        for module, rows in tables_of(name)
        if module["usage"] == "M"
    }
    missing = [
        module for module, rows in required.items() if rows and not any(row.path[0] in sent[form, name] for row in rows)
    ]
    assert missing == []
    assert len([rows for rows in required.values() if rows]) >= 6


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", IMAGES)
def test_nothing_is_beyond_the_tables_but_what_is_listed(sent: Sent, form: str, name: str) -> None:
    listed = {row.path[0] for _, rows in tables_of(name) for row in rows}
    beyond = {keyword_for_tag(path[0]) for path in list_paths(sent[form, name]) if path[0] not in listed}
    assert beyond <= BEYOND


@pytest.mark.requirement("RF-8.2-01")
def test_no_private_attributes(sent: Sent) -> None:
    assert [path for each in sent.values() for path in list_private(each)] == []


@pytest.mark.requirement("RF-8.2-01")
def test_no_private_attributes_are_made(tmp_path: Path) -> None:
    """In the files of the device: a private attribute without a dictionary is left out where it is sent."""
    (tmp_path / "site.toml").write_text(f'profile = "rf"\n{SITE}', "utf-8")
    with Modality(tmp_path / "site.toml") as modality:
        examine(modality, is_full=False)
        files = [modality.instance_path(each.attributes["SOPInstanceUID"]) for each in modality.instances()]
        assert len(files) == len(CLASSES)
        assert [path for file in files for path in list_private(dcmread(file))] == []


def list_private(data_set: Dataset) -> list[TagPath]:
    return [path for path in list_paths(data_set) if any(tag >> 16 & 1 for tag in path)]


STANDARD_SCHEMES = {"DCM", "SCT", "UCUM", "RFC5646", "NCIt"}


@pytest.mark.requirement("RF-8.3-01")
def test_no_terms_and_templates_of_its_own(sent: Sent) -> None:
    """Coding schemes are those that PS3.16 names, templates those of DCMR; the worklist brings its own."""
    for (form, name), each in sent.items():
        schemes = {str(element.value) for element in each.iterall() if element.keyword == "CodingSchemeDesignator"}
        asked = {str(element.value) for element in full_item().iterall() if element.keyword == "CodingSchemeDesignator"}
        assert schemes - STANDARD_SCHEMES <= (asked if form == "fullest" else set()), name
        resources = {str(element.value) for element in each.iterall() if element.keyword == "MappingResource"}
        assert resources <= {"DCMR"}


@pytest.mark.requirement("RF-8.1.1.7-04")
@pytest.mark.parametrize("name", ["XA Image", "RF Image"])
def test_the_positioner_is_told_of_where_it_is_known(sent: Sent, name: str) -> None:
    """By the exposure; Positioner Motion, which XA Images have, by the site."""
    own = ("DistanceSourceToDetector", "EstimatedRadiographicMagnificationFactor")
    angles = ("PositionerPrimaryAngle", "PositionerSecondaryAngle") if name == "XA Image" else ()
    full, least = sent["fullest", name], sent["least", name]
    assert [keyword for keyword in (*own, *angles) if not full.get(keyword)] == []
    assert [keyword for keyword in own if keyword in least] == []
    assert [keyword for keyword in angles if least.get(keyword) is not None] == []
    assert (full.get("PositionerMotion"), least.get("PositionerMotion")) == (
        ("STATIC", "STATIC") if name == "XA Image" else (None, None)
    )
