"""Jobs: each failure of the R/F statement is told there with its meaning, by whom, and what comes next."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from openmodality.jobs.job import Job
from openmodality.store.states import UNFINISHED_JOBS, JobKind, JobState
from tests.devices import add_image
from tests.peers.process import wait_until
from tests.recorded_console import RecordedConsole, read_group, recorded_console

MORE = """
[parameters.storage]
retries = 3
[parameters.storage_commitment]
response_timeout_s = 1
retries = 0
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    with recorded_console(tmp_path_factory.mktemp("rf"), "rf", more=MORE) as made:
        yield made


@pytest.fixture(autouse=True)
def begin_anew(desk: RecordedConsole) -> Iterator[None]:
    desk.recorder.forget()
    yield
    desk.recorder.forget()
    for job in desk.modality.jobs.list(states=[*UNFINISHED_JOBS, JobState.FAILED]):
        desk.visitor.post(f"/jobs/{job.id}/cancel")
    desk.settle()


def make_images(desk: RecordedConsole, count: int = 1) -> str:
    """An exam of some images that has ended, so that they are sent; its Study Instance UID."""
    patient = {"PatientID": "7", "PatientName": "Roe^<b>"}
    with desk.modality.exam(patient=patient) as exam, exam.series("A", ProtocolName="A") as series:
        for number in range(count):
            add_image(series, number)
    return exam.study_instance_uid


def wait_for_reason(desk: RecordedConsole, kind: JobKind) -> Job:
    """The newest job of a kind, once it was tried and did not succeed."""

    def find() -> Job:
        return desk.modality.jobs.list(kinds=[kind])[0]

    assert desk.modality.wait_until(lambda: bool(find().reason) and find().state is not JobState.DOING, 20)
    return find()


def read_line(desk: RecordedConsole, job: Job) -> str:
    """The line of a job under Jobs, in the group of those that need a person or in that of those that wait."""
    title = "Needs you" if job.state is JobState.FAILED else "Waits"
    return read_group(desk.read("/jobs"), title).partition(f"job {job.id}<")[2].partition("</tr>")[0]


def row(answer: int | str, words: str, *ids: str) -> ParameterSet:
    name = answer if isinstance(answer, str) else f"{answer:04X}"
    return pytest.param(answer, words, id=name, marks=pytest.mark.requirement(*ids))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        row(0xA700, "A700 out of resources", "RF-4.2.1.3.1.3-02"),
        row(0xA900, "A900 data set does not match its SOP class", "RF-4.2.1.3.1.3-03"),
        row(0xC000, "C000 peer cannot understand", "RF-4.2.1.3.1.3-04"),
        row(0x0122, "0122 .*not supported", "RF-4.2.1.3.1.3-06"),
        row("abort", "abort", "RF-4.2.1.3.1.3-08"),
    ],
)
def test_why_a_send_job_failed_is_told(
    desk: RecordedConsole, caplog: pytest.LogCaptureFixture, answer: int | str, words: str
) -> None:
    desk.recorder.forget(C_STORE=answer)
    with caplog.at_level(logging.INFO, "openmodality"):
        make_images(desk, 2)
        job = wait_for_reason(desk, JobKind.SEND)
    line = read_line(desk, job)
    for shown in ("hospital", "Roe, <b>", '<span class="state bad">'):
        assert shown in line
    assert re.search(words, line), line
    assert ("attempt 2 of 4" in line) is (job.state is JobState.TODO), "it is tried again where that helps"
    if answer == 0xA700:
        assert job.state is JobState.TODO, "the failure is transient"
    assert re.search(words, desk.read(f"/jobs/{job.id}").partition('class="history"')[2])
    logged = [str(record.__dict__.get("reason", "")) for record in caplog.records if "job" in record.message]
    assert any(re.search(words, reason) for reason in logged), logged
    desk.recorder.closed()
    for call in desk.recorder.of(name="C-STORE-RQ"):
        assert call.end == ("closed" if answer == "abort" else "aborted")
        assert call.names.count("C-STORE-RQ") == 1, "none is sent after it"
    assert "<b>" not in desk.visitor.get("/jobs").text


def test_an_exam_and_its_study_lead_to_what_failed_of_them(desk: RecordedConsole) -> None:
    desk.recorder.forget(C_STORE=0xA900)
    study = make_images(desk)
    job = wait_for_reason(desk, JobKind.SEND)
    assert job.state is JobState.FAILED
    assert "1 job failed, 1 to do" in desk.read("/status")
    (other,) = desk.modality.jobs.list(states=UNFINISHED_JOBS)
    desk.visitor.post(f"/jobs/{other.id}/cancel")
    wait_until(lambda: "to do" not in desk.read("/status"), what="nothing left that goes on by itself")
    exam = desk.modality.exams()[0]
    assert exam.study_instance_uid == study
    places = (f"/exam/{exam.id}", f"/images/study/{study}")
    for place in places:
        said = desk.read(place).partition("failed-jobs")[2].partition("</p>")[0]
        assert "1 job failed, and waits for somebody" in said
        assert f'href="/jobs/{job.id}"' in said
        assert f"job {job.id}" in said
    desk.recorder.forget()
    desk.visitor.post(f"/jobs/{job.id}/retry")
    desk.settle()
    assert not any("failed-jobs" in desk.read(place) for place in places)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        row("silent", "within 1 s while waiting for the response to N-ACTION-RQ", "RF-4.2.2.3.1.3.1-04"),
        row("abort", "abort", "RF-4.2.2.3.1.3.1-05"),
    ],
)
def test_why_nobody_promised_to_keep_images_is_told(desk: RecordedConsole, answer: str, words: str) -> None:
    study = make_images(desk)
    desk.wait_for("C-STORE-RQ")
    desk.recorder.forget(N_ACTION=answer)
    desk.visitor.post(f"/images/study/{study}/commit", peer="hospital")
    job = wait_for_reason(desk, JobKind.COMMIT)
    assert job.state is JobState.FAILED
    line = read_line(desk, job)
    assert re.search(words, line), line
    assert "It waits for you: try again" in line
    desk.recorder.closed()
    (call,) = desk.recorder.of(name="N-ACTION-RQ")
    assert call.end == ("closed" if answer == "abort" else "aborted")
    desk.recorder.forget()
    desk.visitor.post(f"/jobs/{job.id}/retry")
    assert desk.wait_for("N-ACTION-RQ"), "the user has it tried again"


@pytest.mark.requirement("RF-4.1.2.8-01")
def test_the_user_looks_whether_a_peer_is_there_after_an_error(desk: RecordedConsole) -> None:
    desk.recorder.forget(C_STORE="abort", C_ECHO=0x0122)
    make_images(desk)
    wait_for_reason(desk, JobKind.SEND)
    assert "not asked yet" in desk.read("/peers")
    desk.visitor.post("/peers/hospital/echo")
    assert re.search("0122 .*not supported", desk.read("/peers"))
    desk.recorder.forget()
    desk.visitor.post("/peers/hospital/echo")
    assert [call.names for call in desk.recorder.closed()] == [["C-ECHO-RQ"]]
    assert "answered in" in desk.read("/peers")
