"""Archive in Chromium: asked, sent and kept by mouse, then by keyboard alone; an archive that is away."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from openmodality import Modality
from openmodality.console.server import ConsoleServer
from openmodality.store.states import JobKind, JobState
from tests.acceptance.console.visits import check, log_in, press_place
from tests.console_site import ConsolePlace, console_in_hospital
from tests.devices import add_image

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


def make_study(place: ConsolePlace, images: int) -> str:
    """An exam whose images the archive has, and this device no longer: its Study Instance UID."""
    modality = place.modality
    with modality.start_exam(modality.worklist()[0]) as exam, exam.series("T1 <b>") as series:
        for number in range(images):
            add_image(series, number)
    assert modality.wait_until_idle(60)
    modality.delete("STUDY", exam.study_instance_uid)
    return exam.study_instance_uid


@pytest.mark.requirement(
    "MR-2.1.2-14", "MR-2.1.2-15", "MR-3.2.1.1-01", "MR-3.2.2.1-01", "MR-3.2.2.1-02", "MR-3.2.2.1-03", "MR-3.1.1-01"
)
def test_an_archive_by_mouse_and_by_keyboard(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        study, modality = make_study(place, 3), place.modality
        watched = log_in(context, place, "anna", "senior")
        page = watched.page
        page.get_by_role("link", name="Archive", exact=True).click()
        expect(page.locator("#archive")).to_contain_text("Nothing was asked for yet")
        check(watched, place)
        page.get_by_role("button", name="Query", exact=True).click()
        expect(page.locator("#key-error")).to_contain_text("Give a name")
        assert watched.find_violations() == []
        page.get_by_label("Patient's Name").fill("*")
        page.get_by_role("button", name="Query", exact=True).click()
        expect(page.locator("#archive .answer")).to_contain_text("Answer of pacs")
        expect(page.locator(".level-2")).to_contain_text("none")
        page.get_by_role("button", name="Series").click()
        expect(page.locator(".level-3 .tick")).to_contain_text("T1 <b>")
        check(watched, place)
        page.locator(".level-1 input").check()
        expect(page.locator(".level-2 input")).to_be_checked()
        expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
        assert page.get_by_label("Let pacs send to").locator("option").all_text_contents()[0] == "this device"
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#notes")).to_contain_text("Queued: job")
        expect(page.locator("#moves")).to_contain_text("3 of 3 sent to OM_MR")  # without a reload
        expect(page.locator("#moves tbody td:nth-child(5)")).to_have_text("3")
        expect(page.locator(".level-2 td").last).to_have_text("3")  # nor in the list
        check(watched, place)
        assert modality.studies()[0]["StudyInstanceUID"] == study

        ask_by_keyboard(page, "this device", "*")
        expect(page.locator("#archive .answer")).to_contain_text("Answer of this device")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("button", name="Series")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        expect(page.locator(".level-2 input")).to_be_checked()
        page.get_by_label("Storage commitment by").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#notes")).to_contain_text("asked to keep it for good")
        assert modality.wait_until_idle(30)
        assert [job.state for job in modality.jobs.list(kinds=[JobKind.COMMIT], limit=1)] == [JobState.DONE]

        press_place(watched, "Jobs")
        expect(page.locator(".group.finished")).to_contain_text("Retrieve")
        assert watched.wrong == []


def ask_by_keyboard(page: Page, source: str, name: str) -> None:
    """Choose where to look, give a name, and ask."""
    page.get_by_label("Look in").focus()
    page.keyboard.type(source)
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type(name)
    page.keyboard.press("Control+Enter")


def test_an_archive_that_is_away_is_told_at_once(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as before:
        pass
    with Modality(before.site) as modality, ConsoleServer(modality) as server, ExitStack() as clients:
        modality.serve()
        place = replace(before, modality=modality, server=server, clients=clients)
        watched = log_in(context, place, "anna", "operator")
        page = watched.page
        press_place(watched, "Archive")
        expect(page.locator("#moves")).to_contain_text("No archive was asked")
        ask_by_keyboard(page, "pacs", "*")
        expect(page.locator("#archive [role=alert]")).to_contain_text("pacs gave no list")
        expect(page.locator("#status")).to_contain_text("cannot be reached")
        check(watched, place)
        modality.queue_retrieve("1.2.3", "pacs")
        expect(page.locator("#moves .state.bad")).to_have_text("failed")
        expect(page.locator("#moves .why")).to_contain_text("It waits for you")
        check(watched, place)
