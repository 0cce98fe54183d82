"""Whole days at the console in Chromium: worklist to film and disc by mouse, an exam by keyboard, and what is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pycdlib
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from openmodality import Modality
from openmodality.console.security.accounts import Accounts, SessionLimits
from openmodality.device.site.site_loader import load_site
from openmodality.standard.performed_step import StepStatus
from openmodality.store.states import JobKind, JobState
from tests.acceptance.command_line import finish, start
from tests.acceptance.console.visits import log_in
from tests.acceptance.hospital_site import in_hospital
from tests.console_site import PASSWORD, console_in_hospital
from tests.devices import add_image, quick_source
from tests.peers.browser import watch
from tests.peers.forked import Forked
from tests.peers.objects import mr_series
from tests.peers.process import run

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


@pytest.mark.needs("dcmdump")
def test_an_rf_day_by_mouse_from_the_worklist_to_film_and_disc(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, "rf") as place:
        watched = log_in(context, place, "anna", "operator")
        page, modality = watched.page, place.modality
        page.get_by_role("button", name="Ask the RIS").click()
        page.locator("#worklist .row-link").first.click()
        item = modality.worklist_items()[0]
        page.get_by_label("Year of birth").fill(item["PatientBirthDate"][:4])
        page.get_by_label("Body part").select_option("ABDOMEN")
        page.get_by_role("button", name="Start the exam").click()
        expect(page.locator("#exam")).to_contain_text("No image yet")
        type_a_shutter_while_the_page_looks_again(page)
        modality.find_exam(1).acquire(quick_source("rf"))
        expect(page.locator(".strip img").first).to_be_visible()
        page.get_by_role("button", name="Complete the exam").click()
        expect(page.locator("#notes")).to_contain_text("Exam 1 is completed")
        assert modality.wait_until_idle(60)
        assert [step.status for step in place.hospital.ris.steps] == [StepStatus.COMPLETED]

        page.get_by_role("link", name="Film", exact=True).click()
        page.get_by_role("link", name="Add images").first.click()
        page.get_by_role("button", name="Add study").click()
        expect(page.locator("figure.sheet").first).to_be_visible()
        page.get_by_role("button", name="Print", exact=True).click()
        expect(page.locator("#notes")).to_contain_text("Queued as job")
        expect(page.locator("#film-jobs .state")).to_have_text("done")  # without a reload
        assert len(place.hospital.printer.films) > 0, "the printer of the hospital has it"
        assert watched.wrong == []
        make_a_disc(page, tmp_path, item["PatientID"])
        assert watched.wrong == []


def type_a_shutter_while_the_page_looks_again(page: Page) -> None:
    """What is typed on the page of an exam stays when that page is drawn anew."""
    page.locator("#upload summary").first.click()
    page.locator("#upload-said summary").click()
    left = page.get_by_label("Left edge (column)")
    with page.expect_response(lambda answer: "/part?live" in answer.url):
        left.fill("12")
    with page.expect_response(lambda answer: "/part?live" in answer.url):
        pass
    expect(left).to_have_value("12")
    expect(left).to_be_visible()
    left.fill("")


def make_a_disc(page: Page, folder: Path, patient_id: str) -> None:
    """Put the study onto a disc, fetch its image, and let DCMTK read its directory."""
    page.get_by_role("link", name="Media", exact=True).click()
    page.get_by_role("link", name="Add instances").first.click()
    page.get_by_role("button", name="Add study").click()
    expect(page.locator(".whose")).to_contain_text(patient_id)
    page.get_by_role("button", name="Make the disc").click()
    expect(page.locator("#media-jobs .state")).to_have_text("done")  # without a reload
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Fetch image").click()
    image = folder / "disc.iso"
    fetched.value.save_as(image)
    extract_directory(image, folder / "DICOMDIR")
    said = run("dcmdump", folder / "DICOMDIR")
    assert said.status == 0, said.output
    assert f"[{patient_id}]" in said.output.replace(" ]", "]")


def extract_directory(image: Path, target: Path) -> None:
    """The DICOMDIR of an ISO 9660 image, as another program reads it."""
    disc = pycdlib.PyCdlib()
    disc.open(str(image))
    disc.get_file_from_iso(str(target), iso_path="/DICOMDIR.;1")
    disc.close()


def test_an_mr_exam_by_keyboard_alone(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, settings="simulator = true") as place:
        watched = log_in(context, place, "bob", "operator")
        page, keys = watched.page, watched.page.keyboard
        keys.press("Control+Enter")
        expect(page.locator("#worklist .answer")).to_be_visible()
        keys.press("ArrowDown")
        expect(page.locator("#worklist .row-link").first).to_be_focused()
        page.evaluate("document.querySelector('#worklist table').dataset.is = 'old'")
        page.evaluate("document.body.dispatchEvent(new Event('om-worklist'))")
        expect(page.locator("#worklist [data-is]")).to_have_count(0)
        expect(page.locator("#worklist .row-link").first).to_be_focused()  # also where the list has come anew meanwhile
        keys.press("Enter")
        expect(page.locator("#second")).to_be_focused()
        keys.type(place.modality.worklist_items()[0]["PatientID"][-3:])
        keys.press("Control+Enter")
        expect(page.locator("#exam")).to_contain_text("No image yet")
        page.get_by_role("button", name="Simulator").focus()
        keys.press("Enter")
        expect(page.locator(".strip img").first).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Stop").focus()
        keys.press("Enter")
        expect(page.locator("p.pixels .state")).to_have_class("state ok", timeout=30_000)
        keys.press("Control+Enter")
        expect(page.locator("#notes")).to_contain_text("Exam 1 is completed")
        assert place.modality.wait_until_idle(60)
        assert [step.status for step in place.hospital.ris.steps] == [StepStatus.COMPLETED]
        assert watched.wrong == []


@contextmanager
def serving(site: Path) -> Iterator[Forked]:
    """A device in a process of its own, once it serves; killed at the end where it has not ended."""
    process = start("serve", "-c", site)
    assert process.stderr is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("serving"):
        lines.append(process.stderr.readline())
        assert lines[-1], lines
    try:
        yield process
    finally:
        process.kill()
        finish(process)


def test_a_device_that_is_killed_and_comes_back_loses_nothing(context: BrowserContext, tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        with Modality(place.site) as modality:
            accounts = Accounts(modality.database, SessionLimits.of(modality.site.settings.console))
            accounts.use_link(accounts.add_user("anna", ["senior"]), PASSWORD)
            exam = modality.start_exam(patient={"PatientID": "1", "PatientName": "Roe^R"})
            add_image(exam.series("T1"))
            modality.import_files(mr_series(tmp_path / "made", 1))
            (study,) = modality.studies(PatientID="TEST-0001")
        watched = watch(context)
        page = watched.page
        with serving(place.site) as process:
            page.goto(f"http://127.0.0.1:{load_site(place.site).settings.console.port}/register")
            page.get_by_label("Name").fill("anna")
            page.get_by_label("Password").fill(PASSWORD)
            scripts: list[Route] = []
            page.route("**/console.js", lambda route: scripts.append(route))
            page.keyboard.press("Enter")
            typed = page.get_by_label("Patient ID")
            typed.fill("half typ")  # sooner than the page listens
            scripts.pop().continue_()
            others = [context.new_page() for _ in range(2)]
            for other, path in zip(others, ("exam/1", f"images/study/{study['StudyInstanceUID']}"), strict=True):
                other.goto(page.url.replace("register", path))
            process.kill()
            process.wait()
        for each in (page, *others):
            expect(each.locator("#stale")).to_be_visible()
        others[1].get_by_text("Delete…").click()
        names = ("Register", "Complete the exam", "Delete from this device")
        for each, name in zip((page, *others), names, strict=True):
            button = each.get_by_role("button", name=name, exact=True)
            expect(button).to_have_attribute("aria-disabled", "true")
            before = each.url
            button.click(force=True)
            assert each.url == before
        with serving(place.site):
            with Modality(place.site, works=False) as beside:
                assert beside.studies(PatientID="TEST-0001"), "nothing was deleted meanwhile"
                assert [each.state for each in beside.exams()] == ["IN PROGRESS"]
                for each in (page, *others):
                    expect(each.locator("#stale")).to_be_hidden()
                add_image(beside.find_exam(1).series("T2"))
            expect(others[0].locator("#made-title .count")).to_have_text("2")  # without a reload
            expect(typed).to_have_value("half typ")
            page.get_by_role("link", name="Jobs", exact=True).click()
            expect(typed).to_have_value("half typ")  # the page asks first, and the test says no
            said = [each for each in watched.wrong if "Failed to fetch" not in each]  # while nobody was there
            assert said == ["dialog beforeunload"]


def test_two_consoles_and_an_archive_that_comes_back(context: BrowserContext, tmp_path: Path) -> None:
    """Two browsers at the same item and at the same job: the second is told, and nothing is done twice."""
    with console_in_hospital(tmp_path, settings='identity_check = "off"') as place, ExitStack() as stack:
        one = log_in(context, place, "anna", "senior").page
        assert context.browser is not None
        second = stack.enter_context(another_context(context))
        two = log_in(second, place, "bob", "senior").page
        one.get_by_role("button", name="Ask the RIS").click()
        expect(one.locator("#worklist .row-link").first).to_be_visible()
        start_at = f"{place.url}/start/{place.modality.worklist_items()[0].id}"
        for page in (one, two):
            page.goto(start_at)
            expect(page.get_by_role("button", name="Start the exam")).to_be_enabled()
        one.get_by_role("button", name="Start the exam").click()
        expect(one.locator("#exam")).to_contain_text("No image yet")
        two.get_by_role("button", name="Start the exam").click()
        expect(two.locator("[role=alert]:visible").first).to_contain_text("exam 1", ignore_case=True)
        assert len(place.modality.exams()) == 1

        place.hospital.misbehave("pacs:refuse-association")
        place.modality.find_exam(1).acquire(quick_source("mr"))
        expect(one.locator(".strip img").first).to_be_visible()
        one.get_by_role("button", name="Complete the exam").click()
        expect(one.locator("#notes")).to_contain_text("Exam 1 is completed")
        send = place.modality.jobs.list(kinds=[JobKind.SEND])[0]
        assert place.modality.wait_until(lambda: bool(place.modality.jobs.show(send.id).job.reason), 20)
        for page in (one, two):
            page.goto(f"{place.url}/jobs/{send.id}")
            expect(page.locator("dd .state.bad")).to_be_visible()
        expect(one.locator("#status")).to_contain_text("1 job")
        place.hospital.behave()
        one.get_by_role("button", name="Try again now").click()
        expect(two.locator("dd .state.ok")).to_have_text("done")  # without a reload
        expect(two.get_by_role("button", name="Try again now")).to_have_count(0)
        assert place.modality.wait_until_idle(60)
        uids = [each.SOPInstanceUID for each in place.modality.find_exam(1).instances()]
        assert len(place.hospital.pacs.instances) == len(uids), "each once"
        assert [job.state for job in place.modality.jobs.list(kinds=[JobKind.SEND])] == [JobState.DONE]


@contextmanager
def another_context(context: BrowserContext) -> Iterator[BrowserContext]:
    """A second browser, in which somebody else may log in."""
    assert context.browser is not None
    made = context.browser.new_context(viewport={"width": 1440, "height": 900})
    yield made
    made.close()
