"""The console: when a page is seen, what pages of thousands take, and what open streams take from a busy device.

``python -m benchmarks.console URL TOKEN NUMBER`` is one process: so many programs that hear what changes, until it
is ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import httpx
from playwright.sync_api import Browser, Page
from pydicom import dcmread

from benchmarks import data
from benchmarks.data import cache
from benchmarks.ends import ONE_AT_A_TIME, End, call_ours, is_accepting, listening, timed
from benchmarks.rows import AtLeast, AtMost, Row, Shown
from benchmarks.serving import describe_receiver
from benchmarks.sites import save_site
from openmodality import Modality
from openmodality.console.memory import Asked
from openmodality.console.security.accounts import Accounts, SessionLimits
from openmodality.console.server import ConsoleServer
from openmodality.console.template_files import StaticFiles
from openmodality.device.site.new_site import write_site
from openmodality.store.rows.worklist import keep_items
from tests.console_site import PASSWORD, ConsolePlace, Visitor
from tests.made_index import fill_index, make_series_uid
from tests.peers.browser import chromium
from tests.peers.process import free_port, wait_until
from tests.stand_in import scheduled

ITEMS: Final = 5_000
IMAGES: Final = 10_000
STREAMS: Final = 5
_RECEIVED: Final = 1000
_LOOKED_AT: Final = 200
_A_SECOND: Final = 15
"""So many images go by in a second: as fast as a wheel is turned, and as cine begins."""
_HEAVIEST_KB: Final = 150.0
_PAINT_MS: Final = 300.0
_PAGE_MS: Final = 1000.0
_PAINTED: Final = """() => new Promise((tell) => new PerformanceObserver((seen) => {
  const [painted] = seen.getEntriesByName("first-contentful-paint");
  if (painted) tell(painted.startTime);
}).observe({ type: "paint", buffered: true }))"""
_SCROLL: Final = """([images, rate]) => {
  const image = document.querySelector("om-image");
  let turned = 0;
  setInterval(() => {
    const down = Math.floor(turned++ / (images - 1)) % 2 === 0;
    image.dispatchEvent(new WheelEvent("wheel", { deltaY: down ? 100 : -100, bubbles: true, cancelable: true }));
  }, 1000 / rate);
}"""


@contextmanager
def serve_thousands(folder: Path) -> Iterator[ConsolePlace]:
    """A console with a long worklist that somebody has asked for, and a study of two long series, by rows alone."""
    site = write_site(folder, "mr")
    text = site.read_text("utf-8").replace("# port = 11180", f"port = {free_port()}")
    site.write_text(text.replace('# durability = "fsync"', 'durability = "os"'), "utf-8")
    with Modality(site, works=False) as modality, ConsoleServer(modality) as server:
        fill_index(modality.database, 1, IMAGES // 2)
        today = f"{datetime.now():%Y%m%d}"
        found = [(scheduled(number, start_date=today, name=f"Doe^{number}"), ()) for number in range(ITEMS)]
        with modality.database.write() as transaction:
            items = keep_items(transaction, "ris", found, whole=True)
        server.context.memory.note_asked(Asked(modality.clock(), "ris", {}, [item.id for item in items]))
        place = ConsolePlace(None, site, modality, server, None)  # type: ignore[arg-type]
        place.add_user("anna", "senior", "service")
        yield place


def list_pages(place: ConsolePlace) -> dict[str, str]:
    """Pages with thousands behind them, by what they are called in the table."""
    item = place.modality.worklist_items()[0].id
    series = make_series_uid(0, 1)
    return {
        f"Today, {ITEMS:,} items": "/today",
        f"Today, one of {ITEMS:,} looked for": "/today/list?find=Doe+4321",
        f"Check and start, {ITEMS:,} on the list": f"/start/{item}",
        "Images": "/images",
        f"Study of {IMAGES:,} images": "/images/study/1.2.3.0",
        f"Series of {IMAGES // 2:,} images": f"/images/series/{series}",
        f"Series of {IMAGES // 2:,} images, its end": f"/images/series/{series}?offset={IMAGES // 2 - 60}",
        "Jobs": "/jobs",
        "Service": "/service",
    }


def measure_pages(rounds: int) -> list[Row]:
    """What each page takes over HTTP, and until it is painted in Chromium."""
    rows = [_weigh()]
    with TemporaryDirectory(dir=cache()) as folder, serve_thousands(Path(folder)) as place, chromium() as browser:
        with httpx.Client(base_url=place.url, headers={"origin": place.url}, timeout=60) as client:
            client.post("/login", data={"name": "anna", "password": PASSWORD})
            pages = list_pages(place)
            for name, path in pages.items():
                times = [_time_page(Visitor(client), path) for _ in range(rounds + 1)][1:]
                rows.append(Row(f"{name}: ms over HTTP", tuple(times), AtMost(_PAGE_MS), f"{median(times):.0f} ms"))
        for name, path in pages.items():
            if "/list" not in path:
                times = _time_paint(browser, place, path, rounds)
                what = f"{name}: ms to the first paint in Chromium"
                rows.append(Row(what, tuple(times), AtMost(_PAINT_MS), f"{median(times):.0f} ms"))
    return rows


def _weigh() -> Row:
    kilobytes = sum(map(len, StaticFiles().content.values())) / 1000
    return Row("All script and style of the console in KB", (kilobytes,), AtMost(_HEAVIEST_KB), f"{kilobytes:.0f} KB")


def _time_page(visitor: Visitor, path: str) -> float:
    start = perf_counter()
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    return (perf_counter() - start) * 1000


def _time_paint(browser: Browser, place: ConsolePlace, path: str, rounds: int) -> list[float]:
    """The first paint of a page that is opened anew, with the static files that a browser has kept."""
    context = browser.new_context()
    page = context.new_page()
    _log_in(page, place.url)
    times = []
    for _ in range(rounds + 1):
        page.goto(f"{place.url}{path}")
        times.append(float(page.evaluate(_PAINTED)))
    context.close()
    return times[1:]


def _log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#live")


@dataclass(frozen=True, slots=True)
class Watching:
    """What else is open while a device receives: streams of events, and a viewer that pages through a series."""

    streams: int = 0
    has_viewer: bool = False

    def __str__(self) -> str:
        viewer = " and a viewer scrolling" if self.has_viewer else ""
        return f"{self.streams} streams of events open{viewer}"


def measure_receiving(rounds: int) -> list[Row]:
    """How fast a device receives while others look, and while nobody does, in turn."""
    folder = data.series("mr-1000", _RECEIVED, 256, 256)
    rows = []
    for watching in (Watching(STREAMS), Watching(STREAMS, has_viewer=True)):
        pairs = [(_receive(folder, watching), _receive(folder, Watching())) for _ in range(rounds)]
        figures = " vs ".join(f"{median(_RECEIVED / pair[side] for pair in pairs):.0f}/s" for side in (0, 1))
        ratios = tuple(without / seconds for seconds, without in pairs)
        what = f"{_RECEIVED} x 128 KB to serve, {watching} vs none"
        rows.append(Row(what, ratios, AtLeast(0.9) if rounds > 1 else Shown(), figures))
    return rows


def _receive(files: Path, watching: Watching) -> float:
    """The seconds that a sender takes, less those that it takes for one file."""
    console = free_port()
    receiver = End("serve with a console", lambda folder, port: _serve(folder, port, console), ONE_AT_A_TIME.send)
    with listening(receiver) as (port, folder), ExitStack() as beside:
        wait_until(lambda: is_accepting(console), what="the console to listen", timeout_s=60)
        url, site = f"http://127.0.0.1:{console}", folder / "site.toml"
        if watching.streams:
            beside.enter_context(_hearing(url, site, watching.streams))
        if watching.has_viewer:
            looked_at = data.series("mr-200-512", _LOOKED_AT, 512, 512)
            timed(ONE_AT_A_TIME.send(looked_at, port))
            beside.enter_context(_scrolling(url, site, looked_at))
        one = timed(ONE_AT_A_TIME.send(min(files.iterdir()), port))
        return timed(ONE_AT_A_TIME.send(files, port)) - one


def _serve(folder: Path, port: int, console: int) -> Sequence[str]:
    site = save_site(folder, describe_receiver(port), f"\n[console]\nport = {console}\n")
    return call_ours("serve", "-c", str(site))


@contextmanager
def _hearing(url: str, site: Path, streams: int) -> Iterator[None]:
    """Programs that hear what changes, in a process of their own."""
    made = call_ours("console", "token", "add", "bench", "--scope", "view", "-c", str(site))
    token = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    command = (sys.executable, "-m", "benchmarks.console", url, token, str(streams))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for _ in range(streams):
            assert process.stdout.readline() == "hello\n"
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _scrolling(url: str, site: Path, looked_at: Path) -> Iterator[None]:
    """A person who pages through a series in Chromium, on the machine of the device, until the block ends."""
    series = dcmread(min(looked_at.iterdir()), stop_before_pixels=True).SeriesInstanceUID
    with Modality(site, works=False) as modality:
        accounts = Accounts(modality.database, SessionLimits.of(modality.site.settings.console))
        accounts.use_link(accounts.add_user("anna", ["viewer"]), PASSWORD)
    with chromium() as browser:
        page = browser.new_page()
        _log_in(page, url)
        page.goto(f"{url}/viewer/series/{series}")
        page.wait_for_selector(f"[data-count]:has-text('of {_LOOKED_AT}')")
        page.evaluate(_SCROLL, [_LOOKED_AT, _A_SECOND])
        yield
        assert page.evaluate("document.querySelector('om-image').drawn") > 1, "nobody scrolled"


def make_rows(rounds: int) -> list[Row]:
    """All rows of the console."""
    return [*measure_pages(rounds), *measure_receiving(rounds)]


def _hear(url: str, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{url}/api/v1/events", headers=headers, timeout=60) as answer:
        for line in answer.iter_lines():
            if line == "event: hello":
                os.write(sys.stdout.fileno(), b"hello\n")  # in one piece: print writes the line and its end apart


if __name__ == "__main__":
    heard = [threading.Thread(target=_hear, args=sys.argv[1:3]) for _ in range(int(sys.argv[3]))]
    for thread in heard:
        thread.start()
