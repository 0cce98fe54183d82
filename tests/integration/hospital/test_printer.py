"""The virtual printer prints for a device, and misbehaves for it, on a real association."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openmodality.hospital.addresses import PRINTER, Endpoint
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.personalities import PERSONALITIES
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.peers.process import Address


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path / "hospital", Endpoint("RIS"), Endpoint("PACS"), Endpoint(PRINTER.aet))


def make(tmp_path: Path, hospital: Hospital, profile: str = "mr", images: int = 1) -> PrintDevice:
    peer = hospital.peer("printer")
    return make_print_device(tmp_path / "device", profile, Address(peer.ae_title, peer.port), images=images)


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_a_sheet_is_written_as_a_picture(tmp_path: Path, hospital: Hospital, profile: str) -> None:
    with hospital:
        device = make(tmp_path, hospital, profile, images=2)
        assert device.print("--layout", "1x2", "--copies", 2, "--size", "8INX10IN")[0] == 0
        (printed,) = hospital.printer.films
    assert [image.position for image in printed.film.images] == [1, 2]
    assert (printed.film.image_display_format, printed.session.number_of_copies) == ("STANDARD\\1,2", 2)
    picture = np.asarray(Image.open(printed.picture))
    assert picture.shape == (1500, 1200)
    assert picture.std() > 10
    pages = printed.picture.with_suffix(".pdf").read_bytes()
    assert (pages[:5], pages.count(b"/Type /Page /Parent"), pages.count(b"/Subtype /Image")) == (b"%PDF-", 1, 2)
    said = json.loads(printed.picture.with_suffix(".json").read_text(encoding="utf-8"))
    assert said["session"]["20000010"]["Value"] == [2]
    assert hospital.complaints == []
    assert [event.kind for event in hospital.events if event.place == "PRINTER"] == ["film.printed"]


def test_sheets_are_numbered_on_after_a_restart(tmp_path: Path, hospital: Hospital) -> None:
    with hospital:
        assert make(tmp_path, hospital).print()[0] == 0
    again = Hospital(tmp_path / "hospital", Endpoint("RIS"), Endpoint("PACS"), Endpoint(PRINTER.aet))
    with again:
        assert make(tmp_path / "other", again).print()[0] == 0
        assert [film.picture.name for film in again.printer.films] == ["film-0002.png"]


STATUSES = sorted(
    name for name in PERSONALITIES if re.fullmatch(r"(printer|session|film|image|print|delete)-[0-9a-f]{4}", name)
)


@pytest.mark.parametrize("personality", STATUSES)
def test_each_status_comes_where_its_name_says(tmp_path: Path, hospital: Hospital, personality: str) -> None:
    """The device tells of the status, be it a warning that it prints on at or a failure that it stops at."""
    with hospital:
        device = make(tmp_path, hospital)
        hospital.misbehave(f"printer:{personality}")
        _, text = device.print("--layout", "1x1")
        assert device.do("jobs", "show", 1)[0] == 0
        told = text + device.do("jobs", "show", 1)[1]
    assert personality.rpartition("-")[2].upper() in told


@pytest.mark.parametrize(
    ("personality", "status", "said"),
    [
        ("printer-warning", 0, "SUPPLY LOW"),
        ("printer-failure", 1, "FILM JAM"),
        ("printer-event", 0, "printer warning: SUPPLY LOW"),
        ("printer-event-failure", 0, "printer failure: FILM JAM"),
        ("session-0116", 0, "0116"),
        ("session-b600", 1, "B600"),
        ("film-b605", 0, "B605"),
        ("image-b604", 0, "B604"),
        ("image-b60a", 1, "B60A"),
        ("image-c605", 1, "printer is out of memory"),
        ("print-b603", 0, "B603"),
        ("print-c602", 1, "print queue is full"),
        ("delete-0110", 1, "not deleted"),
        ("out-of-film", 1, "SUPPLY EMPTY"),
        ("film-c616@2", 1, "C616"),
        ("print-lost-answer", 1, "sheet 1 may have been printed, or not"),
    ],
)
def test_a_personality_shows_to_the_device(
    tmp_path: Path, hospital: Hospital, personality: str, status: int, said: str
) -> None:
    with hospital:
        device = make(tmp_path, hospital, images=2)
        hospital.misbehave(f"printer:{personality}")
        ended, text = device.print("--layout", "1x1")
    assert (ended, said in text) == (status, True), text


def test_the_printer_is_out_of_film_at_the_third_sheet_and_the_rest_is_printed_later(
    tmp_path: Path, hospital: Hospital
) -> None:
    with hospital:
        device = make(tmp_path, hospital, images=4)
        hospital.misbehave("printer:out-of-film@3")
        status, said = device.print("--layout", "1x1")
        assert (status, "SUPPLY EMPTY" in said, len(hospital.printer.films)) == (1, True, 2)
        hospital.behave()
        assert device.do("jobs", "retry", 1)[0] == 0
        assert device.work()
        assert len(hospital.printer.films) == 4
