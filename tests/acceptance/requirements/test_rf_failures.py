"""R/F 4.2.x.3: what the R/F device does where a peer refuses, is silent or aborts; each on the wire and to its user."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from openmodality import Modality
from openmodality.errors import OpenModalityError, UsageError
from openmodality.jobs.job import Job
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import COMMITMENT, Recorder, recorded_device
from tests.devices import add_image
from tests.peers.process import wait_until

IMPATIENT = """
[parameters.worklist]
response_timeout_s = 1
[parameters.mpps]
create_response_timeout_s = 1
set_response_timeout_s = 1
[parameters.storage]
retry_delay_min = 0
[parameters.storage_commitment]
response_timeout_s = 1
retries = 0
"""
Answer = int | str
Device = tuple[Recorder, Modality]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """One device for all tests of this file, and its hospital, told what to answer by each of them."""
    folder = tmp_path_factory.mktemp("rf")
    with recorded_device(folder, "rf", more=IMPATIENT) as recorded, recorded.modality() as modality:
        yield recorded.recorder, modality


def row(answer: Answer, end: str, words: str, *ids: str) -> ParameterSet:
    """How a peer answers, how the association ends then, and what the user reads."""
    name = answer if isinstance(answer, str) else f"{answer:04X}"
    return pytest.param(answer, end, words, id=name, marks=pytest.mark.requirement(*ids))


@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        row(0xA700, "aborted", "A700", "RF-4.2.3.3.1.3-02"),
        row(0xA900, "aborted", "A900", "RF-4.2.3.3.1.3-02"),
        row(0xC001, "aborted", "C001", "RF-4.2.3.3.1.3-02"),
        row(0x0122, "aborted", "0122", "RF-4.2.3.3.1.3-05"),
        row("silent", "aborted", "C-FIND", "RF-4.2.3.3.1.3-06"),
        row("abort", "closed", "abort", "RF-4.2.3.3.1.3-07"),
    ],
)
def test_worklist(device: Device, caplog: pytest.LogCaptureFixture, answer: Answer, end: str, words: str) -> None:
    recorder, modality = device
    recorder.forget(C_FIND=answer)
    with caplog.at_level(logging.INFO, "openmodality"), pytest.raises(OpenModalityError, match=words):
        modality.worklist()
    (call,) = recorder.closed()
    assert call.end == end
    (failed,) = (record for record in caplog.records if record.message == "worklist.failed")
    assert words in failed.__dict__["reason"]


def has_tried_all(modality: Modality) -> bool:
    """Whether nothing is left but what is due again later, and what that holds up."""
    left = modality.jobs.list(states=[JobState.TODO, JobState.DOING, JobState.WAITING])
    held = modality.jobs.waits_for(left)
    return all(job.state is JobState.TODO and bool(job.attempts or held[job.id]) for job in left)


def examine(modality: Modality) -> str:
    """An exam with one image, all of whose jobs end; its Study Instance UID."""
    with modality.exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"}) as exam:
        add_image(exam.series("T1", ProtocolName="T1"))
    assert modality.wait_until(lambda: has_tried_all(modality), 10)
    return exam.study_instance_uid


def assert_reported(modality: Modality, job: Job, words: str) -> None:
    """The user sees the reason in the list of jobs, and the record of events keeps it."""
    assert words in job.reason
    assert any(words in change.detail for change in modality.jobs.show(job.id).history)


@pytest.mark.parametrize(("request_name", "kind"), [("N_CREATE", JobKind.MPPS_CREATE), ("N_SET", JobKind.MPPS_SET)])
@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        row(0x0110, "aborted", "0110", "RF-4.2.4.3.1.3-02"),
        row(0x0116, "aborted", "0116", "RF-4.2.4.3.1.3-03"),
        row(0x0122, "aborted", "0122", "RF-4.2.4.3.1.3-04"),
        row("silent", "aborted", "N-", "RF-4.2.4.3.1.3-05"),
        row("abort", "closed", "abort", "RF-4.2.4.3.1.3-06"),
    ],
)
def test_performed_step(device: Device, request_name: str, kind: JobKind, answer: Answer, end: str, words: str) -> None:
    recorder, modality = device
    recorder.forget(**{request_name: answer})
    examine(modality)
    job = modality.jobs.list(kinds=[kind])[0]
    assert (job.state, job.attempts) == (JobState.TODO if isinstance(answer, str) else JobState.FAILED, 1)
    assert_reported(modality, job, words)
    recorder.closed()
    (call,) = recorder.of(name=f"{request_name.replace('_', '-')}-RQ")
    assert call.end == end


@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        row(0x0110, "aborted", "0110", "RF-4.2.2.3.1.3.1-03"),
        row("silent", "aborted", "N-ACTION", "RF-4.2.2.3.1.3.1-04"),
        row("abort", "closed", "abort", "RF-4.2.2.3.1.3.1-05"),
    ],
)
def test_commitment(device: Device, answer: Answer, end: str, words: str) -> None:
    recorder, modality = device
    recorder.forget(N_ACTION=answer)
    modality.commit(examine(modality), "hospital")
    assert modality.wait_until(lambda: has_tried_all(modality), 10)
    job = modality.jobs.list(kinds=[JobKind.COMMIT])[0]
    assert job.state is JobState.FAILED
    assert_reported(modality, job, words)
    recorder.closed()
    (call,) = recorder.of(name="N-ACTION-RQ")
    assert call.end == end


@pytest.mark.requirement("RF-4.2.2.3.1.2-02", "RF-4.2.2.3.1.3.1-01")
@pytest.mark.parametrize(("configured", "accepted"), [(True, True), (True, False), (False, True)])
def test_commitment_is_asked_of_archives_that_take_it(tmp_path: Path, configured: bool, accepted: bool) -> None:
    services = ("mpps", "worklist", "storage", *(("storage_commitment",) if configured else ()))
    peer = "automatic_commitment = true" if configured else ""
    refused = () if accepted else (COMMITMENT,)
    site = recorded_device(tmp_path, "rf", peer=peer, more=IMPATIENT, services=services, refused=refused)
    with site as recorded, recorded.modality() as modality:
        recorder = recorded.recorder
        with modality.exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"}) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        wait_until(lambda: not modality.jobs.list(states=[JobState.TODO, JobState.DOING]))
        recorder.closed()
        assert any(COMMITMENT in call.contexts for call in recorder.calls) is configured
        assert bool(recorder.requests("N-ACTION-RQ")) is (configured and accepted)
        if not configured:
            with pytest.raises(UsageError, match="not configured"):
                modality.commit(exam.study_instance_uid, "hospital")
