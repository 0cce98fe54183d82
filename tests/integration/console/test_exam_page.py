"""Exam: it starts and ends by what the user does, and the RIS, which is made of pynetdicom, is told of both."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from openmodality.store.states import JobKind, JobState
from tests.devices import add_image, today
from tests.recorded_console import RecordedConsole, read_group, recorded_console

MORE = """
[parameters.mpps]
create_response_timeout_s = 1
set_response_timeout_s = 1
"""


@pytest.fixture(scope="module", params=["mr", "rf"])
def desk(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RecordedConsole]:
    folder = tmp_path_factory.mktemp(request.param)
    settings = 'identity_check = "off"'
    with recorded_console(folder, request.param, more=MORE, console=settings, role="operator") as made:
        yield made


@pytest.fixture(autouse=True)
def begin_anew(desk: RecordedConsole) -> None:
    desk.settle()
    desk.recorder.forget()
    number = len(desk.modality.exams()) + 1
    desk.recorder.items = today(desk.profile, 1, patient_id=f"P-{number}")
    desk.recorder.items[0].AccessionNumber = f"A-{number}"
    desk.ask_ris()
    desk.recorder.forget()


def start(desk: RecordedConsole) -> str:
    """Choose the item of the list, and start; where that leads."""
    (number,) = re.findall(r'href="/start/(\d+)"', desk.read("/today"))
    return desk.start(int(number))


def make_image(desk: RecordedConsole, exam: str) -> None:
    """An image, as a scanner hands it over."""
    with desk.modality.find_exam(int(exam.rpartition("/")[2])).series("A", ProtocolName="A") as series:
        add_image(series)


@pytest.mark.requirement(
    "MR-2.3.1-03", "MR-2.4.1-01", "MR-5.2.1.1-02", "MR-6.1.1-01", "MR-6.2-01", "MR-6.2.1.1-01", "MR-6.2.1.1-02",
    "MR-6.2.1.1-03", "RF-4.1.1-06", "RF-4.1.1-07", "RF-4.1.2.4-01", "RF-4.1.2.4-02", "RF-4.2.3.3.1.1-06",
    "RF-4.2.4.3.1.1-01",
)  # fmt: skip
def test_the_step_begins_by_itself_and_ends_only_by_the_user(desk: RecordedConsole) -> None:
    exam = start(desk)
    (created,) = desk.wait_for("N-CREATE-RQ")
    item = desk.recorder.items[0]
    assert (created.data.PatientID, created.data.PerformedProcedureStepStatus) == (item.PatientID, "IN PROGRESS")
    asked = [request.data.StudyInstanceUID for request in desk.recorder.requests("C-FIND-RQ")]
    assert asked == ([item.StudyInstanceUID] if desk.profile == "mr" else []), "MR looks at this one item again"
    make_image(desk, exam)
    desk.settle()
    assert desk.recorder.requests("N-SET-RQ") == []
    assert "Complete the exam" in desk.read(exam)
    desk.visitor.post(f"{exam}/complete")
    (ended,) = desk.wait_for("N-SET-RQ")
    assert ended.data.PerformedProcedureStepStatus == "COMPLETED"
    assert len(ended.data.PerformedSeriesSequence) == 1
    assert desk.modality.wait_until(lambda: desk.read(exam).count("was told") == 2, 20)
    desk.visitor.post(f"{exam}/append")
    assert len(desk.wait_for("N-CREATE-RQ", 2)) == 2, "a further step"
    desk.visitor.post(f"{exam}/discontinue", reason="110513")
    assert desk.wait_for("N-SET-RQ", 2)[1].data.PerformedProcedureStepStatus == "DISCONTINUED"


@pytest.mark.requirement("MR-2.4.1-02", "MR-6.1.1-01", "RF-4.1.1-06")
def test_of_who_was_registered_the_first_image_begins_the_step(desk: RecordedConsole) -> None:
    typed = {"PatientID": "P", "PatientName": "Roe, Ann", "BodyPartExamined": "HEAD" if desk.profile == "rf" else ""}
    exam = desk.visitor.post("/register", **typed).headers["location"]
    assert "Nobody is told: no performed step has begun." in desk.read(exam)
    desk.settle()
    assert desk.recorder.requests("N-CREATE-RQ") == []
    make_image(desk, exam)
    (created,) = desk.wait_for("N-CREATE-RQ")
    assert created.data.PatientID == "P"
    desk.visitor.post(f"{exam}/complete")
    desk.wait_for("N-SET-RQ")


@pytest.mark.requirement("MR-2.3.1-04")
@pytest.mark.parametrize("desk", ["mr"], indirect=True)  # the R/F device looks at an item once
@pytest.mark.parametrize(("happened", "words"), [("changed", "PatientBirthDate"), ("gone", "no longer")])
def test_an_item_that_is_not_as_it_was_is_told_and_the_user_decides(
    desk: RecordedConsole, happened: str, words: str
) -> None:
    (number,) = re.findall(r'href="/start/(\d+)"', desk.read("/today"))
    before = len(desk.modality.exams())
    if happened == "gone":
        desk.recorder.items = []
    else:
        desk.recorder.items[0].PatientBirthDate = "19711231"
    answer = desk.visitor.post(f"/start/{number}", operator="Roe^R")
    assert answer.status_code == 409
    assert words in answer.text
    assert "Start all the same" in answer.text
    assert len(desk.modality.exams()) == before
    exam = desk.start(int(number), accepts="yes")
    desk.wait_for("N-CREATE-RQ")
    desk.visitor.post(f"{exam}/discontinue", reason="110513")


@pytest.mark.requirement(
    "RF-4.2.4.3.1.3-02", "RF-4.2.4.3.1.3-03", "RF-4.2.4.3.1.3-04", "RF-4.2.4.3.1.3-05", "RF-4.2.4.3.1.3-06"
)
@pytest.mark.parametrize("desk", ["rf"], indirect=True)  # whose statement has these words
@pytest.mark.parametrize("request_name", ["N_CREATE", "N_SET"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0x0110, "0110 processing failure"), (0x0116, "0116"), (0x0122, "0122 Refused: SOP Class not supported"),
        ("silent", "within 1 s"), ("abort", "abort"),
    ],
)  # fmt: skip
def test_why_the_ris_was_not_told_is_reported(
    desk: RecordedConsole, request_name: str, answer: int | str, words: str
) -> None:
    desk.recorder.forget(**{request_name: answer})
    exam = start(desk)
    make_image(desk, exam)
    desk.visitor.post(f"{exam}/complete")
    kind = JobKind.MPPS_CREATE if request_name == "N_CREATE" else JobKind.MPPS_SET
    assert desk.modality.wait_until(lambda: bool(desk.modality.jobs.list(kinds=[kind])[0].reason), 20)
    job = desk.modality.jobs.list(kinds=[kind])[0]
    told = desk.read(exam).partition("What the RIS knows")[2].partition("</ul>")[0]
    assert words.casefold() in told.casefold()
    assert ("could not be told" in told) is (job.state is JobState.FAILED)
    group = "Needs you" if job.state is JobState.FAILED else "Waits"
    line = read_group(desk.read("/jobs"), group).partition(f"job {job.id}<")[2].partition("</tr>")[0]
    assert words.casefold() in line.casefold()
    assert '<span class="state bad">' in line
    assert job.state is (JobState.TODO if isinstance(answer, str) else JobState.FAILED)
    history = desk.read(f"/jobs/{job.id}").partition('class="history"')[2]
    assert words.casefold() in history.casefold()
    desk.recorder.closed()
    (call,) = desk.recorder.of(name=f"{request_name.replace('_', '-')}-RQ")
    assert call.end == ("closed" if answer == "abort" else "aborted")
    desk.modality.jobs.cancel(job.id)
