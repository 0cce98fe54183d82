"""File-sets made, added to, cancelled; what may not be on them; sets that stay as they were."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.imaging.decompress import decompress_file
from openmodality.media.directory import DirectoryRecord
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import FileSetOptions, WritingCancelled, create_file_set, update_file_set
from tests.made_objects import report as dose_report
from tests.unit.media.conftest import limited, saved


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def leaves(root: Path) -> list[DirectoryRecord]:
    patients = read_directory(root / "DICOMDIR").patients
    return [record for patient in patients for record in patient.walk() if record.file_id]


def patient_ids(root: Path) -> list[str]:
    directory = read_directory(root / "DICOMDIR")
    return sorted(str(directory.keys_of(patient).PatientID) for patient in directory.patients)


def test_every_file_is_named_and_holds_what_it_held(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    report = create_file_set(tmp_path / "disc", images, options)
    assert [file_id[-1] for file_id in report.written] == ["IM000001", "IM000002", "IM000003"]
    for file_id, source in zip(report.written, images, strict=True):
        written, original = dcmread(tmp_path / "disc" / Path(*file_id)), dcmread(source)
        assert written == original
        assert written.file_meta.ImplementationVersionName == "TEST"
        assert "SourceApplicationEntityTitle" not in written.file_meta
    assert len(leaves(tmp_path / "disc")) == 3


def test_the_source_title_is_written_where_a_device_states_one(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    report = create_file_set(tmp_path, images[:1], dataclasses.replace(options, source_ae_title="OM_MR"))
    assert dcmread(tmp_path / Path(*report.written[0])).file_meta.SourceApplicationEntityTitle == "OM_MR"
    assert dcmread(tmp_path / "DICOMDIR").file_meta.SourceApplicationEntityTitle == "OM_MR"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_transfer_syntaxes_are_written_in_explicit_little_endian(
    tmp_path: Path, options: FileSetOptions, syntax: str
) -> None:
    source = saved(tmp_path / "source", transfer_syntax=syntax)
    report = create_file_set(tmp_path / "disc", [source], options)
    written = dcmread(tmp_path / "disc" / Path(*report.written[0]))
    assert written.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(written.pixel_array, dcmread(source).pixel_array)
    (record,) = leaves(tmp_path / "disc")
    assert record.transfer_syntax_uid == ExplicitVRLittleEndian


def test_a_compressed_image_is_decompressed_or_left_out(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    image = dcmread(images[0])
    image.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    image.save_as(tmp_path / "packed.dcm", enforce_file_format=True)
    left = create_file_set(tmp_path / "a", [tmp_path / "packed.dcm"], options).left_out
    assert [each.reason for each in left] == ["it is compressed (transfer syntax 1.2.840.10008.1.2.5)"]
    able = dataclasses.replace(options, decompress=decompress_file)
    report = create_file_set(tmp_path / "b", [tmp_path / "packed.dcm"], able)
    written = dcmread(tmp_path / "b" / Path(*report.written[0]))
    assert np.array_equal(written.pixel_array, dcmread(images[0]).pixel_array)


def test_what_a_profile_does_not_take_is_left_out_with_the_reason(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    (tmp_path / "text.txt").write_text("no DICOM")
    only_ct = dataclasses.replace(options, profile=limited(0, "1.2.840.10008.5.1.4.1.1.2"))
    report = create_file_set(tmp_path / "disc", [images[0], tmp_path / "text.txt"], only_ct)
    assert report.written == []
    reasons = [each.reason for each in report.left_out]
    assert reasons[0] == "profile TEST-PROFILE does not take SOP class 1.2.840.10008.5.1.4.1.1.4"
    assert len(reasons) == 2
    assert read_directory(tmp_path / "disc" / "DICOMDIR").patients == []


def test_an_update_adds_below_the_records_that_are_there(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    create_file_set(tmp_path / "disc", images[:2], options)
    before = tree(tmp_path / "disc")
    other = saved(tmp_path / "source", PatientID="OTHER", PatientName="Roe^Jane")
    report = update_file_set(tmp_path / "disc", [*images, other], options)
    assert [each.reason for each in report.left_out] == ["it is on the medium already"] * 2
    after = tree(tmp_path / "disc")
    assert {name: after[name] for name in before if name != "DICOMDIR"} == {
        name: data for name, data in before.items() if name != "DICOMDIR"
    }
    assert patient_ids(tmp_path / "disc") == ["OTHER", "TEST-0001"]
    directory = read_directory(tmp_path / "disc" / "DICOMDIR")
    assert directory.problems == []
    assert [len(patient.children[0].children[0].children) for patient in directory.patients] == [3, 1]


def test_patients_without_id_are_not_one_patient(tmp_path: Path, options: FileSetOptions) -> None:
    sources = [saved(tmp_path / "source", PatientID="", StudyInstanceUID=generate_uid()) for _ in range(2)]
    report = create_file_set(tmp_path / "disc", sources, options)
    assert patient_ids(tmp_path / "disc") == ["NOID0001", "NOID0002"]
    assert report.notices == [
        f"(0010,0020) PatientID has no value in an instance; its PATIENT record says NOID000{n}" for n in (1, 2)
    ]
    # Another image of the first study goes to its patient, another study does not.
    study = dcmread(sources[0]).StudyInstanceUID
    more = [saved(tmp_path / "more", PatientID="", StudyInstanceUID=uid) for uid in (study, generate_uid())]
    update_file_set(tmp_path / "disc", more, options)
    assert len(read_directory(tmp_path / "disc" / "DICOMDIR").patients) == 3


def test_one_id_with_two_names_is_two_patients(tmp_path: Path, options: FileSetOptions) -> None:
    sources = [saved(tmp_path / "source", PatientName=name) for name in ("Doe^Jane", "Roe^Richard")]
    create_file_set(tmp_path / "disc", sources, options)
    assert len(read_directory(tmp_path / "disc" / "DICOMDIR").patients) == 2


def test_a_set_of_others_is_added_to_only_when_adopted(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    create_file_set(tmp_path / "disc", images[:1], dataclasses.replace(options, identity=("1.2.3", "OTHERS")))
    before = tree(tmp_path / "disc")
    with pytest.raises(UsageError) as refused:
        update_file_set(tmp_path / "disc", images[1:], options)
    assert "--adopt" in str(refused.value.advice)
    assert tree(tmp_path / "disc") == before
    assert len(update_file_set(tmp_path / "disc", images[1:], options, adopt=True).written) == 2


def test_a_second_set_in_one_folder_is_refused(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    create_file_set(tmp_path / "disc", images, options)
    before = tree(tmp_path / "disc")
    with pytest.raises(UsageError):
        create_file_set(tmp_path / "disc", images, options)
    assert tree(tmp_path / "disc") == before


def test_a_faulty_directory_is_not_added_to(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    create_file_set(tmp_path / "disc", images, options)
    path = tmp_path / "disc" / "DICOMDIR"
    path.write_bytes(path.read_bytes()[:-40])
    before = tree(tmp_path / "disc")
    with pytest.raises(ObjectInvalid):
        update_file_set(tmp_path / "disc", images, options)
    assert tree(tmp_path / "disc") == before


def test_what_is_cancelled_leaves_nothing_behind(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    stop = dataclasses.replace(options, on_written=lambda instances, length: instances < 2)
    with pytest.raises(WritingCancelled):
        create_file_set(tmp_path / "disc", images, stop)
    assert not (tmp_path / "disc").exists()
    create_file_set(tmp_path / "disc", images[:1], options)
    before = tree(tmp_path / "disc")
    with pytest.raises(WritingCancelled):
        update_file_set(tmp_path / "disc", images[1:], stop)
    assert tree(tmp_path / "disc") == before


def test_more_than_a_medium_holds_is_refused(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    small = dataclasses.replace(options, profile=limited(2 * 2048))
    with pytest.raises(UsageError) as refused:
        create_file_set(tmp_path / "disc", images, small)
    assert "0 MB of TEST-PROFILE" in str(refused.value)
    assert not (tmp_path / "disc").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_medium_that_cannot_be_written_is_named(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    (tmp_path / "disc").mkdir(mode=0o500)
    with pytest.raises(StoreError):
        create_file_set(tmp_path / "disc", images, options)


def test_what_a_dead_writer_left_is_removed(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    create_file_set(tmp_path / "disc", images[:1], options)
    left = tmp_path / "disc" / "DICOM" / "PA000009" / "IM000001"
    left.parent.mkdir()
    left.write_bytes(b"half")
    (tmp_path / "disc" / "DICOMDIR.NEW").touch()
    update_file_set(tmp_path / "disc", images[1:], options)
    assert not left.parent.exists()
    assert not (tmp_path / "disc" / "DICOMDIR.NEW").exists()
    assert len(leaves(tmp_path / "disc")) == 3


def test_files_of_somebody_stay_and_keep_their_names(
    tmp_path: Path, images: list[Path], options: FileSetOptions
) -> None:
    """A folder DICOM that no DICOMDIR knows may be all that somebody has of a study."""
    theirs = tmp_path / "disc" / "DICOM" / "pa000001" / "ST000001" / "SE000001" / "IM000001"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    report = create_file_set(tmp_path / "disc", images[:1], options)
    update_file_set(tmp_path / "disc", images[1:], options)
    assert theirs.read_bytes() == b"theirs"
    assert report.written == [("DICOM", "PA000002", "ST000001", "SE000001", "IM000001")]
    assert len(leaves(tmp_path / "disc")) == 3


def test_broken_pixels_do_not_stop_the_others(tmp_path: Path, images: list[Path], options: FileSetOptions) -> None:
    whole = images[0].read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole[: whole.index(b"\x20\x00\x0d\x00UI") + 4])
    report = create_file_set(tmp_path / "disc", [cut, *images], options)
    assert len(report.written) == 3
    assert [each.path for each in report.left_out] == [cut]


def test_structured_reports_and_states_have_records_of_their_own(tmp_path: Path, options: FileSetOptions) -> None:
    path = tmp_path / "dose.dcm"
    dose_report(None).save_as(path, enforce_file_format=True)
    create_file_set(tmp_path / "disc", [path], options)
    (patient,) = read_directory(tmp_path / "disc" / "DICOMDIR").patients
    (record,) = patient.children[0].children[0].children
    assert record.record_type == "SR DOCUMENT"
