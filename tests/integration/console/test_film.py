"""Film: put together, shown, printed on a printer made of pynetdicom, and what it says told in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from io import BytesIO

import pytest
from PIL import Image

from openmodality import Modality
from openmodality.console.pages.film_view import format_frames, read_frames
from openmodality.console.server import ConsoleServer
from openmodality.errors import UsageError
from openmodality.jobs.job import Job
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.print_device import make_print_device
from tests.console_site import ConsolePlace, Visitor
from tests.peers.objects import mr_series
from tests.peers.process import free_port
from tests.peers.pynetdicom_printer import PynetdicomPrinter, printing

LIGHT_BOX = 'smoothing_types = ["MEDIUM"]\nconfiguration_information = ["CS000"]\n'


@dataclass
class LightBox:
    """A user at the page Film: a study of three images, one of another patient, and a printer that records."""

    place: ConsolePlace
    visitor: Visitor
    printer: PynetdicomPrinter
    statuses: dict[str, int]
    study: str
    other: str

    def put(self, **what: str) -> str:
        """Add something to the film; the page then."""
        self.visitor.post("/film/add", **what)
        return self.visitor.get("/film").text

    def print(self, **fields: str) -> str:
        """Print with these fields as they are in a form; the page then."""
        version = re.search(r'name="version" value="(\d+)"', self.visitor.get("/film").text)
        assert version
        self.visitor.post("/film/print", **{"version": version[1], "annotation": "yes", **fields})
        assert self.place.modality.wait_until_idle(30)
        return self.visitor.get("/film").text

    def clear(self) -> None:
        self.visitor.post("/film/remove", all="yes")
        self.printer.requests.clear()

    @property
    def last_job(self) -> Job:
        return self.place.modality.jobs.list(kinds=[JobKind.PRINT], limit=1)[0]


@pytest.fixture(scope="module", params=["mr", "rf"])
def box(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LightBox]:
    folder, statuses = tmp_path_factory.mktemp("film"), dict[str, int]()
    printer = PynetdicomPrinter(statuses)
    with printing(printer) as address:
        more = f'\n[printers.second]\npeer = "film"\ndescription = "beside the lift"\n{LIGHT_BOX}'
        console = f"[console]\nport = {free_port()}\n"
        device = make_print_device(folder / "device", request.param, address, images=3, more=f"{more}\n{console}")
        with Modality(device.folder / "site.toml") as modality:
            second = mr_series(folder / "other", 1, PatientID="OTHER", PatientName="Other^<b>")
            modality.import_files(second)
            (other,) = modality.studies(PatientID="OTHER")
            with ConsoleServer(modality) as server, ExitStack() as clients:
                place = ConsolePlace(None, device.folder, modality, server, clients)  # type: ignore[arg-type]
                place.add_user("anna", "operator")
                visitor = place.log_in("anna")
                yield LightBox(place, visitor, printer, statuses, device.study, other["StudyInstanceUID"])


@pytest.fixture(autouse=True)
def begin_anew(request: pytest.FixtureRequest) -> None:
    if "box" in request.fixturenames:
        made: LightBox = request.getfixturevalue("box")
        made.clear()
        made.statuses.clear()
        made.printer.status = made.printer.info = "NORMAL"


def read_uids(page: str) -> list[str]:
    """The images in the order of the film, as the list has them."""
    table = page.partition('id="order-title"')[2]
    return list(dict.fromkeys(re.findall(r'name="uid" value="([\d.]+)"', table)))


@pytest.mark.requirement(
    "MR-2.2-01", "MR-2.2.1-01", "MR-2.2.2-03", "MR-4.2-01", "MR-4.2.1.1-01", "RF-4.1.1-11", "RF-4.2.7.3.1.1-07"
)
def test_what_the_user_composes_is_printed_in_this_order(box: LightBox) -> None:
    page = box.put(study=box.study)
    first = read_uids(page)
    assert len(first) == 3
    assert "1 sheet" in page
    box.visitor.post("/film/place", uid=first[2], to="1")
    assert read_uids(box.visitor.get("/film").text) == [first[2], first[0], first[1]]
    said = box.print(layout="STANDARD\\1,2", copies="2", size="14INX17IN")
    assert box.last_job.state is JobState.DONE
    assert "prints 3 images" in said
    (session,) = box.printer.find("N-CREATE Film Session")
    films = box.printer.find("N-CREATE Film Box")
    assert (session.NumberOfCopies, len(films)) == (2, 2)
    assert {(film.FilmSizeID, film.ImageDisplayFormat) for film in films} == {("14INX17IN", "STANDARD\\1,2")}
    instances = [each.SOPInstanceUID for each in box.place.modality.jobs.show(box.last_job.id).instances]
    assert instances == [first[2], first[0], first[1]]
    assert read_uids(box.visitor.get("/film").text) == [], "what was printed is not printed twice"


@pytest.mark.requirement("RF-4.2.7.3.1.5.1-01", "RF-4.2.7.3.1.6.1-01", "MR-11.2-07", "MR-11.2-08", "MR-11.2-09")
def test_everything_that_the_user_chooses_is_sent(box: LightBox) -> None:
    box.put(study=box.study)
    box.print(
        printer="film", copies="99", priority="HIGH", medium="PAPER", destination="MAGAZINE", size="24CMX30CM",
        orientation="LANDSCAPE", magnification="BILINEAR", border_density="WHITE", empty_image_density="WHITE",
        min_density="0", max_density="9999", trim="YES", layout="STANDARD\\2,2",
    )  # fmt: skip
    assert box.last_job.state is JobState.DONE, box.last_job.reason
    (session,), (film,) = box.printer.find("N-CREATE Film Session"), box.printer.find("N-CREATE Film Box")
    assert (session.NumberOfCopies, session.PrintPriority) == (99, "HIGH")
    assert (session.MediumType, session.FilmDestination) == ("PAPER", "MAGAZINE")
    assert (film.FilmSizeID, film.FilmOrientation, film.ImageDisplayFormat) == (
        "24CMX30CM", "LANDSCAPE", "STANDARD\\2,2",
    )  # fmt: skip
    assert (film.MagnificationType, film.BorderDensity, film.EmptyImageDensity) == ("BILINEAR", "WHITE", "WHITE")
    assert (film.MinDensity, film.MaxDensity, film.Trim) == (0, 9999, "YES")


@pytest.mark.requirement("MR-4.1.1-01")
def test_the_printer_is_chosen(box: LightBox) -> None:
    page = box.put(study=box.study)
    assert "second: beside the lift" in page
    box.print(printer="second")
    assert (box.last_job.destination, box.last_job.state) == ("second", JobState.DONE)


def test_what_is_out_of_its_range_is_said_at_the_field_and_nothing_is_lost(box: LightBox) -> None:
    box.put(study=box.study)
    answer = box.visitor.post("/film/choices", copies="100", priority="HIGH", max_density="10000", window_width="5")
    assert answer.status_code == 400
    for said in ("Copies is a whole number from 1 to 99", "from 0 to 9999", "A window has center and width"):
        assert said in answer.text
    assert 'value="100"' in answer.text
    assert '<option value="HIGH" selected>' in answer.text
    before = len(box.place.modality.jobs.list(kinds=[JobKind.PRINT]))
    assert "Copies is a whole number" in box.print(copies="100")
    assert len(box.place.modality.jobs.list(kinds=[JobKind.PRINT])) == before


def test_a_sheet_is_what_is_printed_in_its_proportions(box: LightBox) -> None:
    box.put(study=box.study)
    box.visitor.post("/film/choices", size="14INX17IN", orientation="LANDSCAPE", layout="STANDARD\\2,2")
    page = box.visitor.get("/film").text
    assert 'viewBox="0 0 431.8 355.6"' in page
    assert page.count('class="box"') == 4
    answer = box.visitor.get("/film/sheet/1")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(BytesIO(answer.content)) as picture:
        width, height = picture.size
    assert width / height == pytest.approx(17 / 14, rel=0.01)
    assert box.visitor.get("/film/sheet/2").status_code == 404


def test_images_of_a_second_patient_are_told_and_printed_only_when_that_is_said(box: LightBox) -> None:
    assert "patients are on this film" not in box.put(study=box.study)
    page = box.put(study=box.other)
    assert "Images of 2 patients are on this film" in page
    assert "Other, &lt;b&gt; (OTHER)" in page
    before = len(box.place.modality.jobs.list(kinds=[JobKind.PRINT]))
    for layout in ("STANDARD\\2,2", "STANDARD\\1,1"):  # on one sheet, and on sheets of their own
        said = box.print(layout=layout)
        assert "Nothing was printed: there are images of 2 patients on it" in said
        assert "(OTHER)" in said.partition("</main>")[0]
    assert len(box.place.modality.jobs.list(kinds=[JobKind.PRINT])) == before
    assert box.printer.requests == []
    box.print(layout="STANDARD\\2,2", several="yes")
    assert box.last_job.state is JobState.DONE
    assert len(box.printer.find("N-CREATE Film Box")) == 1


def test_a_film_that_was_changed_elsewhere_is_looked_at_again(box: LightBox) -> None:
    box.put(study=box.study)
    version = re.search(r'name="version" value="(\d+)"', box.visitor.get("/film").text)
    assert version
    box.put(study=box.other)
    box.visitor.post("/film/print", version=version[1], several="yes")
    assert "was changed meanwhile" in box.visitor.get("/film").text
    assert box.printer.requests == []


@pytest.mark.requirement("MR-2.2.2-04", "RF-4.1.2.7-03")
def test_a_printer_that_is_not_normal_is_told_and_the_film_restarted_or_cancelled(box: LightBox) -> None:
    box.printer.status, box.printer.info = "FAILURE", "FILM JAM"
    box.put(study=box.study)
    said = box.print()
    assert "is in FAILURE: FILM JAM" in said
    assert f'action="/jobs/{box.last_job.id}/retry"' in said
    box.visitor.post("/film/ask", printer="film")
    page = box.visitor.get("/film").text
    assert "Film says: FAILURE: FILM JAM." in page
    assert "FILM JAM" in page.partition('class="printer-says"')[2].partition("</div>")[0]
    box.printer.status = box.printer.info = "NORMAL"
    box.visitor.post(f"/jobs/{box.last_job.id}/retry")
    assert box.place.modality.wait_until_idle(30)
    assert box.last_job.state is JobState.DONE
    box.printer.status, box.printer.info = "FAILURE", "FILM JAM"
    box.put(study=box.study)
    box.print()
    failed = box.last_job.id
    box.visitor.post(f"/film/jobs/{failed}/cancel")
    assert [job.id for job in box.place.modality.jobs.list(states=[JobState.CANCELLED], limit=1)] == [failed]


@pytest.mark.requirement("RF-4.2.7.3.1.4.1-03", "RF-4.2.7.3.1.4.1-04", "RF-4.2.7.3.1.4.1-05")
@pytest.mark.parametrize("status", ["FAILURE", "WARNING", "NORMAL"])
def test_what_the_printer_says_is_told_under_jobs(box: LightBox, caplog: pytest.LogCaptureFixture, status: str) -> None:
    box.printer.status, box.printer.info = status, "SUPPLY LOW" if status != "NORMAL" else "NORMAL"
    box.put(study=box.study)
    with caplog.at_level(logging.INFO, "openmodality"):
        film = box.print()
    job = box.last_job
    assert job.state is (JobState.FAILED if status == "FAILURE" else JobState.DONE)
    assert (box.printer.find("N-ACTION Film Box") == []) is (status == "FAILURE"), "a warning stops nothing"
    line = film.partition(f'id="film-job-{job.id}"')[2].partition("</tr>")[0]
    for shown in (line, box.visitor.get(f"/jobs/{job.id}").text):
        assert ("SUPPLY LOW" in shown) is (status != "NORMAL")
    logged = " ".join(str(value) for record in caplog.records for value in record.__dict__.values())
    assert ("SUPPLY LOW" in logged) is (status != "NORMAL")
    if job.state is JobState.FAILED:
        box.place.modality.jobs.cancel(job.id)


@pytest.mark.requirement("RF-4.2.7.3.1.3-02")
def test_a_printer_that_is_lost_fails_the_job_and_a_person_decides_on_the_sheet(box: LightBox) -> None:
    box.printer.dies_at = box.printer.names.count("N-ACTION Film Box") + 1
    box.put(study=box.study)
    page = box.print()
    job = box.last_job
    box.printer.dies_at = 0
    assert job.state is JobState.FAILED
    line = page.partition(f'id="film-job-{job.id}"')[2].partition("</tr>")[0]
    needs = unescape(box.visitor.get("/jobs").text).partition("Needs you")[2].partition("Being done")[0]
    for shown in (unescape(line), needs.partition(f"job {job.id}<")[2].partition("</tr>")[0]):
        assert "may have been printed, or not" in shown, shown
    box.place.modality.jobs.cancel(job.id)


@pytest.mark.requirement(
    "RF-4.2.7.3.1.4.1-06", "RF-4.2.7.3.1.5.1-04", "RF-4.2.7.3.1.5.2-02", "RF-4.2.7.3.1.6.1-06", "RF-4.2.7.3.1.6.2-04",
    "RF-4.2.7.3.1.6.2-05", "RF-4.2.7.3.1.7.1-05", "RF-4.2.7.3.1.7.1-06", "MR-2.2.2-04",
)  # fmt: skip
@pytest.mark.parametrize(
    ("request_name", "status", "meaning"),
    [
        ("N-GET Printer", 0x0110, "printer status not received"),
        ("N-CREATE Film Session", 0x0106, "not created"),
        ("N-CREATE Film Box", 0xC616, "not created"),
        ("N-SET Grayscale Image Box", 0xC603, "image larger than its box"),
        ("N-SET Grayscale Image Box", 0x0110, "not done"),
        ("N-ACTION Film Box", 0xC602, "print queue is full"),
        ("N-ACTION Film Box", 0x0110, "not done"),
        ("N-DELETE Film Session", 0x0112, "not deleted"),
    ],
)
def test_each_failing_status_is_told_in_words(box: LightBox, request_name: str, status: int, meaning: str) -> None:
    if box.place.modality.site.profile.name != "rf":
        pytest.skip("the words are those of the R/F statement")
    box.statuses[request_name] = status
    box.put(study=box.study)
    page = box.print()
    line = page.partition(f'id="film-job-{box.last_job.id}"')[2].partition("</tr>")[0]
    assert f"{status:04X}" in line
    assert meaning in line
    box.place.modality.jobs.cancel(box.last_job.id)


def test_frames_as_people_write_them() -> None:
    assert read_frames("1-4, 9,2") == (1, 2, 3, 4, 9)
    assert (format_frames((1, 2, 3)), format_frames((7,)), format_frames((1, 3))) == ("1-3", "7", "1, 3")
    for wrong in ("", "0", "4-2", "x", "1-99999"):
        with pytest.raises(UsageError):
            read_frames(wrong)
