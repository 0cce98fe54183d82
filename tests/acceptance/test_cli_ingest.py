"""``exam acquire`` with files and with a stream, as it is typed."""

from __future__ import annotations

import signal
import socket
import struct
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from tests.acceptance.command_line import finish, start
from tests.acceptance.in_process import call
from tests.peers.process import free_port, wait_until


@pytest.fixture
def device(tmp_path: Path) -> Path:
    assert call(["init", "device", "--profile", "mr"], tmp_path)[0] == 0
    begun = ["exam", "unscheduled", "--patient-id", "T1", "--patient-name", "DOE^JANE"]
    assert call(begun, tmp_path / "device")[0] == 0
    return tmp_path / "device"


def test_files_with_their_options(device: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), None)
    nibabel.save(image, device / "scan.nii")
    status, printed = call(["exam", "acquire", "1", "scan.nii"], device)
    assert (status, "sform_code and qform_code are 0" in printed) == (1, True)
    status, printed = call(["exam", "acquire", "1", "scan.nii", "--assume-affine"], device)
    assert (status, printed.splitlines()[-1]) == (0, "exam 1: 4 images made")
    assert "scan.nii: neither sform nor qform" in printed
    np.save(device / "a.npy", np.zeros((4, 4), np.uint16))
    (device / "a.json").write_text('{"PatientID": "T2", "PatientName": "DOE^JOHN"}')
    status, printed = call(["exam", "acquire", "1", "a.npy"], device)
    assert status == 1
    assert "the input says PatientName DOE^JOHN, PatientID T2; the exam says PatientName DOE^JANE" in printed
    assert call(["exam", "acquire", "1", "a.npy", "--accept-identity"], device)[0] == 0
    (device / "bad.npy").write_bytes(b"no array")
    status, printed = call(["exam", "acquire", "1", "bad.npy", "a.npy", "scan.nii", "--assume-affine"], device)
    assert (status, printed.splitlines()[-1]) == (1, "exam 1: 4 images made")
    assert "openmodality: bad.npy: not a kind of file that holds an image" in printed
    assert "openmodality: a.npy: " in printed
    assert "the input says PatientName DOE^JOHN, PatientID T2" in printed
    enhanced = [
        "exam",
        "acquire",
        "1",
        "scan.nii",
        "--assume-affine",
        "--object",
        "Enhanced MR Image",
        "-k",
        "FlipAngle=9",
    ]
    status, printed = call(enhanced, device)
    assert status == 0
    assert "Enhanced MR Image says 0 for AcquisitionDuration, EffectiveEchoTime, FrameAcquisitionDuration" in printed
    assert "FlipAngle" not in printed


def test_attributes_are_said_with_the_command(device: Path) -> None:
    np.save(device / "a.npy", np.zeros((4, 4), np.uint16))
    plane = [
        *("-k", "ImagePositionPatient=0\\0\\0", "-k", "ImageOrientationPatient=[1, 0, 0, 0, 1, 0]"),
        *("-k", "PixelSpacing=1\\1"),
    ]
    acquire = ["exam", "acquire", "1", "a.npy", "--object", "MR Image", *plane]
    region = '[{"CodeValue": "T-D9200", "CodingSchemeDesignator": "SRT", "CodeMeaning": "Knee"}]'
    said = ["-k", f"AnatomicRegionSequence={region}", "-k", "MPGAxisNumber=3", "-k", "AcquisitionMatrix=[4, 0, 0, 4]"]
    status, printed = call([*acquire, *said, "-k", "MRAcquisitionType=2D"], device)
    assert (status, printed.splitlines()[-1]) == (0, "exam 1: 1 image made")
    [path] = (device / "data").rglob("*.dcm")
    made = pydicom.dcmread(path)
    assert made.AnatomicRegionSequence[0].CodeMeaning == "Knee"
    assert made.private_block(0x0029, "MMCPrivate")[0x1F].value == "3"
    assert list(made.AcquisitionMatrix) == [4, 0, 0, 4]
    status, printed = call([*acquire, "-k", "MRAcquisitionType=4D"], device)
    assert status == 1
    assert "(0018,0023) MRAcquisitionType: not 2D or 3D (MR Image module, type 2, VR CS)" in printed
    assert "it may come from the acquisition" in printed
    status, printed = call([*acquire, "-k", "AnatomicRegionSequence=[oops"], device)
    assert (status, "--key AnatomicRegionSequence: the value is no JSON" in printed) == (2, True)
    assert len(list((device / "data").rglob("*.dcm"))) == 1


def test_a_stream_until_it_is_stopped(device: Path) -> None:
    port = free_port()
    listening = start("exam", "acquire", "1", "--mrd-listen", str(port), "-c", device)

    def connect() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as sock:
                sock.sendall(struct.pack("<H", 4))
                return sock.recv(2) == struct.pack("<H", 4)
        except ConnectionRefusedError:
            return False

    wait_until(connect, what="an answer to CLOSE")
    np.save(device / "a.npy", np.zeros((4, 4), np.uint16))
    assert call(["exam", "acquire", "1", "a.npy"], device)[1].splitlines()[-1] == "exam 1: 1 image made"
    # Each command counts the images that it has made, whoever makes others in the exam.
    listening.send_signal(signal.SIGTERM)
    ended = finish(listening)
    assert (ended.status, ended.out) == (0, "exam 1: 0 images made\n")
    assert f"listening for MRD on 127.0.0.1:{port} for exam 1" in ended.err
