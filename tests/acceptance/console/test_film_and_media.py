"""Film and Media in Chromium: images dragged, placed by number, printed; a disc made and read, by keyboard too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from openmodality.store.states import JobKind, JobState
from tests.acceptance.console.visits import check, log_in, press_place
from tests.console_site import ConsolePlace, console_in_hospital
from tests.peers.objects import mr_series

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


def add_studies(place: ConsolePlace, folder: Path) -> list[str]:
    """Studies of three images of one patient and of one of another; the UIDs of the former."""
    place.modality.import_files(mr_series(folder / "one", 3, PatientID="P1", PatientName="First^<b>"))
    place.modality.import_files(mr_series(folder / "two", 1, PatientID="P2", PatientName="Second^Patient"))
    return [each["SOPInstanceUID"] for each in place.modality.instances(PatientID="P1")]


def read_order(page: Page) -> list[str]:
    """The images of the film in their order, as the list has them."""
    fields = page.locator("section[aria-labelledby=order-title] tbody tr td:last-child [name=uid]")
    return [str(field.get_attribute("value")) for field in fields.all()]


def drag(page: Page, start: int, end: int) -> None:
    """Drag an image from one box of the sheet to another."""
    boxes = page.locator("rect.box")
    boxes.nth(start).scroll_into_view_if_needed()
    places = [boxes.nth(each).bounding_box() for each in (start, end)]
    (first, last) = [(box["x"] + box["width"] / 2, box["y"] + 20) for box in places if box]
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=4)
    page.mouse.up()


@pytest.mark.requirement("RF-4.2.7.3.1.1-07", "MR-2.2-01", "MR-4.2.1.1-01", "MR-2.2.2-04")
def test_a_film_by_mouse_and_by_keyboard(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        images = add_studies(place, tmp_path)
        watched = log_in(context, place, "anna", "operator")
        page = watched.page
        page.get_by_role("link", name="Film", exact=True).click()
        expect(page.locator(".sheets .empty")).to_contain_text("No image is on the film yet")
        check(watched, place)
        page.get_by_role("link", name="Add images").first.click()
        check(watched, place)
        page.get_by_role("row", name="P1").get_by_role("button", name="Add study").click()
        expect(page.locator("figure.sheet")).to_have_count(1)
        picture = page.request.get(f"{place.url}/film/sheet/1")
        assert picture.headers["content-type"] == "image/png"
        before = read_order(page)
        assert set(before) == set(images)
        drag(page, 0, 2)
        expect(page.locator("#notes")).to_contain_text("Now image 3")
        assert read_order(page) == [before[1], before[2], before[0]]
        page.get_by_label("Place of image 3").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("1")
        page.keyboard.press("Enter")
        expect(page.locator("#notes")).to_contain_text("Now image 1")
        assert read_order(page) == before
        check(watched, place)

        page.get_by_role("link", name="Add images").first.click()
        page.get_by_role("row", name="P2").get_by_role("link").click()
        page.locator(".row-link").click()
        check(watched, place)
        page.get_by_label("Instance 1").check()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Images of 2 patients are on this film")).to_be_visible()
        assert watched.find_violations() == []
        page.keyboard.press("Control+Enter")
        expect(page.locator("#notes [role=alert]")).to_contain_text("Nothing was printed")
        assert place.modality.jobs.list(kinds=[JobKind.PRINT]) == []
        page.get_by_role("button", name="Take off image 4").click()
        expect(page.locator(".whose")).to_contain_text("P1")
        page.get_by_role("button", name="Ask the printer").click()
        expect(page.locator("#notes")).to_contain_text("Printer says: NORMAL")
        page.get_by_label("Copies").fill("2")
        page.get_by_label("Copies").press("Control+Enter")
        expect(page.locator("#notes")).to_contain_text("Queued as job")
        expect(page.locator("#film-jobs .state")).to_have_text("done")
        assert [job.state for job in place.modality.jobs.list(kinds=[JobKind.PRINT])] == [JobState.DONE]
        check(watched, place)


@pytest.mark.requirement("MR-2.5.1-03", "MR-2.5.2-04", "MR-7.2.3-02")
def test_a_disc_by_mouse_and_by_keyboard(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        add_studies(place, tmp_path)
        watched = log_in(context, place, "anna", "operator")
        page = watched.page
        press_place(watched, "Media")
        expect(page.locator(".on-disc .empty")).to_contain_text("Nothing is on the disc yet")
        check(watched, place)
        page.get_by_role("link", name="Add instances").first.focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Add study of First").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".whose")).to_contain_text("First, <b> (P1)")
        page.goto(f"{place.url}/media/add")
        page.get_by_role("button", name="Add study of Second").click()
        expect(page.get_by_text("Instances of 2 patients are on this disc")).to_be_visible()
        check(watched, place)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#notes [role=alert]")).to_contain_text("Nothing was made")
        page.get_by_role("button", name="Take off series 1 of Second, Patient").click()
        expect(page.locator(".whose")).to_contain_text("P1")
        page.get_by_label("Label").fill("first")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#media-jobs .state")).to_have_text("done")  # without a reload
        place.modality.delete("PATIENT", "P1", force=True)
        page.reload()
        with page.expect_download() as fetched:
            page.get_by_role("link", name="Fetch image").click()
        assert Path(fetched.value.path()).read_bytes()[32769:32774] == b"CD001"
        page.get_by_role("button", name="List").click()
        expect(page.locator("#disc tbody tr")).to_have_count(1)
        page.locator("[name=record]").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#disc")).to_contain_text("3 instances copied, 0 already here")
        check(watched, place)
        assert len(place.modality.instances(PatientID="P1")) == 3
