"""Today: the RIS is asked with the user's keys, and its answer is a list of its own; a RIS made of pynetdicom."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from tests.devices import today
from tests.recorded_console import RecordedConsole, recorded_console

MORE = "[parameters.worklist]\nmax_items = 3\nresponse_timeout_s = 1\n"
KEYS = {
    "mr": {
        "ScheduledStationAETitle": "STATION", "ScheduledProcedureStepStartDate": "20260101-20261231", "Modality": "CT",
        "PatientID": "P-1", "AccessionNumber": "A-1",
    },
    "rf": {
        "ScheduledStationAETitle": "STATION", "ScheduledStationName": "ROOM 7",
        "ScheduledProcedureStepLocation": "CELLAR", "ScheduledProcedureStepStartDate": "20260101-20261231",
        "Modality": "XA", "PatientID": "P-1",
    },
}  # fmt: skip
"""What an operator may set by the two statements: MR 5.2.1.3 and Table 4.2-30 of R/F."""


@pytest.fixture(scope="module", params=["mr", "rf"])
def desk(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RecordedConsole]:
    profile = request.param
    with recorded_console(tmp_path_factory.mktemp(profile), profile, more=MORE, role="operator") as made:
        yield made


@pytest.fixture(autouse=True)
def begin_anew(desk: RecordedConsole) -> None:
    desk.recorder.items = today(desk.profile, 2)
    desk.recorder.items[1].PatientName = "Roe^<b>"
    desk.recorder.forget()


def read_list(page: str) -> list[str]:
    """The items of the list by their numbers, as the page leads to them."""
    return re.findall(r'class="row-link" href="/start/(\d+)"', page)


@pytest.mark.requirement(
    "MR-2.3.1-01", "MR-2.3.1-02", "MR-2.3.2-08", "MR-2.3.2-10", "MR-2.3.2-11", "MR-5.2-01", "MR-5.2.1.1-01",
    "RF-4.1.1-04", "RF-4.1.2.3-03", "RF-4.2.3.3.1.1-01", "RF-4.2.3.3.1.1-05", "RF-4.2.3.3.1.1-06",
    "RF-4.2.3.3.1.3-01", "RF-4.2.3.3.1.3-04",
)  # fmt: skip
@pytest.mark.parametrize("pending", [0xFF00, 0xFF01])
def test_what_the_user_asks_for_comes_as_a_list_of_its_own(desk: RecordedConsole, pending: int) -> None:
    desk.recorder.pending = pending
    desk.read("/today")
    assert desk.recorder.calls == [], "nothing is asked before the user says so"
    page = desk.ask_ris()
    (call,) = desk.recorder.closed()
    assert (list(call.contexts), call.names, call.end) == ([MODALITY_WORKLIST_FIND], ["C-FIND-RQ"], "released")
    notice = page.partition('<p class="answer" role="status">')[2].partition("</p>")[0]
    assert "Answer of hospital" in notice, "the user is told that it has come"
    table = page.partition('<div id="worklist"')[2]
    numbers = read_list(table)
    assert len(numbers) == len(desk.recorder.items)
    assert read_list(page.partition('<div id="worklist"')[0]) == []
    for number, item in zip(numbers, desk.recorder.items, strict=True):
        opened = desk.read(f"/start/{number}")
        assert str(item.PatientName).replace("^", ", ") in opened
        assert f'<form method="post" action="/start/{number}"' in opened, "and is prepared from there"
        for keyword in ("PatientID", "AccessionNumber", "RequestedProcedureID"):
            assert item[keyword].value in opened
    assert "<b>" not in desk.visitor.get("/today").text
    assert desk.recorder.calls == [call], "to look asks nobody"


@pytest.mark.requirement("MR-5.2.1.3-01", "MR-5.2.1.3-02", "MR-5.2.1.3-03", "RF-4.2.3.3.1.3-11", "RF-4.2.3.3.1.3-12")
def test_the_keys_of_the_user_are_sent(desk: RecordedConsole) -> None:
    keys = KEYS[desk.profile]
    form = desk.read("/today").partition('action="/today/ask"')[2].partition("</form>")[0]
    assert set(re.findall(r'name="([A-Z]\w+)"', form)) == set(keys), "StudyInstanceUID is not among them"
    page = desk.ask_ris(**keys, StudyInstanceUID="1.2.3")
    (request,) = desk.recorder.requests("C-FIND-RQ")
    (step,) = request.data.ScheduledProcedureStepSequence
    sent = {keyword: str((step if keyword in step else request.data)[keyword].value) for keyword in keys}
    assert sent == keys
    assert not request.data.StudyInstanceUID
    for keyword in keys:
        assert f'name="{keyword}" value="{keys[keyword]}"' in page, "they are kept"
    desk.recorder.forget()
    desk.ask_ris(PatientID="P-1")
    (request,) = desk.recorder.requests("C-FIND-RQ")
    (step,) = request.data.ScheduledProcedureStepSequence
    assert (step.ScheduledStationAETitle, step.Modality) == (None, "") or not (
        step.ScheduledStationAETitle or step.Modality
    ), "emptied by the user"


@pytest.mark.requirement("MR-2.3.2-06", "RF-4.2.3.3.1.3-03")
def test_only_the_system_cancels_and_what_came_is_shown(
    desk: RecordedConsole, caplog: pytest.LogCaptureFixture
) -> None:
    desk.recorder.items = today(desk.profile, 6)
    with caplog.at_level(logging.INFO, "openmodality"):
        page = desk.ask_ris()
    (call,) = desk.recorder.closed()
    assert call.names == ["C-FIND-RQ", "C-CANCEL-RQ"]
    assert len(read_list(page)) == 3, "what came before counts"
    assert 'class="notice partial"' in page
    assert "cancel" not in re.sub(r"\(.*?\)", "", page.partition("<main")[2].partition("</main>")[0]).casefold()


@pytest.mark.requirement("RF-4.2.3.3.1.3-05", "RF-4.2.3.3.1.3-06", "RF-4.2.3.3.1.3-07")
@pytest.mark.parametrize(
    ("answer", "words"),
    [(0xA700, "A700 out of resources"), (0x0122, "0122 .*not supported"), ("silent", "1 s"), ("abort", "abort")],
)
def test_a_failure_leaves_an_empty_list_and_its_reason(
    desk: RecordedConsole, caplog: pytest.LogCaptureFixture, answer: int | str, words: str
) -> None:
    assert read_list(desk.ask_ris()) != []
    desk.recorder.forget(C_FIND=answer)
    with caplog.at_level(logging.INFO, "openmodality"):
        page = desk.ask_ris()
    assert read_list(page) == []
    assert "<tbody>" not in page
    alert = (
        page.partition('<div id="worklist"')[2].partition('class="notice bad" role="alert"')[2].partition("</div>")[0]
    )
    assert "hospital gave no worklist" in alert
    assert re.search(words, alert, re.IGNORECASE), alert
    (failed,) = (record for record in caplog.records if record.message == "worklist.failed")
    assert re.search(words, failed.__dict__["reason"], re.IGNORECASE)
    (call,) = desk.recorder.closed()
    assert call.end == ("closed" if answer == "abort" else "aborted" if desk.profile == "rf" else call.end)
    assert "/start/" not in desk.read("/today/last"), "the last list is only looked at"
