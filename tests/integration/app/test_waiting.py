"""Waiting for the queue of a device that nobody serves, which listens for the reports that it asks for."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.app.waiting import Idle
from openmodality.errors import TransportError
from openmodality.services.commitment import CommitmentRequest, CommitmentResult
from openmodality.store.states import JobKind, JobState
from tests.devices import Device, add_image, device_in_hospital
from tests.peers.process import wait_until
from tests.stand_in import Hospital, commit_what_is_there

AUTOMATIC = "automatic_commitment = true"


def make_image(modality: Modality) -> None:
    with modality.exam(patient={"PatientID": "1"}) as exam:
        add_image(exam.series("T1", ProtocolName="T1"))


def never_report(device: Device) -> list[CommitmentRequest]:
    """Let the hospital take requests and report on none; what it was asked."""
    asked: list[CommitmentRequest] = []

    def decide(hospital: Hospital, request: CommitmentRequest) -> tuple[str, CommitmentResult]:
        asked.append(request)
        return "never", CommitmentResult(request.transaction_uid)

    device.hospital.decide_commitment = decide
    return asked


def test_a_report_finds_a_device_that_nobody_serves(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device, device.modality() as modality:
        make_image(modality)
        idle = modality.wait_until_idle(20)
        assert idle
        assert str(idle) == "nothing is left to do"
        (commit,) = modality.jobs.list(kinds=[JobKind.COMMIT])
        assert commit.state is JobState.DONE


def test_what_an_earlier_process_asked_for_is_listened_for_while_waiting(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        asked = never_report(device)
        with device.modality() as modality:
            make_image(modality)
            left = modality.wait_until_idle(2)
            assert not left
            (waits,) = left.waiting_for
            assert f"HOSPITAL must call ADR_S_COMM_SCU at 127.0.0.1:{device.port}" in waits
        result = commit_what_is_there(device.hospital, asked[0])[1]
        with device.modality() as modality:
            threading.Timer(1, device.hospital.notify, [result]).start()
            assert modality.wait_until_idle(20)


def test_where_nobody_works_the_queue_it_says_so(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        make_image(modality)
        left = modality.wait_until_idle(0)
        assert left.waiting_for[-1] == "no process works the queue: openmodality serve must run"
        assert left.waiting_for[0].startswith("job ")


def test_a_request_whose_report_cannot_be_heard_is_not_sent(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        asked = never_report(device)
        with socket.create_server(("127.0.0.1", device.port)), device.modality() as modality:
            make_image(modality)
            with pytest.raises(TransportError, match="cannot listen"):
                modality.wait_until_idle(20)
            wait_until(lambda: modality.jobs.list(kinds=[JobKind.COMMIT])[0].attempts > 0)
            (commit,) = modality.jobs.list(kinds=[JobKind.COMMIT])
            assert f"cannot listen on 127.0.0.1 port {device.port}" in commit.reason
            assert asked == []


def test_an_idle_queue_is_true_and_says_what_is_left() -> None:
    assert Idle()
    assert not Idle(("job 1 (send to pacs): todo",))
    assert str(Idle(("job 1", "job 2"))) == "job 1; job 2"
