"""Chromium with a page, driven by Playwright; what its console says and what goes wrong in a page is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from tests.peers.programs import program

WAIT_MS: Final = 15_000
SIZE: Final = {"width": 1440, "height": 900}


@dataclass(slots=True)
class Watched:
    """A page, and what was wrong in it: errors of scripts, breaches of the policy, dialogs that opened."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def find_violations(self, *rules: str) -> list[str]:
        """What axe-core finds against WCAG in the page as it is now; only by some rules where these are given."""
        options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def watch(context: BrowserContext) -> Watched:
    """A new page of a context. An answer that says no is none of its faults."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    watched = Watched(page)
    page.on("pageerror", lambda error: watched.wrong.append(str(error)))

    def refuse(dialog: Dialog) -> None:
        watched.wrong.append(f"dialog {dialog.type}")
        dialog.dismiss()

    def hear(text: str) -> None:
        if "Failed to load resource" not in text and "GL Driver Message" not in text:
            watched.wrong.append(text)

    page.on("dialog", refuse)
    page.on("console", lambda message: hear(message.text) if message.type in ("error", "warning") else None)
    return watched
