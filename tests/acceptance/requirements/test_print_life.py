"""Film and the life of a device: associations that are kept, exams that end, and the films that they used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality import Modality
from openmodality.activities.film_order import FilmOrder
from openmodality.app.local_data import Chosen
from openmodality.exam.session import Exam
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.print_device import NEEDED, make_print_device
from tests.acceptance.requirements.pynetdicom_hospital import Recorded, recorded_device
from tests.devices import add_image
from tests.peers.process import Address, free_port, wait_until
from tests.peers.pynetdicom_printer import PynetdicomPrinter, printing

PERSON = {"PatientID": "1", "PatientName": "Doe^Jane"}
ORDER = "N-ACTION Film Box"


def idle_for(seconds: int) -> str:
    return f"[parameters.print]\nassociation_idle_s = {seconds}\n"


@contextmanager
def idle_device(folder: Path, seconds: int) -> Iterator[tuple[PynetdicomPrinter, Modality, str]]:
    """A printer, a running device that keeps its association for so long, and the study that it has."""
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(folder / "device", "mr", address, head=idle_for(seconds))
        with Modality(device.folder / "site.toml") as modality:
            yield printer, modality, device.study


def print_study(modality: Modality, study: str) -> None:
    job = modality.films.order(Chosen([study]), "film", FilmOrder())
    assert modality.wait_until_idle(20)
    assert modality.jobs.show(job.id).job.state is JobState.DONE


def report(printer: PynetdicomPrinter) -> int:
    """What the device answers when the printer reports on its first association."""
    attributes = Dataset()
    attributes.PrinterStatusInfo = "SUPPLY LOW"
    status, _ = printer.associations[0].send_n_event_report(
        attributes, 2, "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17", meta_uid="1.2.840.10008.5.1.1.9"
    )
    return int(status.Status)


@pytest.mark.requirement("MR-4.1.1-04")
def test_an_association_is_kept_for_the_next_job_and_released_when_nothing_is_done_on_it(tmp_path: Path) -> None:
    with idle_device(tmp_path / "long", 60) as (printer, modality, study):
        print_study(modality, study)
        print_study(modality, study)
        assert (printer.names.count("A-ASSOCIATE"), printer.names.count(ORDER)) == (1, 2)
        assert printer.names.count("N-DELETE Film Session") == 2
        assert report(printer) == 0
    assert printer.end == "A-RELEASE"
    with idle_device(tmp_path / "short", 1) as (printer, modality, study):
        print_study(modality, study)
        assert printer.end == "A-RELEASE"
        print_study(modality, study)
        assert printer.names.count("A-ASSOCIATE") == 2


def test_an_association_that_died_while_it_was_kept_is_replaced(tmp_path: Path) -> None:
    with idle_device(tmp_path, 60) as (printer, modality, study):
        print_study(modality, study)
        printer.associations[0].abort()
        print_study(modality, study)
        assert (printer.names.count("A-ASSOCIATE"), printer.names.count(ORDER)) == (2, 2)


def test_an_association_is_not_kept_after_a_job_that_failed(tmp_path: Path) -> None:
    with idle_device(tmp_path, 60) as (printer, modality, study):
        printer.statuses = {"N-CREATE Film Box": 0x0110}
        modality.films.order(Chosen([study]), "film", FilmOrder())
        assert modality.wait_until_idle(20)
        assert printer.end
        printer.statuses = {}
        print_study(modality, study)
        assert printer.names.count("A-ASSOCIATE") == 2


@pytest.mark.requirement("MR-2.2.2-01")
def test_the_print_function_starts_and_ends_with_the_device(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        head = f"[application_entities.device]\nport = {free_port()}\n"
        device = make_print_device(tmp_path / "device", "mr", address, head=head)
        site = device.folder / "site.toml"

        def order() -> None:
            with Modality(site, works=False) as modality:
                modality.films.order(Chosen([device.study]), "film", FilmOrder())

        order()
        assert printer.names == []
        with Modality(site) as modality:
            modality.serve()
            wait_until(lambda: printer.names.count(ORDER) == 1, timeout_s=20)
        order()
        with Modality(site, works=False) as modality:
            assert next(job.state for job in modality.jobs.list(kinds=[JobKind.PRINT])) is JobState.TODO
        assert printer.names.count(ORDER) == 1


def printer_lines(profile: str, address: Address, more: str) -> str:
    peer = f'ae_title = "{address.aet}"\nhost = "{address.host}"\nport = {address.port}\nservices = ["print"]\n'
    return f"[peers.film]\n{peer}[printers.film]\n{NEEDED[profile]}{more}\n"


@contextmanager
def exam_device(folder: Path, profile: str, more: str = "") -> Iterator[tuple[PynetdicomPrinter, Recorded]]:
    """A device before a hospital and a printer of pynetdicom."""
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        lines = printer_lines(profile, address, more)
        with recorded_device(folder, profile, more=lines) as recorded:
            yield printer, recorded


def make_images(exam: Exam, count: int) -> list[str]:
    series = exam.series("T1", ProtocolName="T1")
    return [add_image(series, number) for number in range(1, count + 1)]


@pytest.mark.requirement("RF-4.1.1-11")
@pytest.mark.parametrize("profile", ["rf", "mr"])
def test_the_images_of_a_completed_exam_are_printed_by_themselves(tmp_path: Path, profile: str) -> None:
    lines = 'automatic = true\nautomatic_layout = "1x2"'
    with exam_device(tmp_path, profile, lines) as (printer, recorded), recorded.modality() as modality:
        with modality.exam(patient=PERSON) as exam:
            make_images(exam, 3)
        assert modality.wait_until_idle(20)
        assert printer.names.count(ORDER) == 2
        boxes = printer.find("N-SET Grayscale Image Box")
        assert [box.ImageBoxPosition for box in boxes] == [1, 2, 1]
        given_up = modality.start_exam(patient={**PERSON, "PatientID": "2"})
        make_images(given_up, 1)
        given_up.discontinue()
        assert modality.wait_until_idle(20)
        assert printer.names.count(ORDER) == 2


def test_nothing_is_printed_by_itself_where_the_site_does_not_say_so(tmp_path: Path) -> None:
    with exam_device(tmp_path, "rf") as (printer, recorded), recorded.modality() as modality:
        with modality.exam(patient=PERSON) as exam:
            make_images(exam, 1)
        assert modality.wait_until_idle(20)
        assert printer.names == []


def read_films(n_set: Dataset) -> Sequence[tuple[int, str, str]]:
    items = n_set.get("FilmConsumptionSequence") or []
    return [(int(item.NumberOfFilms), item.MediumType, item.FilmSizeID) for item in items]


def test_films_printed_during_a_step_are_told_to_the_ris(tmp_path: Path) -> None:
    """R/F Table 4.2-39."""
    with exam_device(tmp_path, "rf") as (printer, recorded), recorded.modality() as modality:
        orders = [
            FilmOrder(layout="1x2", copies=2, size="14INX17IN"),
            FilmOrder(layout="1x2", size="14INX17IN"),
            FilmOrder(layout="1x1", size="8INX10IN", medium="PAPER"),
        ]
        with modality.exam(patient=PERSON) as exam:
            make_images(exam, 3)
            for order in orders:
                modality.films.order(Chosen([exam.study_instance_uid]), "film", order)
            assert modality.wait_until_idle(20)
            printer.dies_at = 9
            modality.films.order(Chosen([exam.study_instance_uid]), "film", FilmOrder(layout="1x1", medium="PAPER"))
            assert modality.wait_until_idle(20)
        assert modality.wait_until_idle(20)
        (n_create,) = recorded.recorder.requests("N-CREATE-RQ")
        assert list(n_create.data.FilmConsumptionSequence) == []
        (n_set,) = recorded.recorder.requests("N-SET-RQ")
        usual = "8INX10IN"
        assert read_films(n_set.data) == [(6, "BLUE FILM", "14INX17IN"), (4, "PAPER", usual)]


def test_a_step_without_films_names_none(tmp_path: Path) -> None:
    with exam_device(tmp_path, "rf") as (_, recorded), recorded.modality() as modality:
        with modality.exam(patient=PERSON) as exam:
            make_images(exam, 1)
        assert modality.wait_until_idle(20)
        (n_set,) = recorded.recorder.requests("N-SET-RQ")
        assert "FilmConsumptionSequence" not in n_set.data


def test_two_jobs_of_two_printers_do_not_disturb_each_other(tmp_path: Path) -> None:
    first, second = PynetdicomPrinter(), PynetdicomPrinter()
    with printing(first) as one, printing(second, aet="OTHER") as two:
        more = f'\n[peers.other]\nae_title = "{two.aet}"\nhost = "{two.host}"\nport = {two.port}\nservices = ["print"]'
        device = make_print_device(tmp_path / "device", "mr", one, images=4, more=more)
        with Modality(device.folder / "site.toml") as modality:
            for name in ("film", "other", "film", "other"):
                modality.films.order(Chosen([device.study]), name, FilmOrder(layout="1x1"))
            assert modality.wait_until_idle(30)
    for printer in (first, second):
        assert printer.names.count(ORDER) == 8
        uids = [request.uid for request in printer.requests if request.name == ORDER]
        assert len(set(uids)) == 8
        sent = printer.find("N-SET Grayscale Image Box")
        pixels = [box.BasicGrayscaleImageSequence[0].PixelData for box in sent]
        assert pixels[:4] == pixels[4:]
