"""The console's viewer in Chromium: how soon the first image of a series is on screen, and how fast cine goes.

The browser runs without a window and without a graphics processor, on the machine of the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Page

from benchmarks.rows import AtLeast, AtMost, Row, Shown
from tests.console_site import PASSWORD, console_in_hospital
from tests.peers.browser import SIZE, chromium, watch
from tests.peers.objects import mr_series

_SIDE: Final = 512
_IMAGES: Final = 60
_WANTED: Final = 60
_CINE_S: Final = 4
_SHOWN: Final = "om-image[data-shown]"
_NOTE: Final = "addEventListener('om-shown', () => { window.shownAt ??= performance.now(); })"
_CINE: Final = """async ([wanted, seconds]) => {
    const root = document.querySelector(".viewer");
    const image = root.querySelector("om-image");
    root.querySelector("[data-field=speed]").value = wanted;
    root.querySelector("[data-do=cine]").click();
    await new Promise((done) => setTimeout(done, 1500));  // the first round fetches
    const [begun, drawn] = [performance.now(), image.drawn];
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    const rate = (1000 * (image.drawn - drawn)) / (performance.now() - begun);
    root.querySelector("[data-do=cine]").click();
    return rate;
}"""


def measure_viewer(rounds: int) -> list[Row]:
    """Rows of the table."""
    with _open_series() as (page, url):
        first = tuple(_time_first(page, url) for _ in range(rounds))
        rates = tuple(_measure_cine(page, url) for _ in range(rounds))
        computed = tuple(_measure_cine(page, f"{url}?painter=webgl-always") for _ in range(rounds))
    size = f"{_SIDE} x {_SIDE} of 12 bits"
    return [
        Row(f"first image of a series, {size}, ms from the click", first, AtMost(300), f"{median(first):.0f} ms"),
        Row(f"cine, {size}, frames a second by canvas 2D", rates, AtLeast(57), f"{median(rates):.0f} a second"),
        Row(
            f"cine, {size}, frames a second by WebGL2 in software",
            computed,
            Shown(),
            f"{median(computed):.0f} a second",
        ),
    ]


@contextmanager
def _open_series() -> Iterator[tuple[Page, str]]:
    with TemporaryDirectory() as folder, console_in_hospital(Path(folder) / "device") as place:
        place.modality.import_files(mr_series(Path(folder) / "made", _IMAGES, rows=_SIDE, columns=_SIDE))
        (series,) = place.modality.series()
        place.add_user("anna", "viewer")
        with chromium() as browser:
            page = watch(browser.new_context(viewport=SIZE)).page  # type: ignore[arg-type]
            page.add_init_script(_NOTE)
            page.goto(place.url)
            page.get_by_label("Name").fill("anna")
            page.get_by_label("Password").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector("#live.ok")
            yield page, f"{place.url}/viewer/series/{series['SeriesInstanceUID']}"


def _time_first(page: Page, url: str) -> float:
    page.goto(f"{url.partition('/viewer')[0]}/images")
    page.wait_for_selector("#live.ok")
    page.goto(url)
    page.wait_for_selector(_SHOWN)
    shown: float = page.evaluate("window.shownAt")
    return shown


def _measure_cine(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_selector(_SHOWN)
    page.wait_for_selector(f"[data-count]:has-text('of {_IMAGES}')")
    rate: float = page.evaluate(_CINE, [_WANTED, _CINE_S])
    return rate
