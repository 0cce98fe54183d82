"""The console in Chromium: an exam by mouse on one device, by keyboard alone on the other, and what goes wrong."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from pydicom import Dataset

from openmodality import Modality
from openmodality.console.server import ConsoleServer
from openmodality.standard.performed_step import StepStatus
from tests.acceptance.console.visits import check, log_in, press_place
from tests.console_site import ConsolePlace, console_in_hospital
from tests.devices import quick_source
from tests.peers.browser import Watched

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


def record_queries(place: ConsolePlace) -> list[Dataset]:
    """The identifiers that the RIS is asked with from now on."""
    asked: list[Dataset] = []
    find = place.hospital.ris.find

    def find_and_record(identifier: Dataset) -> list[Dataset]:
        asked.append(identifier)
        return find(identifier)

    place.hospital.ris.find = find_and_record  # type: ignore[method-assign]
    return asked


@pytest.mark.requirement("MR-2.3.1-02", "MR-2.3.2-10", "MR-5.2.1.3-03")
def test_an_exam_by_mouse(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        watched = log_in(context, place, "anna", "senior", checks_login=True)
        page = watched.page
        expect(page.locator("#worklist")).to_contain_text("Nobody has asked the RIS")
        check(watched, place)
        assert page.locator("[name=StudyInstanceUID]").count() == 0, "a key that the operator cannot set"
        asked = record_queries(place)
        page.get_by_role("button", name="Ask the RIS").click()
        expect(page.locator("#worklist .answer[role=status]")).to_contain_text("Answer of ris")
        assert page.locator("#worklist tbody tr").count() == len(place.modality.worklist_items()) > 2
        check(watched, place)
        item = place.modality.worklist_items()[0]
        page.locator("#worklist .row-link").first.click()
        expect(page.get_by_role("heading", name="Check and start")).to_be_visible()
        expect(page.locator("#banner .pill")).to_have_text("NOT STARTED")
        check(watched, place)

        page.get_by_label("Year of birth").fill("1800")
        page.get_by_label("Operator").fill("ROE^RICHARD")
        page.get_by_role("button", name="Start the exam").click()
        expect(page.locator("#second-error")).to_contain_text("not what the worklist has")
        expect(page.get_by_label("Operator")).to_have_value("ROE^RICHARD")
        assert place.modality.exams() == [], "nothing was started"
        assert watched.find_violations() == []
        page.get_by_label("Year of birth").fill(item["PatientBirthDate"][:4])
        page.get_by_role("button", name="Start the exam").click()
        expect(page.locator("#exam")).to_contain_text("No image yet")
        assert [query.StudyInstanceUID for query in asked] == ["", item["StudyInstanceUID"]], "the device sets it"
        expect(page.get_by_role("button", name="Complete the exam")).to_have_count(0)
        check(watched, place)

        place.modality.find_exam(1).acquire(quick_source("mr"))
        expect(page.locator(".strip img")).to_have_count(2)  # without a reload
        assert page.locator(".strip img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        expect(page.locator(".says").first).to_contain_text("ris is told that the step is COMPLETED, with 1 series")
        check(watched, place)
        page.get_by_role("button", name="Complete the exam").click()
        expect(page.locator("#notes")).to_contain_text("Exam 1 is completed")
        assert place.modality.wait_until_idle(30)
        expect(page.locator(".reports")).to_contain_text("COMPLETED")
        expect(page.locator(".reports .state").last).to_have_text("was told")
        check(watched, place)
        assert [step.status for step in place.hospital.ris.steps] == [StepStatus.COMPLETED]
        look_around(watched, place, item["PatientID"])


def look_around(watched: Watched, place: ConsolePlace, patient_id: str) -> None:
    """The other places after the exam, and the deletion of what an archive has promised to keep."""
    page = watched.page
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.locator(".group.finished")).to_contain_text("Send 2 instances")
    expect(page.locator(".group.finished")).to_contain_text(patient_id)
    check(watched, place)
    page.locator(".group.finished .row-link").last.click()
    expect(page.locator(".history")).to_contain_text("done")
    check(watched, place)
    page.get_by_role("link", name="Images", exact=True).click()
    check(watched, place)
    page.locator(".row-link").click()
    check(watched, place)
    page.get_by_text("Delete…").click()
    expect(page.get_by_text("An archive has promised to keep all of it.")).to_be_visible()
    page.get_by_role("button", name="Delete from this device").click()
    expect(page.locator("#notes")).to_contain_text("Deleted: 2 instances")
    assert place.modality.studies() == []
    page.get_by_role("link", name="Peers", exact=True).click()
    page.get_by_role("button", name="Echo pacs").click()
    expect(page.locator("#peers")).to_contain_text("answered in")
    check(watched, place)
    page.get_by_role("link", name="Account", exact=True).click()
    check(watched, place)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_an_exam_by_keyboard_alone(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, "rf") as place:
        watched = log_in(context, place, "bob", "operator", checks_login=True)
        page, keys = watched.page, watched.page.keyboard
        keys.press("Control+Enter")
        expect(page.locator("#worklist .answer")).to_be_visible()
        item = place.modality.worklist_items()[1]
        keys.press("/")
        expect(page.locator("#find")).to_be_focused()
        keys.type(item["PatientID"])
        keys.press("Enter")  # as a scanner of wristbands does
        expect(page.locator("#second")).to_be_focused()
        expect(page.locator("section.who > .name")).to_be_visible()
        keys.type(item["PatientID"][-3:])
        keys.press("Control+Enter")
        expect(page.locator("#body-error")).to_contain_text("Choose the body part")
        expect(page.locator("#body-part")).to_be_focused()
        keys.type("ABD")
        keys.press("Control+Enter")
        expect(page.locator("#exam")).to_be_visible()
        exam = place.modality.find_exam(1)
        exam.acquire(quick_source("rf"))
        expect(page.locator(".strip img").first).to_be_visible()
        press_place(watched, "Jobs")
        expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
        keys.press("ArrowDown")
        expect(page.locator(".row-link").first).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        keys.press("Escape")
        expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
        keys.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert watched.find_violations() == []
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        press_place(watched, "Exam")
        expect(page.get_by_role("button", name="Complete the exam")).to_be_visible()
        keys.press("Control+Enter")
        expect(page.locator("#notes")).to_contain_text("Exam 1 is completed")
        assert place.modality.wait_until_idle(30)
        assert [step.status for step in place.hospital.ris.steps] == [StepStatus.COMPLETED]
        assert watched.wrong == []


def test_a_page_that_hears_nothing_is_grey_and_starts_nothing(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        watched = log_in(context, place, "anna", "senior")
        page = watched.page
        place.server.close()
        expect(page.locator("#stale")).to_be_visible()
        expect(page.locator("body")).to_have_class("stale")
        button = page.get_by_role("button", name="Emergency exam")
        expect(button).to_have_attribute("aria-disabled", "true")
        button.click(force=True)
        assert page.url == f"{place.url}/today"
        assert watched.find_violations() == []
        with ConsoleServer(place.modality):
            expect(page.locator("#stale")).to_be_hidden()
            expect(page.locator("#live")).to_have_text("live")
            expect(button).not_to_have_attribute("aria-disabled", "true")
            button.click()
            expect(page.locator("#banner .name")).to_contain_text("EMERGENCY")
        assert [exam.text(0x00100010)[:9] for exam in place.modality.exams()] == ["EMERGENCY"]


def test_a_ris_that_is_away_leaves_an_empty_list_and_the_reason(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as before:
        before.modality.worklist()
    with (
        Modality(before.site) as modality,
        ConsoleServer(modality) as server,
        ExitStack() as clients,
    ):
        place = replace(before, modality=modality, server=server, clients=clients)
        watched = log_in(context, place, "anna", "operator")
        page = watched.page
        page.get_by_role("button", name="Ask the RIS").click()
        expect(page.locator("#worklist [role=alert]")).to_contain_text("ris gave no worklist")
        assert page.locator("#worklist tbody tr").count() == 0
        check(watched, place)
        page.get_by_role("link", name="The last list").click()
        expect(page.locator(".notice.old")).to_contain_text("Read only")
        assert page.locator("#worklist tbody tr").count() > 0
        assert page.locator("#worklist .row-link").count() == 0, "nothing is started from it"
        check(watched, place)
