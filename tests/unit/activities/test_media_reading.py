"""Queries of a medium, its instances by keys, and what a check finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.activities.media_reading import find_on_medium, query_medium, verify_medium
from openmodality.errors import UsageError
from openmodality.media.application_profile import USB
from openmodality.media.file_set import FileSetOptions, create_file_set
from tests.peers import objects


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    paths = objects.mr_series(tmp_path / "source", 2, rows=8, columns=8, StudyDescription="HEAD")
    paths += objects.mr_series(tmp_path / "source", 1, rows=8, columns=8, PatientName="Roe^Richard", PatientID="2")
    create_file_set(tmp_path / "disc", paths, FileSetOptions(USB, ("1.2.3", "TEST"), durable=False))
    return tmp_path / "disc"


@pytest.mark.parametrize(
    ("level", "keys", "count"),
    [
        ("PATIENT", {}, 2),
        ("PATIENT", {"PatientName": "roe*"}, 1),
        ("STUDY", {"StudyDescription": "HEAD"}, 1),
        ("SERIES", {"Modality": "CT"}, 0),
        ("SERIES", {"PatientID": "TEST-0001", "Modality": "MR"}, 1),
        ("IMAGE", {}, 3),
        ("IMAGE", {"InstanceNumber": "2"}, 1),
    ],
)
def test_only_records_that_match_come(disc: Path, level: str, keys: dict[str, str], count: int) -> None:
    found, problems = query_medium(disc, level, keys)
    assert (len(found), problems) == (count, [])


def test_records_bring_the_keys_of_the_levels_above(disc: Path) -> None:
    found, _ = query_medium(disc, "IMAGE", {"PatientID": "2"})
    assert [str(found[0][key].value) for key in ("PatientName", "Modality")] == ["Roe^Richard", "MR"]
    assert found[0].SOPClassUID == "1.2.840.10008.5.1.4.1.1.4"


@pytest.mark.parametrize(("level", "keys"), [("FILE", {}), ("IMAGE", {"NoKeyword": "1"})])
def test_what_cannot_be_asked_is_refused(disc: Path, level: str, keys: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        query_medium(disc, level, keys)


def test_instances_by_keys_and_one_that_is_missing(disc: Path) -> None:
    files, faults = find_on_medium(disc, {"PatientID": "TEST-0001"})
    assert ({str(dcmread(path).PatientID) for path in files}, faults) == ({"TEST-0001"}, [])
    files[0].unlink()
    again, faults = find_on_medium(disc, {})
    assert len(again) == 2
    assert faults == [f"{files[0].relative_to(disc)} is not on the medium"]


def test_a_whole_disc_has_no_fault(disc: Path) -> None:
    assert verify_medium(disc) == []


def test_each_fault_is_found(disc: Path) -> None:
    first, second, third = sorted((disc / "DICOM").rglob("IM*"))
    first.write_bytes(first.read_bytes()[:200])
    other = dcmread(second)
    other.SOPInstanceUID = "1.2.3"
    other.save_as(second)
    third.rename(third.with_name("IM000009"))
    faults = verify_medium(disc)
    assert [fault.split(" ", 1)[1].split(":")[0] for fault in faults] == [
        "is another instance than its record says" if "cannot" not in faults[0] else "cannot be read",
        "is another instance than its record says",
        "is not on the medium",
        "is in no record",
    ]
