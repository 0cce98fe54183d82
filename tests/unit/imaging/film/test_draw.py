"""A sheet as it looks on a light box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openmodality.imaging.film.draw import draw_film, save_films
from openmodality.objects.film import Film, FilmImage

WHITE = np.full((100, 100), 255, dtype=np.uint8)


def sheet(*images: FilmImage, **values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]]:
    film = Film(r"STANDARD\2,1", images, film_size_id="8INX10IN", **values)  # type: ignore[arg-type]
    return draw_film(film, dots_per_inch=25.4)  # a dot is a millimetre


def test_a_sheet_has_the_size_of_its_film() -> None:
    assert sheet().shape == (254, 203)
    assert sheet(film_orientation="LANDSCAPE").shape == (203, 254)


def test_an_image_fills_its_box_and_keeps_its_shape() -> None:
    shown = sheet(FilmImage(2, WHITE))
    rows, columns = np.nonzero(shown)
    assert columns.min() >= 102
    assert abs((np.ptp(rows) + 1) - (np.ptp(columns) + 1)) <= 1
    assert np.ptp(columns) + 1 == pytest.approx(100, abs=2)


def test_a_requested_size_is_the_width_on_the_film() -> None:
    _, columns = np.nonzero(sheet(FilmImage(1, WHITE, requested_image_size_mm=40)))
    assert np.ptp(columns) + 1 == 40


def test_pixels_that_are_not_square_are_shown_so() -> None:
    rows, columns = np.nonzero(sheet(FilmImage(1, WHITE, pixel_aspect_ratio=(2, 1))))
    assert np.ptp(rows) + 1 == pytest.approx(2 * (np.ptp(columns) + 1), abs=1)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, 255),
        ({"polarity": "REVERSE"}, 0),
        ({"photometric_interpretation": "MONOCHROME1"}, 0),
        ({"photometric_interpretation": "MONOCHROME1", "polarity": "REVERSE"}, 255),
    ],
)
def test_polarity_and_photometric_interpretation(values: dict[str, str], shown: int) -> None:
    assert sheet(FilmImage(1, WHITE, **values))[127, 50] == shown  # type: ignore[arg-type]


def test_twelve_bits_and_colours_are_shown() -> None:
    assert sheet(FilmImage(1, np.full((9, 9), 4095, dtype=np.uint16), 12))[127, 50] == 255
    red = np.full((9, 9, 3), [255, 0, 0], dtype=np.uint8)
    assert sheet(FilmImage(1, red, photometric_interpretation="RGB"))[127, 50].tolist() == [255, 0, 0]


def test_densities_of_border_and_of_empty_boxes() -> None:
    shown = sheet(FilmImage(1, WHITE), border_density="BLACK", empty_image_density="WHITE")
    assert shown[0, 0] == 0
    assert shown[127, 150] == 255
    assert sheet(border_density="20")[0, 0] == 255
    assert sheet(border_density="300")[0, 0] == 0


def test_sheets_become_one_pdf_or_a_picture_each(tmp_path: Path) -> None:
    film = Film(r"STANDARD\1,1", (FilmImage(1, WHITE),), film_size_id="8INX10IN")
    assert save_films([film, film], tmp_path / "film.pdf") == (tmp_path / "film.pdf",)
    written = (tmp_path / "film.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    assert b"/Title <feff00660069006c006d>" in written
    names = save_films([film, film], tmp_path / "film.png", dots_per_inch=50)
    assert [path.name for path in names] == ["film-1.png", "film-2.png"]
    with Image.open(names[0]) as picture:
        assert picture.size == (400, 500)
    assert [path.name for path in save_films([film], tmp_path / "one.png")] == ["one.png"]
