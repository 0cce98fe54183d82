"""DICOMDIRs of others, broken ones among them: what can be read is, and each fault is named."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from openmodality.errors import ObjectInvalid, StoreError
from openmodality.media.directory import DirectoryRecord, encode_directory
from openmodality.media.directory_reader import Directory, parse_directory, read_directory

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
IDENTITY = ("1.2.3", "TEST")


def all_records(directory: Directory) -> list[DirectoryRecord]:
    return [record for patient in directory.patients for record in patient.walk()]


def directory_of(*records: DirectoryRecord) -> bytes:
    return b"".join(encode_directory(list(records), "TEST", IDENTITY))


def small() -> bytes:
    images = [
        DirectoryRecord("IMAGE", b"", ("DICOM", f"IM{n}"), "1.2", f"1.2.{n}", "1.2.840.10008.1.2.1") for n in "12"
    ]
    study = DirectoryRecord("STUDY", b"", children=[DirectoryRecord("SERIES", b"", children=images)])
    return directory_of(DirectoryRecord("PATIENT", b"", children=[study]))


def set_offset(data: bytes, tag: bytes, number: int, value: int) -> bytes:
    """The directory with another value in the ``number``-th element of a tag."""
    place = -1
    for _ in range(number):
        place = data.index(tag + b"UL\x04\x00", place + 1)
    return data[: place + 8] + value.to_bytes(4, "little") + data[place + 12 :]


LOWER = b"\x04\x00\x20\x14"


def test_what_was_written_is_read() -> None:
    directory = parse_directory(small())
    assert (directory.file_set_id, directory.problems) == ("TEST", [])
    records = all_records(directory)
    assert [record.record_type for record in records] == ["PATIENT", "STUDY", "SERIES", "IMAGE", "IMAGE"]
    assert [record.file_id for record in records[3:]] == [("DICOM", "IM1"), ("DICOM", "IM2")]
    assert records[4].sop_instance_uid == "1.2.2"


def test_an_empty_directory() -> None:
    directory = parse_directory(directory_of())
    assert (directory.patients, directory.problems) == ([], [])


@pytest.mark.parametrize(
    ("name", "count", "faults"),
    [
        ("DICOMDIR", 52, 0),
        ("DICOMDIR-reordered", 52, 0),
        ("DICOMDIR-empty.dcm", 0, 0),
        ("DICOMDIR-implicit", 52, 1),
        ("DICOMDIR-bigEnd", 52, 1),
        ("DICOMDIR-nopatient", 52, 1),
        ("DICOMDIR-nooffset", 51, 2),
    ],
)
def test_the_directories_of_pydicom(name: str, count: int, faults: int) -> None:
    directory = read_directory(FOLDER / name)
    assert len(all_records(directory)) == count
    assert len(directory.problems) >= faults
    assert faults > 0 or directory.problems == []


def test_keys_are_read_whatever_the_byte_order() -> None:
    for name in ("DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd"):
        directory = read_directory(FOLDER / name)
        ids = {str(directory.keys_of(patient).PatientID) for patient in directory.patients}
        assert ids == {"77654033", "98890234"}


def test_a_circle_is_walked_once_and_named() -> None:
    data = small()
    place = data.index(b"\x04\x00\x00\x12UL\x04\x00") + 8
    patient = int.from_bytes(data[place : place + 4], "little")
    directory = parse_directory(set_offset(data, LOWER, 2, patient))  # the study points back to its patient
    assert len(all_records(directory)) == 5
    assert any("a record that has its place" in str(problem) for problem in directory.problems)


@pytest.mark.parametrize("value", [7, 2**32 - 1, 2**31])
def test_an_offset_to_nowhere_loses_no_record(value: int) -> None:
    directory = parse_directory(set_offset(small(), LOWER, 1, value))
    assert len(all_records(directory)) == 5
    assert any(f"points to {value}" in str(problem) for problem in directory.problems)
    (patient,) = directory.patients
    assert [child.record_type for child in patient.children] == ["STUDY"]


def test_a_record_out_of_use_is_left_out() -> None:
    data = small()
    place = data.rindex(b"\x04\x00\x10\x14US\x02\x00")
    directory = parse_directory(data[: place + 8] + b"\0\0" + data[place + 10 :])
    assert len(all_records(directory)) == 4


def test_a_directory_that_is_cut_off_keeps_what_came_before() -> None:
    directory = parse_directory(small()[:-30])
    assert len(all_records(directory)) == 4
    assert directory.problems


def test_another_instance_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid):
        parse_directory(b"")
    with pytest.raises(ObjectInvalid):
        read_directory(Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small.dcm")
    with pytest.raises(StoreError):
        read_directory(tmp_path / "DICOMDIR")


def test_a_long_chain_of_records_needs_no_recursion() -> None:
    record = DirectoryRecord("IMAGE", b"")
    for _ in range(3000):
        record = DirectoryRecord("SERIES", b"", children=[record])
    directory = parse_directory(directory_of(record))
    assert len(all_records(directory)) == 3001


@pytest.mark.timeout(30)
def test_a_long_record_of_many_elements_takes_its_length_in_time() -> None:
    key = b"\x09\x00\x01\x10LO\x00\x00"
    found = parse_directory(directory_of(DirectoryRecord("PATIENT", key * 500_000)))
    assert [len(record.keys) for record in all_records(found)] == [len(key) * 500_000]
