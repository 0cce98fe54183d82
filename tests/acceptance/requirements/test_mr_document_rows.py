"""MR 13.5, 13.6: presentation states, key objects and captures in their fullest and least form, before all judges."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from openmodality import Modality
from openmodality.exam.session import Exam
from openmodality.objects.state.marks import Graphic, Words
from openmodality.objects.state.presentation_state import Look, VoiTable
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from tests.devices import device_in_hospital, today
from tests.mr_image_values import SPEC, WITH_EXAM, WITH_IMAGE
from tests.peers.module_tables import list_faults
from tests.peers.process import run

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PIXELS = np.arange(256, dtype=np.uint16).reshape(16, 16)
PLACED = {
    "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1],
    "SliceThickness": 3, "ScanningSequence": "SE", "SequenceVariant": "SK",
}  # fmt: skip
OF_STUDY = {
    keyword: WITH_IMAGE[keyword]
    for keyword in (
        "PatientAddress", "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence",
        "PatientTelephoneNumbers", "PatientReligiousPreference", "MedicalAlerts", "Allergies", "SmokingStatus",
        "PregnancyStatus", "ReferringPhysicianIdentificationSequence", "StudyDescription", "PhysiciansOfRecord",
        "PhysiciansOfRecordIdentificationSequence", "PhysiciansReadingStudyIdentificationSequence", "PatientSize",
        "PatientWeight", "Occupation", "AdditionalPatientHistory", "AdmittingDiagnosesDescription",
        "AdmittingDiagnosesCodeSequence", "OperatorsName", "BodyPartExamined",
    )
}  # fmt: skip
MARKS = (
    Graphic("CIRCLE", [(4, 4), (6, 4)], filled=True), Graphic("POLYLINE", [(4, 4), (6, 4), (6, 6)]),
    Graphic("POINT", [(4, 4)]), Graphic("ELLIPSE", [(2, 4), (8, 4), (5, 3), (5, 5)]),
    Graphic("INTERPOLATED", [(2, 4), (8, 4), (5, 3)]), Words("cyst: größer", (3, 3)),
)  # fmt: skip
LOOKS = {
    "state": Look((300, 600), rotation=90, flip=True, inverse=True, area=(2, 2, 15, 15), label="TEACHING",
                  description="a cyst", creator="Doe^John", marks=MARKS),
    "state table": Look(lut=VoiTable(0, 16, [0, 100, 65535]), size="MAGNIFY", magnification=2.0, creator="Doe^John"),
    "state true size": Look(size="TRUE SIZE"),
}  # fmt: skip
ACCEPTED = {
    "Retired attribute": "the statement lists attributes that PS3.6 has retired since",
    "retired attributes": "the same, said of the whole",
    "Attribute is not present in standard DICOM IOD": "modules that the statement adds, and the place of a capture",
    "CodingSchemeDesignator(0008,0102)[1]> - Unrecognized defined term = <99": "codes of the test's own hospital",
    "Laterality(0020,0060)> - is only permitted to be empty": "nobody said the side",
    "Coding Scheme Designator": "the RIS of the test names schemes of its own",
}
"""Warnings of dciodvfy, with the reason."""
ONE_LOOK = "one look for all images of a state, which thus refers to none of them alone"
NEVER = {
    "0070,005A>0008,1140": ONE_LOOK, "0070,0001>0008,1140": ONE_LOOK, "0028,3110>0008,1140": ONE_LOOK,
    "0070,0060>0070,0067": "lines and words are white", "0070,0060>0070,0068": "there is one layer",
    "0040,A032": "the moment of the content is that of the document (PS3.3 C.17.3.2.3 asks for another one only)",
    "0040,A730>0040,DB73": "content items stand by value (TID 2010)",
    "0040,A730>0040,A043>0008,0103": "versions tell codes apart that mean several things: DCM's mean one",
    "0040,A730>0040,A168>0008,0103": "the same",
    **{f"0040,A043>0008,{element}": "the title stands with its code alone; CID 7010 is DICOM's own and not extended"
       for element in ("0103", "0105", "0106", "0107", "010D", "010B", "010F")},
}  # fmt: skip
"""Rows of 13.5 and 13.6 that no document has, with the reason."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Dataset]]]:
    folder = tmp_path_factory.mktemp("documents")
    with device_in_hospital(folder, "mr", today()) as device, device.modality(works=False) as modality:
        uids = {**make_least(modality), **make_fullest(modality)}
        yield {name: [dcmread(modality.instance_path(uid)) for uid in listed] for name, listed in uids.items()}


