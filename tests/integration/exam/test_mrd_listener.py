"""A reconstruction that sends MRD to a device: images, refusals and what it is told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

import ismrmrd
import numpy as np
import pytest

from openmodality.acquisition.mrd_listener import MrdListener, listen
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.errors import TransportError
from openmodality.exam.session import Exam
from tests.devices import device_in_hospital
from tests.peers.process import free_port

CLOSE = struct.pack("<H", 4)


def header(patient: str) -> bytes:
    xml = f"<ismrmrdHeader><subjectInformation><patientID>{patient}</patientID></subjectInformation></ismrmrdHeader>"
    return struct.pack("<HI", 3, len(xml)) + xml.encode()


def image(value: int) -> bytes:
    made = ismrmrd.Image.from_array(np.full((1, 1, 3, 4), value, np.uint16), transpose=False)
    made.field_of_view, made.position = (40, 30, 5), (0, 0, 5 * value)
    made.read_dir, made.phase_dir, made.slice_dir = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    made.image_series_index, made.image_type = 1, 1
    packed: bytes = struct.pack("<H", 1022) + bytes(made.getHead()) + struct.pack("<Q", 0) + made.data.tobytes()
    return packed


def acquisition() -> bytes:
    made = ismrmrd.Acquisition.from_array(np.zeros((1, 8), np.complex64))
    packed: bytes = struct.pack("<H", 1008) + bytes(made.getHead()) + made.data.tobytes()
    return packed


def send(exam: Exam, messages: bytes) -> tuple[bytes, list[str]]:
    """Send messages to an exam; what comes back, and what the operator is told."""
    told: list[str] = []

    def deliver(found: Sequence[FoundSeries]) -> None:
        exam.acquire(exam.make_source(found))

    listener = MrdListener(deliver, lambda header: exam.check_identity(header.identity, "MRD stream"), told.append)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=listener.take, args=(ours,))
        thread.start()
        theirs.sendall(messages)
        theirs.shutdown(socket.SHUT_WR)
        thread.join(30)
        ours.shutdown(socket.SHUT_WR)
        answer = b""
        while part := theirs.recv(4096):
            answer += part
    return answer, told


def test_streams_of_a_reconstruction(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "T1"})
        assert send(exam, header("T1") + image(1) + image(0) + CLOSE) == (CLOSE, [])
        assert len(exam.instances()) == 2
        answer, told = send(exam, header("T1") + acquisition() + acquisition() + CLOSE)
        assert b"2 acquisitions of raw data refused" in answer
        assert answer.startswith(struct.pack("<H", 5))
        assert answer.endswith(CLOSE)
        answer, told = send(exam, header("T2") + image(1) + CLOSE)
        assert b"PatientID is not that of exam" in answer
        assert b"T2" not in answer
        assert "T2" in told[0]
        answer, told = send(exam, header("T1") + image(1)[:-4])
        assert b"within a message" in answer
        answer, told = send(exam, header("T1") + image(1))
        assert told == ["MRD stream: ended without CLOSE; what came before is taken"]
        assert len(exam.instances()) == 3
        assert len(exam.record.series) == 2


def test_a_port_that_is_taken_is_named() -> None:
    port = free_port()
    refused = pytest.raises(TransportError, match=f"cannot listen on 127.0.0.1:{port}")
    with listen("127.0.0.1", port), refused, listen("127.0.0.1", port):
        pass
