"""Statement in Chromium: read and downloaded by keyboard, in both themes, and printed without what is around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.acceptance.console.visits import check, log_in
from tests.console_site import console_in_hospital

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]

SHORTEN = """() => {
  const seen = new Set();
  for (const table of document.querySelectorAll('.statement table')) {
    const heads = table.tHead?.textContent;
    for (const body of table.tBodies) for (const row of [...body.rows].slice(seen.has(heads) ? 1 : 2)) row.remove();
    seen.add(heads);
  }
}"""
"""What is looked at by axe: two rows of the first table with its columns, and one of each other, for all others are
made alike, and thousands take minutes."""


def test_the_statement_is_read_downloaded_and_printed(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, "rf") as place:
        context.add_init_script(f"addEventListener('DOMContentLoaded', {SHORTEN})")
        watched = log_in(context, place, "vera", "viewer")
        page = watched.page
        page.get_by_role("link", name="Statement", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="1 Overview", exact=True)).to_be_visible()
        check(watched, place)

        link = page.get_by_role("navigation", name="Contents").get_by_role("link", name="Configuration").first
        link.press("Enter")
        target = page.locator(str(link.get_attribute("href")))
        expect(target).to_be_in_viewport()
        above = page.locator("header.banner").bounding_box()
        shown = target.bounding_box()
        assert above is not None
        assert shown is not None
        assert shown["y"] >= above["y"] + above["height"], "the banner is not over the section"

        page.get_by_role("link", name="Order of the R/F statement").press("Enter")
        expect(page.get_by_role("heading", name="4 Networking", exact=True)).to_be_attached()
        with page.expect_download() as started:
            page.get_by_role("link", name="Download JSON").press("Enter")
        assert started.value.suggested_filename == "conformance-rf.json"
        assert json.loads(started.value.path().read_bytes())["device"]["profile"] == "rf"

        page.emulate_media(media="print")
        for around in (".rail", ".statusbar", "header.banner", ".contents", "#main > h1", ".tabs"):
            expect(page.locator(around).first).to_be_hidden()
        expect(page.locator(".statement table").first).to_be_visible()
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert watched.wrong == []