def add_images(exam: Exam) -> list[str]:
    return [uid for name in "AB" for uid in exam.series(name, sop_class_uid=MR_IMAGE_STORAGE).add(PIXELS, **PLACED)]


def make_least(modality: Modality) -> dict[str, list[str]]:
    exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
    images = add_images(exam)
    return {
        "least state": [exam.present(images)],
        "least document": exam.key_objects(images),
        "least capture": exam.series("c", sop_class_uid=SECONDARY_CAPTURE).add(PIXELS),
        "colour": exam.series("c").add(np.zeros((8, 8, 3), np.uint8)),
    }


def make_fullest(modality: Modality) -> dict[str, list[str]]:
    scheduled = modality.start_exam(modality.worklist()[:1], **OF_STUDY)
    images = add_images(scheduled)
    by_hand = modality.exam(patient=WITH_EXAM, **OF_STUDY)
    own = add_images(by_hand)
    prior = modality.exam(patient=WITH_EXAM)
    old = add_images(prior)
    prior.complete()
    return {
        **{name: [scheduled.present(images, look)] for name, look in LOOKS.items()},
        "document": scheduled.key_objects(images, title="113001", reason="Motion blur", description="größer",
                                          observer="Doe^John"),
        "document of two": scheduled.key_objects(images[:1], title="Of Interest"),
        "state by hand": [by_hand.present(own, LOOKS["state"])],
        "document by hand": by_hand.key_objects([*own, *old], title="113010", reason="Positioning"),
        "capture": by_hand.series("c", sop_class_uid=SECONDARY_CAPTURE, **OF_STUDY).add(
            PIXELS, **{**PLACED, "PatientOrientation": ["L", "P"], "BurnedInAnnotation": "NO"}
        ),
    }  # fmt: skip


@pytest.mark.requirement("MR-13-01")
@pytest.mark.needs("dciodvfy", "dcmpschk", "dsrdump")
def test_no_judge_finds_an_error_or_a_warning_that_is_not_known(made: dict[str, Any], tmp_path: Path) -> None:
    remarks = []
    for name, listed in made.items():
        for data_set in listed:
            path = tmp_path / "made.dcm"
            data_set.save_as(path)
            lines = run("dciodvfy", "-new", path).output.splitlines()
            said = [line for line in lines if line.startswith(("Error", "Warning"))]
            remarks += [(name, line) for line in said if line[0] == "E" or not any(each in line for each in ACCEPTED)]
            remarks += [(name, fault) for fault in list_faults(data_set)]
            if "state" in name:
                checked = run("dcmpschk", path).output
                remarks += [(name, "dcmpschk")] if "Test passed" not in checked or "\nE:" in f"\n{checked}" else []
            if "document" in name:
                dump = run("dsrdump", path)
                remarks += [(name, dump.output)] if dump.status or "\nE:" in f"\n{dump.output}" else []
    assert remarks == []


@pytest.mark.parametrize(("scope", "kind", "count"), [("GSPS", "state", 55), ("KO", "document", 84)])
def test_each_row_is_reached_or_has_its_reason(
    made: dict[str, list[Dataset]], scope: str, kind: str, count: int
) -> None:
    with (SPEC / "iod_modules.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["iod_scope"] == scope]
    assert len(rows) == count
    documents = [data_set for name, listed in made.items() if kind in name for data_set in listed]
    missing = {row["path"] for row in rows if not any(has_row(each, row["path"]) for each in documents)}
    assert {path for path in missing if not any(path.startswith(known) for known in NEVER)} == set()
    assert {path for path in NEVER if any(row["path"] == path for row in rows)} <= missing


def has_row(data_set: Dataset, path: str) -> bool:
    *above, last = [int(tag.replace(",", ""), 16) for tag in path.split(">")]
    data_sets = [data_set]
    for tag in above:
        data_sets = [item for each in data_sets if tag in each for item in each[tag].value]
    return any(last in each for each in data_sets)
