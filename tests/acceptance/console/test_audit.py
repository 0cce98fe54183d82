"""The page for auditors in Chromium: found by keyboard, readable in both themes, and a hostile name stays text."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.console_site import PASSWORD, console_in_hospital
from tests.peers.browser import Watched, watch

CANARY = "<img src=x onerror=alert(1)>"


@pytest.mark.needs("chromium")
def test_an_auditor_finds_events_by_keyboard_alone_in_both_themes(browser: Browser, tmp_path: Path) -> None:
    with (
        console_in_hospital(tmp_path) as place,
        browser.new_context(viewport={"width": 1280, "height": 800}, base_url=place.url) as context,
    ):
        place.add_user("alice", "auditor")
        place.modality.register({"PatientID": "CANARY-1", "PatientName": CANARY})
        watched = watch(context)
        page = watched.page
        log_in(page)
        for button in ("Light room", "Dark room"):
            find_patient(page)
            check(watched)
            page.get_by_role("link", name="Event ").first.press("Enter")
            page.wait_for_url("**/audit/*")
            assert page.get_by_text(CANARY).count() == 1
            check(watched)
            page.goto("/audit")
            page.get_by_role("button", name="Verify the chain").press("Enter")
            page.get_by_text("The chain is whole").wait_for()
            check(watched)
            page.get_by_role("button", name=button).press("Enter")
            page.wait_for_load_state()
        assert page.locator("#stale").is_hidden()
        assert watched.wrong == []


def log_in(page: Page) -> None:
    page.goto("/login")
    page.fill("input[name=name]", "alice")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit")


def find_patient(page: Page) -> None:
    """The search of the page, by its key."""
    page.goto("/audit")
    page.locator("#main").focus()
    page.keyboard.press("/")
    page.keyboard.press("Tab")
    page.keyboard.type("CANARY-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**patient=CANARY-1**")
    assert page.get_by_text("Patient Record", exact=True).count() >= 1


def check(watched: Watched) -> None:
    assert watched.find_violations() == []
