"""What the pages say: view data of a device that runs, without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from openmodality.console.memory import Asked
from openmodality.console.pages.jobs import describe_standing, make_line, make_row
from openmodality.console.pages.shell import describe_age, make_local
from openmodality.console.pages.words import describe_attribute, describe_count
from openmodality.console.server import ConsoleServer
from openmodality.jobs.job import Job, JobInstance, RetryParameters
from openmodality.standard.tags import PATIENT_NAME
from openmodality.store.rows.worklist import keep_items
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.console_site import ConsolePlace, Visitor, console_in_hospital
from tests.devices import add_image, device_in_hospital, today
from tests.peers.objects import mr_series
from tests.stand_in import scheduled


def job(state: JobState, number: int = 7, **values: Any) -> Job:
    common = dict.fromkeys(("order_key", "due_at", "started_at", "finished_at", "cancelled_after"), None)
    row: dict[str, Any] = {
        "id": number,
        "kind": JobKind.SEND,
        "state": state,
        "destination": "pacs",
        "parameters": {},
        **common,
    }
    more = {
        "retry": RetryParameters(10, 300),
        "attempts": 0,
        "waiting_for": "",
        "reason": "",
        "cancel_requested": False,
    }
    return Job(**{**row, **more, "created_at": 1_000_000.0, **values})


@pytest.mark.parametrize(
    ("given", "held_by", "why", "then"),
    [
        (job(JobState.TODO), [], "", "as soon as it is its turn"),
        (job(JobState.TODO), [job(JobState.DOING, 3)], "Job 3 comes before it", "when job 3 is done"),
        (job(JobState.TODO), [job(JobState.DOING, 3), job(JobState.FAILED, 4)], "Job 4 before it failed", "look at"),
        (
            job(JobState.TODO, attempts=2, due_at=1_000_300.0, reason="A700 Out of resources"),
            [],
            "A700 Out of resources",
            "attempt 3 of 11",
        ),
        (job(JobState.TODO, attempts=2, due_at=1.0, retry=RetryParameters(0)), [], "", "until it is done"),
        (job(JobState.WAITING, waiting_for="the report of pacs", due_at=5.0), [], "the report", "Looked at again at"),
        (job(JobState.FAILED, reason="0122 SOP class not supported"), [], "0122 SOP class", "It waits for you"),
        (job(JobState.DONE), [], "", ""),
    ],
)  # fmt: skip
def test_a_job_says_why_it_is_where_it_is_and_what_comes_next(
    given: Job, held_by: list[Job], why: str, then: str
) -> None:
    said = describe_standing(given, held_by)
    assert why in said[0]
    assert then in said[1]


@pytest.mark.parametrize(
    ("given", "others", "then"),
    [
        (job(JobState.FAILED), ["other"], "It waits for you: try again, send it elsewhere, or cancel it."),
        (job(JobState.FAILED), [], "It waits for you: try again, or cancel it."),
        (
            job(JobState.FAILED, kind=JobKind.PRINT, parameters={"uncertain": 2}),
            ["other"],
            "It waits for you: say what became of the sheet, or cancel it.",
        ),
    ],
)
def test_a_failed_job_offers_what_can_be_done_about_it(given: Job, others: list[str], then: str) -> None:
    assert describe_standing(given, (), others)[1] == then


def test_a_status_is_never_a_bare_code() -> None:
    refused = make_line(JobInstance("1.2", "1.2.3", InstanceResult.FAILURE, 0xA700, "", 1))
    assert refused.said.startswith("A700")
    assert len(refused.said) > len("A700 ")
    assert make_line(JobInstance("1.2", "1.2.3", InstanceResult.FAILURE, None, "no answer")).said == "no answer"
    said = "ris answered N-SET with 0112 No such SOP Instance: not done"
    assert make_line(JobInstance("1.2", "1.2.3", InstanceResult.FAILURE, 0x0112, said, 1)).said == said


def test_what_can_be_done_about_a_job() -> None:
    results = dict.fromkeys(InstanceResult, 0) | {InstanceResult.SUCCESS: 2, InstanceResult.FAILURE: 1}
    failed = make_row(job(JobState.FAILED), results, ("", ""), "")
    assert (failed.what, failed.done, failed.total, failed.failed) == ("Send 3 instances", 2, 3, 1)
    assert (failed.can_retry, failed.can_cancel, failed.level) == (True, True, "bad")
    done = make_row(job(JobState.DONE), results, ("", ""), "")
    assert (done.can_retry, done.can_cancel) == (False, False)
    ending = make_row(job(JobState.DOING, cancel_requested=True), results, ("", ""), "")
    assert ending.state == "to be cancelled"
    assert failed.failed_word == "failed"
    disc = make_row(job(JobState.DONE, kind=JobKind.MEDIA), results, ("", ""), "")
    assert disc.failed_word == "left out", "a disc that is done has left out what its profile does not take"


def test_pages_say_counts_attributes_and_ages_in_words() -> None:
    assert (describe_count(1, "image"), describe_count(1200, "image")) == ("1 image", "1,200 images")
    assert describe_attribute(PATIENT_NAME) == "Patient's Name"
    today = date(2026, 11, 29)
    ages = [describe_age(born, today) for born in ("19691226", "19691129", "20260829", "20270101", "1969", "")]
    assert ages == ["56 years", "57 years", "3 months", "", "", ""]
    assert [make_local(path) for path in ("/jobs", "//x", "/\\x", "x", "/a\n")] == ["/jobs", "/", "/", "/", "/"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("pages"), settings='identity_check = "confirm"') as started:
        started.add_user("anna", "senior")
        started.add_user("view", "viewer")
        yield started


@pytest.fixture(scope="module")
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def test_the_keys_that_were_sent_are_shown_and_kept(place: ConsolePlace, anna: Visitor) -> None:
    page = anna.get("/today").text
    assert 'name="StudyInstanceUID"' not in page, "the operator cannot set it"
    item = place.modality.worklist()[0]
    anna.post("/today/ask", PatientID=item["PatientID"], Modality="MR")
    page = anna.get("/today").text
    assert f'name="PatientID" value="{item["PatientID"]}"' in page
    assert f'<span class="label">Patient ID</span> <bdi>{item["PatientID"]}</bdi>' in page
    assert page.count('href="/start/') == 1
    anna.post("/today/ask", Modality="CT")
    assert "Nothing is scheduled that fits these keys" in anna.get("/today").text
    anna.client.headers["hx-request"] = "true"
    answer = anna.post("/today/ask", Modality="CT")
    del anna.client.headers["hx-request"]
    assert answer.headers["hx-trigger"] == "om-contact", "the status bar is drawn anew"


def test_a_list_that_is_cut_off_says_so_and_shows_what_came(place: ConsolePlace, anna: Visitor) -> None:
    context = place.server.context
    numbers = [item.id for item in place.modality.worklist()]
    context.memory.note_asked(Asked(1.0, "ris", {}, numbers, ["there are more items than are taken"]))
    page = anna.get("/today").text
    assert "There are more items than are taken." in page
    assert page.count('href="/start/') == len(numbers)


def test_a_long_list_comes_in_steps(place: ConsolePlace, anna: Visitor) -> None:
    with place.modality.database.write() as transaction:
        found = [(scheduled(number, name=f"Doe^Number {number}"), ()) for number in range(1, 121)]
        items = keep_items(transaction, "long", found, whole=True)
    place.server.context.memory.note_asked(Asked(1.0, "ris", {}, [item.id for item in items]))
    starts = [f"/start/{item.id}" for item in items]

    def list_starts(path: str) -> list[str]:
        return re.findall(r"/start/\d+", anna.get(path).text)

    page = anna.get("/today").text
    assert list_starts("/today") == starts[:50]
    assert "120 items" in page
    assert "Show 50 more" in page
    assert list_starts("/today/rows?shown=100") == starts[50:100]
    assert "Show 20 more" in anna.get("/today/rows?shown=100").text
    assert list_starts("/today/rows?shown=120") == starts[100:]
    assert "more</a>" not in anna.get("/today/rows?shown=120").text
    assert list_starts("/today/list?shown=120") == starts, "what is drawn anew is as long as it was"
    assert list_starts("/today?shown=-7") == starts[:50]
    assert list_starts("/today/rows?shown=100&find=Number+1") == list_starts("/today?find=Number+1")[50:]
    assert anna.get("/today?shown=many").status_code == 404
    old = anna.get("/today/last/rows?shown=100").text
    assert "/start/" not in old
    assert old.count("<tr>") > 50


def test_who_may_only_look_starts_nothing(place: ConsolePlace) -> None:
    viewer = place.log_in("view")
    item = place.modality.worklist()[0].id
    place.server.context.memory.note_asked(Asked(1.0, "ris", {}, [item]))
    assert "/start/" not in viewer.get("/today").text
    page = viewer.get(f"/start/{item}").text
    assert "Start the exam" not in page
    assert "Emergency exam" not in viewer.get("/today").text


def test_an_exam_starts_only_when_the_operator_has_looked(place: ConsolePlace, anna: Visitor) -> None:
    item = place.modality.worklist()[-1]
    answer = anna.post(f"/start/{item.id}", operator="")
    assert answer.status_code == 400
    assert "I have compared" in answer.text
    assert place.modality.exams() == []


def test_an_exam_with_unsent_images_says_so_and_a_study_says_why_it_stays(place: ConsolePlace, anna: Visitor) -> None:
    with place.modality.start_exam(patient={"PatientID": "X1", "PatientName": "Doe^Jane"}) as exam:
        series = exam.series("T1")
        add_image(series)
        page = anna.get(f"/exam/{exam.id}").text
        assert "1 instance of 1 not sent to pacs yet" in page
        assert "It may not be deleted now" in anna.get(f"/images/study/{exam.study_instance_uid}").text
        anna.post(f"/images/study/{exam.study_instance_uid}/delete", force="yes")
        assert place.modality.studies() != []
        assert "Doe, Jane" in anna.get("/peers").text, "the patient is on every page"
    assert place.modality.wait_until_idle(30)
    picture = anna.get(f"/images/instance/{exam.instances()[0].SOPInstanceUID}/thumbnail")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert anna.client.get(picture.url, headers={"if-none-match": picture.headers["etag"]}).status_code == 304
    found = anna.get("/images?find=doe").text
    assert found.count('class="row-link"') == 1
    assert "Nothing on this device fits" in anna.get("/images?find=nobody").text


def test_jobs_are_controlled(place: ConsolePlace, anna: Visitor) -> None:
    with place.modality.start_exam(patient={"PatientID": "X2", "PatientName": "Roe^Ann"}) as exam:
        add_image(exam.series("T1"))
    assert place.modality.wait_until_idle(30)
    of_archive = anna.get("/status").text.partition("Archive pacs")[2].partition("</a>")[0]
    assert "answered" in of_archive, "a job that an archive has done is an answer of it"
    done = place.modality.jobs.list(kinds=[JobKind.SEND])[0].id
    assert anna.post(f"/jobs/{done}/cancel").status_code == 303
    assert "notice bad" in anna.get(f"/jobs/{done}").text, "a job that is done is not cancelled, and that is said"
    assert "Roe, Ann" in anna.get("/jobs").text
    study = (
        anna.get(f"/images/study/{exam.study_instance_uid}").text.partition("<dt>Sent</dt>")[2].partition("</dl>")[0]
    )
    assert re.findall(r"(\d+ of \d+)<", study) == ["1 of 1", "1 of 1"], "sent, and committed"


def test_uncommitted_images_need_a_tick(place: ConsolePlace, anna: Visitor, tmp_path: Path) -> None:
    place.modality.import_files(mr_series(tmp_path / "made", 2))
    (study,) = place.modality.studies(PatientID="TEST-0001")
    url = f"/images/study/{study['StudyInstanceUID']}"
    assert "Delete them all the same" in anna.get(url).text
    anna.post(f"{url}/delete")
    assert "2 of its 2 instances are not committed" in anna.get(url).text
    anna.post(f"{url}/delete", force="yes")
    assert "Deleted: 2 instances" in anna.get("/images").text
    assert anna.get(url).status_code == 404


def test_what_the_ris_says_otherwise_must_be_confirmed(tmp_path: Path) -> None:
    items = today("mr")
    with device_in_hospital(tmp_path, "mr", items) as device, device.modality() as modality, ExitStack() as clients:
        server = clients.enter_context(ConsoleServer(modality))
        at = ConsolePlace(None, device.site, modality, server, clients)  # type: ignore[arg-type]
        at.add_user("anna", "operator")
        anna = at.log_in("anna")
        (item,) = modality.worklist()
        items[0].PatientBirthDate = "19711231"
        given = {"second": "1970", "operator": "anna", "body_part": ""}
        answer = anna.post(f"/start/{item.id}", **given)
        assert answer.status_code == 409
        assert "The RIS says otherwise now" in answer.text
        assert "PatientBirthDate" in answer.text
        assert "1971-12-31" in answer.text, "as it is now"
        assert 'value="1970"' in answer.text, "what was typed is kept"
        assert modality.exams() == []
        again = anna.post(f"/start/{item.id}", **{**given, "second": "1971", "accepts": "yes"})
        assert again.headers["location"] == "/exam/1"
