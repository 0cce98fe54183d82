"""The console in Chromium where it is hard: thousands, long and foreign names, two at once, no archive; and Service."""

from __future__ import annotations

import csv
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from openmodality import Modality
from openmodality.console.memory import Asked
from openmodality.console.server import ConsoleServer
from openmodality.errors import OpenModalityError
from openmodality.store.rows.worklist import keep_items
from tests.acceptance.console.visits import log_in
from tests.console_site import PASSWORD, ConsolePlace, console_in_hospital
from tests.devices import device_in_hospital, quick_source, today
from tests.made_index import fill_index, make_series_uid
from tests.peers.browser import SIZE, Watched, watch
from tests.peers.process import HOST
from tests.stand_in import scheduled

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]
NAMES = {
    "japanese": "YAMADA^TAROU=山田^太郎=やまだ^たろう",
    "chinese": "WANG^XIAODONG=王^小东",
    "arabic": "قباني^لنزار",
    "long": "A" * 31 + "^" + "B" * 32,
}
REQUIREMENTS = Path(__file__).parents[2] / "data" / "spec" / "rf" / "requirements.csv"


@contextmanager
def another(browser: Browser, place: ConsolePlace, name: str) -> Iterator[Watched]:
    """A browser of a user who is there already, at Today."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    watched = watch(context)
    watched.page.goto(place.url)
    watched.page.get_by_label("Name").fill(name)
    watched.page.get_by_label("Password").fill(PASSWORD)
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator("#live")).to_have_text("live")
    yield watched
    context.close()


def overflows(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_thousands_of_items_and_of_images(browser: Browser, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        date = f"{datetime.now():%Y%m%d}"
        found = [(scheduled(number, start_date=date, name=f"Doe^Number {number}"), ()) for number in range(5000)]
        with place.modality.database.write() as transaction:
            items = keep_items(transaction, "ris", found, whole=True)
        place.server.context.memory.note_asked(Asked(1.0, "ris", {}, [item.id for item in items]))
        fill_index(place.modality.database, 1, 10_000)
        place.add_user("anna", "senior")
        with another(browser, place, "anna") as watched:
            page = watched.page
            expect(page.locator("#worklist")).to_contain_text("5,000 items")
            assert page.locator("#worklist tbody tr").count() == 50
            page.locator("#worklist tbody .row-link").last.focus()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            expect(page.locator("#worklist tbody tr")).to_have_count(100)
            expect(page.locator("#worklist tbody .row-link").nth(50)).to_be_focused()
            page.locator("#worklist table").evaluate("table => table.setAttribute('data-before', '')")
            page.evaluate("document.body.dispatchEvent(new CustomEvent('om-worklist'))")
            expect(page.locator("#worklist table:not([data-before])")).to_be_visible()
            expect(page.locator("#worklist tbody tr")).to_have_count(100)
            page.locator("#find").fill("Number 4321")
            expect(page.locator("#worklist tbody tr")).to_have_count(1)
            page.locator("#worklist .row-link").click()
            expect(page.locator("section.who > .name")).to_contain_text("Number 4321")
            expect(page.locator(".similar")).to_contain_text("4987 more")
            page.goto(f"{place.url}/images")
            expect(page.locator(".row-link")).to_have_count(1)
            page.goto(f"{place.url}/images/study/1.2.3.0")
            expect(page.locator("main")).to_contain_text("all 10000")
            page.goto(f"{place.url}/images/series/{make_series_uid(0, 1)}?offset=9980")
            expect(page.locator(".pictures li")).to_have_count(20)
            assert not overflows(page)
            assert watched.wrong == []


def test_names_of_all_scripts_and_of_64_characters(browser: Browser, tmp_path: Path) -> None:
    items = [today("mr", 1, name=name)[0] for name in NAMES.values()]
    for number, item in enumerate(items):
        item.PatientID, item.AccessionNumber = f"ID{number}", f"ACC{number}"
        item.RequestedProcedureDescription = item.ScheduledProcedureStepSequence[
            0
        ].ScheduledProcedureStepDescription = "頭部" * 16 if number else "D" * 64
    with device_in_hospital(tmp_path, "mr", items) as device, device.modality() as modality, ExitStack() as stack:
        server = stack.enter_context(ConsoleServer(modality))
        place = ConsolePlace(None, device.site, modality, server, stack)  # type: ignore[arg-type]
        place.add_user("anna", "senior")
        with another(browser, place, "anna") as watched:
            page = watched.page
            page.set_viewport_size({"width": 1024, "height": 700})
            page.get_by_role("button", name="Ask the RIS").click()
            expect(page.locator("#worklist tbody tr")).to_have_count(len(NAMES))
            for shown in ("(山田, 太郎)", "(王, 小东)", "قباني, لنزار", f"{'A' * 31}, {'B' * 32}"):
                expect(page.locator("#worklist")).to_contain_text(shown)
            assert not overflows(page), "a table scrolls in itself"
            for number, scheduled_item in enumerate(modality.worklist_items()):
                page.goto(f"{place.url}/start/{scheduled_item.id}")
                assert not overflows(page)
                assert watched.find_violations() == []
                if number == 0:
                    page.get_by_label("Year of birth").fill("1970")
                    page.get_by_role("button", name="Start the exam").click()
                    expect(page.locator("#exam")).to_be_visible()
                    assert not overflows(page)
            assert watched.wrong == []


def test_two_consoles_at_the_same_exam(browser: Browser, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        for name in ("anna", "bob"):
            place.add_user(name, "senior")
        with another(browser, place, "anna") as one, another(browser, place, "bob") as two:
            one.page.get_by_role("button", name="Emergency exam").click()
            expect(one.page.locator("#exam")).to_contain_text("No image yet")
            expect(two.page.locator("#banner .name")).to_contain_text("EMERGENCY")  # without a reload
            place.modality.find_exam(1).acquire(quick_source("mr"))
            two.page.goto(f"{place.url}/exam/1")
            for each in (one, two):
                expect(each.page.get_by_role("button", name="Complete the exam")).to_be_visible()
            stale = two.page.evaluate("document.querySelector('form[action$=complete]').outerHTML")
            one.page.get_by_role("button", name="Complete the exam").click()
            expect(one.page.locator("#notes")).to_contain_text("Exam 1 is completed")
            expect(two.page.locator("#exam")).to_contain_text("After the exam")  # without a reload
            token = re.search(r'name="form_token" value="([^"]+)"', stale)
            assert token is not None
            answer = two.page.request.post(
                f"{place.url}/exam/1/complete",
                form={"form_token": token[1]},
                headers={"origin": place.url, "accept": "text/html"},
            )
            assert "has ended" in answer.text() or "COMPLETED" in answer.text(), "the second one is told"
            assert place.modality.wait_until_idle(30)
            assert len(place.hospital.ris.steps) == 1
            assert one.wrong + two.wrong == []


def test_an_archive_that_is_away_is_said_with_what_comes_next(browser: Browser, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as before:
        before.add_user("anna", "senior")
    with Modality(before.site) as modality, ConsoleServer(modality) as server, ExitStack() as stack:
        place = ConsolePlace(None, before.site, modality, server, stack)  # type: ignore[arg-type]
        with modality.start_exam(patient={"PatientID": "1", "PatientName": "Roe^R"}) as exam:
            exam.acquire(quick_source("mr"))
        with another(browser, place, "anna") as watched:
            page = watched.page
            expect(page.locator("#status")).to_contain_text("will be tried again")
            page.goto(f"{place.url}/jobs")
            expect(page.locator("#jobs")).to_contain_text("attempt 2 of 11")
            expect(page.locator("#jobs")).to_contain_text("Connection refused")
            assert watched.find_violations() == []
            assert watched.wrong == []


@pytest.mark.requirement("RF-4.4.2-01", "RF-4.4.1.1-01", "RF-4.4.1.2-01")
def test_service_shows_what_may_be_set_and_a_device_obeys_it(browser: Browser, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, "rf") as place, socket.create_server((HOST, 0)) as ris:
        place.add_user("anna", "service")
        with another(browser, place, "anna") as watched:
            page = watched.page
            page.goto(f"{place.url}/service?find=4.4.2")
            text = page.locator("main").inner_text()
            for low, high, default in list_ranges():
                assert f"{low}-{high}" in text, (low, high, default)
            page.goto(f"{place.url}/service/table/application_entities.worklist")
            page.get_by_label("ae_title", exact=True).fill("OTHER_TITLE")
            page.get_by_role("button", name="Show what would change").click()
            expect(page.locator(".diff .added")).to_contain_text("OTHER_TITLE")
            page.get_by_role("button", name="Write the site file").click()
            expect(page.locator("#notes")).to_contain_text("after a restart")
            page.goto(f"{place.url}/service/table/peers.ris")
            page.get_by_label("description", exact=True).fill("<b>The RIS</b>")
            page.get_by_label("ae_title", exact=True).fill("NEW_RIS")
            page.get_by_label("port", exact=True).fill(str(ris.getsockname()[1]))
            page.keyboard.press("Control+Enter")
            expect(page.get_by_role("button", name="Write the site file")).to_be_visible()
            page.keyboard.press("Control+Enter")
            expect(page.locator("#notes")).to_contain_text("3 settings changed")
            assert watched.find_violations() == []
            assert watched.wrong == []
        with ThreadPoolExecutor(1) as pool, Modality(place.site, works=False) as restarted:
            asked = pool.submit(read_titles, ris)
            with pytest.raises(OpenModalityError):
                restarted.worklist()
            assert asked.result(20) == ("NEW_RIS", "OTHER_TITLE")
            assert restarted.site.peers["ris"].settings.description == "<b>The RIS</b>"


def read_titles(ris: socket.socket) -> tuple[str, str]:
    """Called and calling AE title of the association that is asked for (PS3.8 Table 9-11), which gets no answer."""
    ris.settimeout(20)
    connection, _ = ris.accept()
    with connection:
        request = connection.recv(74)
        assert request[0] == 1
        return request[10:26].decode().strip(), request[26:42].decode().strip()


def list_ranges() -> list[tuple[str, str, str]]:
    """The ranges and defaults of RF-4.4.2, as its sentences say them."""
    with REQUIREMENTS.open(encoding="utf-8") as stream:
        texts = {row["id"]: row["requirement"] for row in csv.DictReader(stream) if row["id"].startswith("RF-4.4.2-")}
    found = [re.search(r"from (\d+) to (\d+)\D*?,? default (\d+)", text) for text in texts.values()]
    ranges = [(each[1], each[2], each[3]) for each in found if each is not None]
    assert len(ranges) > 10
    return ranges


def test_a_single_key_may_be_another_one(browser: Browser, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        watched = log_in(context, place, "anna", "operator")
        page, keys = watched.page, watched.page.keyboard
        page.get_by_role("button", name="Keys").click()
        page.get_by_text("Other single keys").click()
        search = page.get_by_label("Search", exact=True)
        search.fill("?")
        search.press("Tab")
        expect(page.locator("#key-problem")).to_contain_text("is the key for: List of keys")
        expect(search).to_have_attribute("aria-invalid", "true")
        search.fill("s")
        search.press("Tab")
        expect(page.locator("#key-problem")).to_be_empty()
        assert watched.find_violations() == []
        keys.press("Escape")
        page.reload()
        page.locator("main").focus()
        keys.press("/")
        expect(page.locator("#find")).not_to_be_focused()
        keys.press("s")
        expect(page.locator("#find")).to_be_focused()
        keys.type("s/?")
        expect(page.locator("#find")).to_have_value("s/?")
        keys.press("Escape")
        page.get_by_role("button", name="Keys").click()
        page.get_by_text("Other single keys").click()
        page.get_by_role("button", name="All keys as usual").click()
        keys.press("Escape")
        page.locator("main").focus()
        keys.press("/")
        expect(page.locator("#find")).to_be_focused()
        assert watched.wrong == []
        context.close()
