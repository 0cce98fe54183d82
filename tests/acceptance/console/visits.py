"""Users of the console in Chromium: logged in, and what is looked at on each page that they come to."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.console_site import PASSWORD, ConsolePlace
from tests.peers.browser import SIZE, Watched, watch

THEMES: Final = ("dark", "light")
_THEME_COOKIE: Final = "openmodality-theme"
NARROW: Final[ViewportSize] = {"width": 640, "height": 800}
_WIDE: Final = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((each) => each.outerHTML.slice(0, 160))"""

_CRAMPED: Final = """() => [...document.querySelectorAll("main [data-label]")].filter((cell) => {
  const twin = document.createElement("span"), style = getComputedStyle(cell, "::before");
  twin.textContent = cell.dataset.label;
  Object.assign(twin.style, { position: "absolute", width: style.width, font: style.font });
  cell.append(twin);
  const height = twin.offsetHeight;
  twin.remove();
  return cell.checkVisibility() && height > cell.clientHeight;
}).slice(0, 5).map((cell) => `${cell.dataset.label}: ${cell.outerHTML.slice(0, 160)}`)"""


def log_in(context: BrowserContext, place: ConsolePlace, name: str, *roles: str, checks_login: bool = False) -> Watched:
    """A page of a user at Today, live. The page of the login is the same for all: axe looks at it if that is said."""
    place.add_user(name, *roles)
    watched = watch(context)
    page = watched.page
    page.goto(place.url)
    if checks_login:
        assert watched.find_violations() == []
    off = "main => { const box = main.getBoundingClientRect(); return Math.abs(box.left + box.right - innerWidth); }"
    assert page.locator("main").evaluate(off) < 2, "the card is in the middle of the page"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("live")
    return watched


def check(watched: Watched, place: ConsolePlace) -> None:
    """The page as it is, in both themes: nothing against WCAG, nothing in the browser's console.

    A theme is an attribute of the page, which the server writes by a cookie. The page is not loaded again to change it;
    the pages after it come in the theme of the cookie.
    """
    page = watched.page
    wide = list_wide(page)
    assert wide == [], wide
    html = page.locator("html")
    chosen = [each["value"] for each in page.context.cookies() if each["name"] == _THEME_COOKIE]
    now = html.get_attribute("data-theme")
    assert [now] == (chosen or [THEMES[0]])
    assert watched.find_violations() == [], f"{page.url} {now}"
    (other,) = set(THEMES) - {now}
    page.context.add_cookies([{"name": _THEME_COOKIE, "value": other, "url": place.url}])
    html.evaluate("(html, theme) => { html.dataset.theme = theme; }", other)
    contrast = watched.find_violations("color-contrast")  # the theme changes nothing else
    assert contrast == [], f"{page.url} {other}"
    assert watched.wrong == []


def list_wide(page: Page) -> list[str]:
    """What is wider than a narrow window, such as a wide one at 200 % (WCAG 1.4.10); what scrolls in itself is not.

    There a line of a table is a card: the name of a column that runs into the next one is found as well.
    """
    page.set_viewport_size(NARROW)
    wide: list[str] = page.evaluate(_WIDE) + page.evaluate(_CRAMPED)
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    return [f"{page.url}: {each}" for each in wide]


def press_place(watched: Watched, label: str) -> None:
    """Go to a place of the rail by its key."""
    number = watched.page.get_by_role("link", name=label, exact=True).get_attribute("data-place")
    watched.page.keyboard.press(f"Alt+{number}")
