"""Hospital in Chromium, the trainer's screen: a personality is switched on by mouse and off by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.acceptance.console.visits import check, log_in
from tests.console_site import console_in_hospital

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


def test_personalities_by_mouse_and_by_keyboard(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        watched = log_in(context, place, "anna", "operator")
        page = watched.page
        page.get_by_role("link", name="Hospital", exact=True).click()
        expect(page.locator("#schedule-title")).to_be_visible()
        check(watched, place)
        page.locator("#switches summary").nth(1).click()
        page.get_by_role("button", name="Switch on pacs:a700", exact=True).click()
        expect(page.locator("#notes")).to_contain_text("Switched on: pacs:a700")
        assert place.hospital.misbehaviour == ["pacs:a700"]
        check(watched, place)
        page.get_by_role("button", name="Switch all off").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#notes")).to_contain_text("Switched off: everything")
        assert place.hospital.misbehaviour == []
        page.locator("#text").focus()
        page.keyboard.type("printer:printer-failure@2")
        page.keyboard.press("Enter")
        expect(page.locator("#hospital")).to_contain_text("printer:printer-failure@2")
        assert watched.wrong == []
