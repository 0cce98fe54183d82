"""MR 13.2 and 9.3.1: every private attribute of the device's dictionary, made, sent and read by others."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import imread
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from openmodality.activities.media_profiles import choose_media_profile, make_file_set_options
from openmodality.exam.session import Exam
from openmodality.media.file_set import create_file_set
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, IMPLICIT, TITLE, listening, recorded_device
from tests.acceptance.requirements.test_mr_attributes import make_image
from tests.devices import device_in_hospital
from tests.mr_image_values import MR_IMAGE, SPEC, code
from tests.peers import dcmtk
from tests.peers.process import run

PIXELS = np.zeros((4, 4), dtype=np.uint16)
PLANE = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}
CREATOR = "MMCPrivate"
VALUES: dict[str, Any] = {
    "LO": "text", "CS": "TERM", "SH": "short", "DS": "1.5", "FD": 2.5, "IS": "7", "UI": "1.2.3", "OB": b"\1\2",
    "FL": 0.5, "US": 7, "ST": "lines", "TM": "101112", "SS": -3, "DT": "20260102101112", "LT": "long", "UL": 70000,
    "SQ": [code("1", "99X", "meaning")],
}  # fmt: skip
SYNTAXES = {"implicit": ("ImplicitVRLittleEndian", IMPLICIT), "explicit": ("ExplicitVRLittleEndian", EXPLICIT)}


def list_rows() -> list[dict[str, str]]:
    with (SPEC / "private_dictionary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add_all(exam: Exam) -> str:
    """An image with a value for each private attribute, by its tag."""
    given = {row["tag"]: VALUES[row["vr"]] for row in list_rows() if row["element_offset"]}
    series = exam.series("private", sop_class_uid=MR_IMAGE)
    [uid] = series.add(PIXELS, **PLANE, private=given)
    assert series.left_out == ()
    return uid


def save_as_sent(data_set: Dataset, path: Path, transfer_syntax: str) -> Path:
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.needs("dcmdump")
@pytest.mark.requirement("MR-9.3.1-01")
@pytest.mark.parametrize("name", ["implicit", "explicit"])
def test_every_private_attribute_reaches_an_archive(tmp_path: Path, name: str) -> None:
    keyword, transfer_syntax = SYNTAXES[name]
    peer = f'transfer_syntaxes = ["{keyword}"]'
    with recorded_device(tmp_path / "device", "mr", peer=peer) as recorded, recorded.modality() as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        add_all(exam)
        exam.complete()
        assert modality.wait_until_idle(20)
        [stored] = recorded.recorder.requests("C-STORE-RQ")
    path = save_as_sent(stored.data, tmp_path / "sent.dcm", transfer_syntax)
    read = dcmread(path)
    rows = list_rows()
    assert len(rows) == 333
    for row in rows:
        tag = int(row["tag"].replace(",", ""), 16)
        if row["element_offset"]:
            block = read.private_block(tag >> 16, CREATOR)
            found = block[tag & 0xFF]
            assert (row["tag"], found.VR) == (row["tag"], row["vr"])
            assert not found.is_empty
            if row["vr"] not in ("SQ", "OB"):
                assert str(found.value) == str(VALUES[row["vr"]])
        else:
            assert read[tag].value == CREATOR
    dump = run("dcmdump", "-q", path).output
    assert dump.count(f"[{CREATOR}]") == 6
    assert imread(path).SOPInstanceUID == stored.data.SOPInstanceUID


def test_what_repeats_a_standard_attribute_is_filled(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        series = exam.series("x", sop_class_uid=MR_IMAGE, RFEchoTrainLength=8, EchoPulseSequence="SPIN")
        series.add(
            PIXELS, **PLANE, PixelBandwidth=130, DiffusionBValue=500, EffectiveEchoTime=80.5,
            AnatomicRegionSequence=[code("T-D9200", "SRT", "Knee")],
        )  # fmt: skip
        assert series.left_out == ()
        exam.complete()
        assert modality.wait_until_idle(20)
        [stored] = recorded.recorder.requests("C-STORE-RQ")
    block = stored.data.private_block(0x0029, CREATOR)
    expected = {
        0x83: ("US", 8), 0x77: ("CS", "SPIN"), 0xA3: ("DS", 130), 0x30: ("FD", 500.0), 0x90: ("FD", 80.5),
        0x58: ("SH", "T-D9200"), 0x59: ("SH", "SRT"), 0x5B: ("LO", "Knee"),
    }  # fmt: skip
    assert {offset: (block[offset].VR, block[offset].value) for offset in expected} == expected
    assert block[0x57].value[0].CodeMeaning == "Knee"


def test_without_export_nothing_private_leaves_the_device(tmp_path: Path) -> None:
    more = "[parameters.behaviour]\nexport_private = false\n"
    with recorded_device(tmp_path, "mr", more=more) as recorded, recorded.modality() as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        uid = add_all(exam)
        exam.series("plain", sop_class_uid=MR_IMAGE).add(PIXELS, **PLANE, PixelBandwidth=130)
        exam.complete()
        assert modality.wait_until_idle(20)
        for stored in recorded.recorder.requests("C-STORE-RQ"):
            assert not [each.tag for each in stored.data.iterall() if each.tag.is_private]
        [kept] = exam.data_folder.rglob(f"*{uid}*")
        assert dcmread(kept).private_block(0x0029, CREATOR)[0x1F].value == "text"


@pytest.mark.needs("storescu")
@pytest.mark.requirement("MR-9.3.1-01")
def test_what_came_in_implicit_vr_goes_on_with_its_vrs(tmp_path: Path) -> None:
    """In Explicit VR an element that the device knows has the VR of its dictionary; another of the set is UN."""
    image = make_image()
    block = image.private_block(0x0029, CREATOR, create=True)
    block.add_new(0x1F, "LO", "3")
    block.add_new(0x30, "FD", 500.0)
    block.add_new(0xFE, "LO", "later version")
    path = save_as_sent(image, tmp_path / "foreign.dcm", IMPLICIT)
    peer = 'transfer_syntaxes = ["ExplicitVRLittleEndian"]'
    with recorded_device(tmp_path / "device", "mr", peer=peer) as recorded, recorded.modality() as modality:
        modality.serve()
        done = dcmtk.scu("storescu", listening(recorded, "device", "OM_MR"), "-xi", path, calling=TITLE)
        assert done.status == 0
        kept = dcmread(modality.instance_path(image.SOPInstanceUID))
        assert kept.file_meta.TransferSyntaxUID == IMPLICIT
        assert kept.private_block(0x0029, CREATOR)[0x30].value == 500.0
        modality.send(instance=image.SOPInstanceUID)
        assert modality.wait_until_idle(20)
        [sent] = recorded.recorder.requests("C-STORE-RQ")
    elements = {tag & 0xFF: sent.data.get_item(tag) for tag in (0x0029101F, 0x00291030, 0x002910FE)}
    assert {offset: each.VR for offset, each in elements.items()} == {
        0x1F: "LO",
        0x30: "FD",
        0xFE: "UN",
    }


def test_private_attributes_of_an_implicit_file_keep_their_vr_on_a_disc(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        uid = add_all(modality.register({"PatientID": "1", "PatientName": "Doe^Jane"}))
        image = dcmread(modality.instance_path(uid))
        path = save_as_sent(image, tmp_path / "implicit.dcm", IMPLICIT)
        options = make_file_set_options(modality.site, choose_media_profile(modality.site), "TEST")
        report = create_file_set(tmp_path / "disc", [path], options)
    [file_id] = report.written
    written = dcmread(tmp_path.joinpath("disc", *file_id))
    assert written.file_meta.TransferSyntaxUID == EXPLICIT
    for row in list_rows():
        if row["element_offset"]:
            found = written[int(row["tag"].replace(",", ""), 16)]
            assert (row["tag"], found.VR) == (row["tag"], row["vr"])
