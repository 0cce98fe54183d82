"""Makes the pictures of the console in ``docs/images/console-*.png``: every page, in the dark and the light theme.

Run as ``make pictures`` or ``python -m tools.console_pictures [FOLDER] [--width PIXELS]``. A device in the virtual
hospital makes exams with the simulators, so what is seen is what people see; Chromium takes the pictures. They are
looked at by people: no test compares them.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from openmodality.app.modality import Modality
from openmodality.app.simulation import make_simulator
from openmodality.cli.terminal.console import serve_console
from openmodality.exam.session import Exam
from openmodality.objects.state.presentation_state import Look
from openmodality.store.states import JobState
from tests.acceptance.hospital_site import in_hospital
from tests.console_site import PASSWORD, ConsolePlace
from tests.peers.browser import chromium
from tests.peers.process import wait_until
from tools.demo_picture import IMAGES

WIDTH: Final = 1280
HEIGHT: Final = 800
_COLOURS: Final = (256, 96, 48, 32, 24, 16)
_LARGEST_BYTES: Final = 150_000
_WITHIN_S: Final = 60.0
_SETTINGS: Final = 'simulator = true\npixel_folder = "scans"\n'
_TABLES: Final = """
[peers.teaching]
ae_title = "TEACHING"
host = "127.0.0.1"
port = 9
services = ["verification", "storage"]
description = "Teaching files, switched off today"
"""
_ROLES: Final = ("senior", "service", "auditor")
_VIEWED: Final = "om-image[data-shown]"


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, the page, and what is done there first; ``is_whole`` where all its greys are to be seen."""

    name: str
    path: str
    act: Callable[[Page], None] = lambda page: None
    waits_for: str = "#live.ok"
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures in both themes."""

    folder: Path
    width: int

    def take(self, page: Page, name: str, url: str, *, is_whole: bool = False) -> None:
        """A page as it is, in both themes: the theme is a cookie, and what was typed stays."""
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            page.wait_for_function("() => [...document.images].every((each) => each.complete)")
            path = self.folder / f"console-{name}{'-light' if theme == 'light' else ''}.png"
            picture = page.screenshot(animations="disabled")
            path.write_bytes(picture if is_whole else make_small(picture))
        wide = page.evaluate("document.documentElement.scrollWidth")
        print(f"{name:20} {url}{f'  {wide} pixels wide' if wide > self.width else ''}", flush=True)


@contextmanager
def open_place(folder: Path, profile: str) -> Iterator[ConsolePlace]:
    """A device in the virtual hospital, with its console and what Service shows of its log."""
    with in_hospital(folder, profile) as here, ExitStack() as stack:
        text = here.site.read_text(encoding="utf-8").replace("[console]\n", f"[console]\n{_SETTINGS}")
        here.site.write_text(f"{text}\n{_TABLES}", encoding="utf-8")
        (here.site.parent / "scans").mkdir()
        modality = stack.enter_context(Modality(here.site))
        modality.serve()
        server = stack.enter_context(serve_console(modality, here.hospital))
        assert server is not None
        yield ConsolePlace(here.hospital, here.site, modality, server, stack)


def make_small(picture: bytes) -> bytes:
    """A PNG of so many colours that it stays small: images of patients are greys with noise in them."""
    drawn = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in _COLOURS:
        made = io.BytesIO()
        drawn.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
        if made.tell() <= _LARGEST_BYTES:
            break
    return made.getvalue()


def make_exam(modality: Modality) -> Exam:
    """An exam of the next item of the worklist, with what the simulator scans."""
    items = [item for item in modality.worklist() if not modality.find_serving([item])[item.id]]
    exam = modality.start_exam(items[0])
    exam.acquire(make_simulator(modality.site, seed=exam.id))
    return exam


def prepare(place: ConsolePlace) -> Exam:
    """A device in the middle of its day: an exam that is done and kept, a job that waits, an exam in progress."""
    modality = place.modality
    done = make_exam(modality)
    if modality.site.profile.name == "mr":
        done.present([each.SOPInstanceUID for each in done.instances()][:1], Look(label="AS READ"))
    done.complete()
    wait_until(lambda: is_kept(modality, done), what="the first exam to be committed", timeout_s=_WITHIN_S)
    wait_until(lambda: any(job.attempts for job in modality.jobs.list(states=[JobState.TODO])), what="a job to wait")
    return make_exam(modality)


def is_kept(modality: Modality, exam: Exam) -> bool:
    """Whether an archive keeps all of an exam."""
    (study,) = modality.studies(StudyInstanceUID=exam.study_instance_uid)
    return study.committed == study.instances


def list_shots(place: ConsolePlace, exam: Exam) -> list[Shot]:
    """The pages, in the order in which a day goes."""
    (study,) = {each["StudyInstanceUID"] for each in place.modality.studies()} - {exam.study_instance_uid}
    series = place.modality.series(StudyInstanceUID=study)
    viewed = next(each for each in series if each.instances > 1)["SeriesInstanceUID"]
    job = place.modality.jobs.list(states=[JobState.TODO])[0]
    return [
        Shot("today", "/today", ask_ris),
        Shot("start", "/today", open_item),
        Shot("register", "/register"),
        Shot("exam", f"/exam/{exam.id}"),
        Shot("exam-acquire", f"/exam/{exam.id}", open_sources),
        Shot("images", "/images"),
        Shot("study", f"/images/study/{study}"),
        Shot("series", f"/images/series/{viewed}"),
        Shot("viewer", f"/viewer/series/{viewed}", measure, _VIEWED),
        Shot("pattern", "/viewer/pattern", waits_for=_VIEWED, is_whole=True),
        Shot("archive", "/archive", query_archive),
        Shot("jobs", "/jobs"),
        Shot("job", f"/jobs/{job.id}"),
        Shot("film-add", "/film/add"),
        Shot("film", "/film/add", put_on_film),
        Shot("media", "/media/add", put_on_disc),
        Shot("peers", "/peers", ask_peers),
        Shot("hospital", "/hospital"),
        Shot("service", "/service"),
        Shot("service-table", "/service/table/console"),
        Shot("service-change", "/service/table/console", change_setting),
        Shot("service-users", "/service/users"),
        Shot("service-certificates", "/service/certificates"),
        Shot("service-log", "/service/log"),
        Shot("service-earlier", "/service/table/console", write_setting),
        Shot("statement", "/statement"),
        Shot("audit", "/audit"),
        Shot("account", "/account"),
        Shot("keys", "/today", lambda page: page.get_by_role("button", name="Keys").click()),
    ]


OF_BOTH: Final = ("today", "start", "register", "exam", "exam-acquire", "viewer", "film", "study")
"""Pages on which the two devices differ; the others are shown of the MR device."""


def ask_ris(page: Page) -> None:
    """Ask for what is scheduled for this device."""
    page.get_by_role("button", name="Ask the RIS").click()
    page.wait_for_selector("#worklist tbody tr")


def open_item(page: Page) -> None:
    """Check the first item that nobody has started."""
    ask_ris(page)
    page.locator("#worklist tbody a[href^='/start/']").first.click()
    page.wait_for_selector("section.who")


def open_sources(page: Page) -> None:
    """Where pixels may come from; what is said of them, where the device lets the user say it."""
    page.locator("section.end details:not(.danger) > summary").first.click()


def measure(page: Page) -> None:
    """Show the middle image, and measure a distance and an ellipse on it."""
    page.wait_for_selector("[data-count]:has-text('of ')")
    middle = int(page.locator("#slice").get_attribute("max") or 1) // 2 + 1
    page.locator("#slice").fill(str(middle))
    page.locator("#slice").press("Enter")
    page.wait_for_selector("#preset option:nth-child(3)", state="attached")
    box = page.locator("om-image").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for key, start, end in (("d", (-90, -60), (40, -60)), ("e", (20, 20), (80, 70))):
        page.locator("om-image").focus()
        page.keyboard.press(key)
        page.mouse.move(x + start[0], y + start[1])
        page.mouse.down()
        page.mouse.move(x + end[0], y + end[1], steps=3)
        page.mouse.up()
    page.keyboard.press("Escape")
    page.mouse.move(x + 30, y - 30)


def query_archive(page: Page) -> None:
    """Ask the archive for all that it has."""
    page.get_by_label("Patient's Name").fill("*")
    page.get_by_role("button", name="Query", exact=True).click()
    page.wait_for_selector("table.tree tbody tr")
    page.locator("table.tree button.open").first.click()
    page.wait_for_selector("table.tree .level-3 input")


def put_on_film(page: Page) -> None:
    """All series of the study that is kept."""
    page.get_by_role("button", name="Add study").last.click()
    page.wait_for_selector("figure.sheet")
    page.get_by_role("button", name="Ask the printer").click()
    page.wait_for_selector("figure.sheet image")
    page.wait_for_load_state("load")


def put_on_disc(page: Page) -> None:
    """The study that is kept."""
    page.get_by_role("button", name="Add study").last.click()
    page.wait_for_selector(".room")


def ask_peers(page: Page) -> None:
    """Whether each is there."""
    for number in range(page.get_by_role("button", name="Echo").count()):
        page.get_by_role("button", name="Echo").nth(number).click()
        page.wait_for_load_state("load")


def change_setting(page: Page) -> None:
    """A change before it is written."""
    page.get_by_label("idle_minutes", exact=True).fill("20")
    page.get_by_role("button", name="Show what would change").click()
    page.wait_for_selector(".diff")


def write_setting(page: Page) -> None:
    """A change that is written, and what it was before."""
    change_setting(page)
    page.get_by_role("button", name="Write the site file").click()
    page.wait_for_load_state("load")
    page.goto(f"{page.url.partition('/service')[0]}/service/earlier")
    page.wait_for_selector("table.rows")


@contextmanager
def open_page(browser: Browser, camera: Camera) -> Iterator[Page]:
    """A page of a new context, as wide as the pictures."""
    context = browser.new_context(viewport={"width": camera.width, "height": HEIGHT}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(_WITHIN_S * 1000)
    yield page
    context.close()


def take_door(browser: Browser, place: ConsolePlace, camera: Camera) -> None:
    """The link at which the first user is made, and the page at which users log in."""
    with open_page(browser, camera) as page:
        page.goto(place.server.make_setup_url())
        camera.take(page, "setup", "/setup/LINK")
        place.add_user("anna", *_ROLES)
        page.goto(f"{place.url}/login")
        camera.take(page, "login", "/login")


def take_pages(profile: str, folder: Path, camera: Camera, names: list[str]) -> list[str]:
    """All pictures of a device; what could not be taken, and why."""
    failed: list[str] = []
    end = "" if profile == "mr" else f"-{profile}"
    with open_place(folder, profile) as place, chromium() as browser:
        take_door(browser, place, camera)
        shots = list_shots(place, prepare(place))
        with open_page(browser, camera) as page:
            page.goto(f"{place.url}/login")
            page.get_by_label("Name").fill("anna")
            page.get_by_label("Password").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector("#live.ok")
            for shot in shots:
                if (profile != "mr" and shot.name not in OF_BOTH) or (names and shot.name not in names):
                    continue
                try:
                    page.goto(f"{place.url}{shot.path}")
                    page.wait_for_selector(shot.waits_for)
                    shot.act(page)
                    camera.take(page, f"{shot.name}{end}", shot.path, is_whole=shot.is_whole)
                except PlaywrightError as error:
                    failed.append(f"{profile} {shot.name}: {error.message.splitlines()[0]}")
    return failed


def main() -> None:
    """Take the pictures of both devices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=IMAGES)
    parser.add_argument("--width", type=int, default=WIDTH, help="of the window, in pixels")
    parser.add_argument("--profile", choices=("mr", "rf"), action="append", help="one device only")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this page only")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for profile in chosen.profile or ("mr", "rf"):
        with tempfile.TemporaryDirectory() as name:
            failed += take_pages(profile, Path(name), Camera(chosen.folder, chosen.width), chosen.only)
    sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
