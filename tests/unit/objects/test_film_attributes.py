"""Attribute lists of print requests, by the tables of both devices, compared with what the statements give."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openmodality.device.profile.loader import load_profile
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ObjectInvalid
from openmodality.objects.film import Film, FilmImage, FilmSession
from openmodality.objects.film_attributes import FilmAttributes

SPEC = Path(__file__).parents[2] / "data" / "spec"
BEYOND = {
    ("Presentation LUT", "N-CREATE"), ("Printer", "N-EVENT-REPORT"),
}  # fmt: skip
FILM = Film(
    "STANDARD\\1,1", film_orientation="PORTRAIT", film_size_id="14INX17IN", magnification_type="CUBIC",
    smoothing_type="MEDIUM", border_density="BLACK", empty_image_density="BLACK", min_density=20, max_density=300,
    trim="NO", configuration_information="CS000",
)  # fmt: skip
GREY = FilmImage(1, np.zeros((1024, 1280), np.uint8))
SESSION = FilmSession(number_of_copies=1, print_priority="MED", medium_type="PAPER", film_destination="MAGAZINE")


def make(tmp_path: Path, profile: str) -> FilmAttributes:
    (tmp_path / "site.toml").write_text(f'profile = "{profile}"\n', encoding="utf-8")
    return FilmAttributes(load_site(tmp_path))


def read_stated(profile: str) -> set[tuple[str, str, str]]:
    with (SPEC / profile / "print_attributes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kind = "dimse" if profile == "mr" else "operation"
    return {(row["sop_class"], row[kind], row["path"]) for row in rows if row["keyword"]}


def format_path(path: tuple[int, ...]) -> str:
    return ">".join(f"{tag >> 16:04X},{tag & 0xFFFF:04X}" for tag in path)


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_every_attribute_of_the_statement_is_in_the_table(profile: str) -> None:
    table = {
        (each.sop_class, each.operation, format_path(each.rule.path)) for each in load_profile(profile).print_attributes
    }
    assert read_stated(profile) <= table
    more = {(row[0], row[1], row[2]) for row in table - read_stated(profile) if row[:2] not in BEYOND}
    assert {path.partition(">")[0] for _, _, path in more} <= {"0008,0005", "2050,0500", "2020,0111"}


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_a_film_of_the_device_is_built(tmp_path: Path, profile: str) -> None:
    attributes = make(tmp_path, profile)
    assert attributes.build_session(SESSION).PrintPriority == "MED"
    film = attributes.build_film_box(FILM, "1.2.3")
    assert film.ReferencedFilmSessionSequence[0].ReferencedSOPInstanceUID == "1.2.3"
    assert film.ImageDisplayFormat == "STANDARD\\1,1"
    assert "ReferencedPresentationLUTSequence" not in film
    item = attributes.build_image_box(FILM, GREY).BasicGrayscaleImageSequence[0]
    assert (item.Rows, item.Columns, len(item.PixelData)) == (1024, 1280, 1024 * 1280)


def test_what_is_not_set_is_not_sent(tmp_path: Path) -> None:
    attributes = make(tmp_path, "mr")
    assert len(attributes.build_session(FilmSession())) == 0
    film = attributes.build_film_box(Film("STANDARD\\1,1"), "1.2.3")
    assert [element.keyword for element in film] == ["ImageDisplayFormat", "ReferencedFilmSessionSequence"]
    box = attributes.build_image_box(Film("STANDARD\\1,1"), GREY)
    assert [element.keyword for element in box] == ["ImageBoxPosition", "Polarity", "BasicGrayscaleImageSequence"]
    assert "PixelAspectRatio" not in box.BasicGrayscaleImageSequence[0]


@pytest.mark.parametrize("without", ["smoothing_type", "configuration_information", "trim", "min_density"])
def test_what_a_device_always_sends_must_be_set(tmp_path: Path, without: str) -> None:
    with pytest.raises(ObjectInvalid, match="has no value"):
        make(tmp_path, "rf").build_film_box(replace(FILM, **{without: None}), "1.2.3")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [({"number_of_copies": 100}, "not from 1 to 99"), ({"number_of_copies": 0}, "not from 1 to 99")],
)
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_a_value_out_of_range_is_not_sent(tmp_path: Path, profile: str, wrong: dict[str, int], match: str) -> None:
    with pytest.raises(ObjectInvalid, match=match):
        make(tmp_path, profile).build_session(replace(SESSION, **wrong))  # type: ignore[arg-type]


def test_an_image_of_another_size_is_no_image_of_the_rf_device(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match="Columns: not 1024 or 1280"):
        make(tmp_path, "rf").build_image_box(FILM, replace(GREY, pixels=np.zeros((1024, 1000), np.uint8)))
    color = replace(GREY, pixels=np.zeros((2, 2, 3), np.uint8), photometric_interpretation="RGB")
    with pytest.raises(ObjectInvalid, match="prints no Basic Color Image Box"):
        make(tmp_path, "rf").build_image_box(FILM, color)


def test_twelve_bits_and_true_size(tmp_path: Path) -> None:
    image = FilmImage(2, np.full((2, 3), 4095, np.uint16), bits=12, requested_image_size_mm=123.456789)
    box = make(tmp_path, "mr").build_image_box(FILM, image)
    item = box.BasicGrayscaleImageSequence[0]
    assert (item.BitsAllocated, item.BitsStored, item.HighBit) == (16, 12, 11)
    assert item.PixelData == b"\xff\x0f" * 6
    assert str(box.RequestedImageSize) == "123.457"


def test_color_goes_plane_by_plane(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    box = make(tmp_path, "mr").build_image_box(FILM, FilmImage(1, pixels, photometric_interpretation="RGB"))
    item = box.BasicColorImageSequence[0]
    assert (item.SamplesPerPixel, item.PlanarConfiguration) == (3, 1)
    assert item.PixelData == bytes([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])


def test_a_character_set_is_declared_where_text_needs_it(tmp_path: Path) -> None:
    attributes = make(tmp_path, "mr")
    assert "SpecificCharacterSet" not in attributes.build_session(FilmSession(label="Film 1"))
    assert attributes.build_session(FilmSession(label="Köpfe")).SpecificCharacterSet == "ISO_IR 100"


def test_what_the_printer_is_asked_for(tmp_path: Path) -> None:
    assert make(tmp_path, "rf").list_printer_tags() == (0x21100010, 0x21100020)
    assert len(make(tmp_path, "mr").list_printer_tags()) == 7
    assert make(tmp_path, "mr").list_event_tags() == (0x21100020,)
