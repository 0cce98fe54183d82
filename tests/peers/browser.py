"""Chromium with a page, driven by Playwright; what its console says and what goes wrong in a page is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from tests.peers.programs import find_program, program

WAIT_MS: Final = 15_000
SIZE: Final = {"width": 1440, "height": 900}
SHELL: Final = "chromium-headless-shell"
_SWITCHES: Final = ("--no-sandbox", "--disable-gpu")
OF_ONE_SITE: Final = (
    "--disable-site-isolation-trials",
    "--renderer-process-limit=1",
    "--js-flags=--min-semi-space-size=64 --max-semi-space-size=64",
)
"""Switches for pages of one site: they share a process, which has memory enough to collect garbage seldom."""
_KEEP_COLORS: Final = """;(() => {
  const color = axe.commons.color.Color.prototype, parse = color.parseString, known = new Map();
  color.parseString = function (text) {
    if (!known.has(text)) {
      parse.call(this, text);
      known.set(text, [this.r, this.g, this.b, this.alpha]);
    }
    [this.r, this.g, this.b, this.alpha] = known.get(text);
    return this;
  };
})()"""
"""A page has a dozen colours, and axe-core parses them a thousand times."""
_AXE: Final = Axe().axe_script + _KEEP_COLORS
_IS_AXE_THERE: Final = "() => typeof globalThis.axe === 'object'"
_RUN_AXE: Final = """async (options) => (await axe.run(document, options)).violations.flatMap(
  (each) => each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 200)}`))"""


@dataclass(slots=True)
class Watched:
    """A page, and what was wrong in it: errors of scripts, breaches of the policy, dialogs that opened."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def find_violations(self, *rules: str) -> list[str]:
        """What axe-core finds against WCAG in the page as it is now; only by some rules where these are given."""
        if not self.page.evaluate(_IS_AXE_THERE):
            self.page.evaluate(_AXE)
        only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        options = {"resultTypes": ["violations"], **only}  # what is sound is looked at as well, but not described
        found: list[str] = self.page.evaluate(_RUN_AXE, options)
        return found


@contextmanager
def chromium(name: str = "chromium", *switches: str) -> Iterator[Browser]:
    """A browser without a window: the whole Chromium, or the program of this name."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program(name), args=[*_SWITCHES, *switches])
        yield browser
        browser.close()


def find_lightest() -> str:
    """The program whose pages take least: half of the time without what is around a page, where that is installed."""
    return SHELL if find_program(SHELL) else "chromium"


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
