"""Sheets from frames: pixels of boxes, true size, and what is refused."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from openmodality.errors import UsageError
from openmodality.imaging.film.compose import Composition, FilmSource, compose_films
from openmodality.imaging.presentation import Presentation
from openmodality.objects.film import Film
from tests.unit.imaging.images import colour_image, grey_image

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
BARE = Composition(annotation=False)
FILM = Film(r"STANDARD\2,1", film_size_id="14INX17IN")


def source(**values: object) -> FilmSource:
    return FilmSource(grey_image(RAMP, **values))


def test_images_fill_as_many_sheets_as_they_need_in_their_order() -> None:
    films = compose_films([source() for _ in range(5)], FILM, BARE)
    assert [[image.position for image in film.images] for film in films] == [[1, 2], [1, 2], [1]]
    assert all(film.image_display_format == FILM.image_display_format for film in films)


@pytest.mark.parametrize(("bits", "kind", "greatest"), [(8, "uint8", 255), (12, "uint16", 4095)])
def test_p_values_fill_the_bits_of_the_printer(bits: Literal[8, 12], kind: str, greatest: int) -> None:
    (film,) = compose_films([source()], FILM, Composition(bits=bits, annotation=False))
    (image,) = film.images
    assert (image.pixels.dtype.name, image.pixels.min(), image.pixels.max()) == (kind, 0, greatest)
    assert (image.bits, image.photometric_interpretation) == (bits, "MONOCHROME2")


def test_an_operators_window_is_printed() -> None:
    chosen = FilmSource(grey_image(RAMP), presentation=Presentation().with_window(100, 2))
    (film,) = compose_films([chosen], FILM, BARE)
    assert np.array_equal(film.images[0].pixels, np.where(RAMP < 100, 0, 255))


def test_a_matrix_of_the_printer_is_filled_as_far_as_the_image_goes() -> None:
    wide = FilmSource(grey_image(np.full((50, 100), 9, dtype=np.uint16), WindowCenter="1", WindowWidth="1"))
    (film,) = compose_films([wide], FILM, Composition(matrices=((1024, 1024),), annotation=False))
    pixels = film.images[0].pixels
    assert pixels.shape == (1024, 1024)
    assert np.all(pixels[256:768] == 255)
    assert not pixels[:256].any()
    assert not pixels[768:].any()


def test_of_several_matrices_the_one_of_the_shape_of_the_box_is_taken() -> None:
    how = Composition(matrices=((1024, 1024), (1024, 1280)), annotation=False)
    tall, broad = Film(r"STANDARD\2,2", film_size_id="14INX17IN"), Film(r"STANDARD\1,1", film_size_id="10INX12IN")
    assert compose_films([source()], tall, how)[0].images[0].pixels.shape == (1024, 1024)
    lying = Film(broad.image_display_format, film_size_id="10INX12IN", film_orientation="LANDSCAPE")
    assert compose_films([source()], lying, how)[0].images[0].pixels.shape == (1024, 1280)


def test_colour_on_grey_film_and_grey_on_colour_film() -> None:
    red = FilmSource(colour_image(np.full((4, 4, 3), [255, 0, 0], dtype=np.uint8)))
    assert np.all(compose_films([red], FILM, BARE)[0].images[0].pixels == round(255 * 0.299))
    how = Composition(colour=True, annotation=False)
    grey, colours = compose_films([source(), red], FILM, how)[0].images
    assert (grey.pixels.shape, grey.photometric_interpretation) == ((64, 64, 3), "RGB")
    assert np.all(colours.pixels == [255, 0, 0])


def test_true_size_is_the_width_in_the_patient_whatever_the_matrix() -> None:
    spaced = source(PixelSpacing=["0.8", "0.8"])
    for how in (
        Composition(true_size=True, annotation=False),
        Composition(true_size=True),
        Composition(true_size=True, matrices=((1024, 1024),)),
    ):
        (film,) = compose_films([spaced], FILM, how)
        assert film.images[0].requested_image_size_mm == pytest.approx(64 * 0.8, rel=0.01)


def test_true_size_holds_for_pixels_that_are_not_square() -> None:
    (film,) = compose_films([source(PixelSpacing=["1.6", "0.8"])], FILM, Composition(true_size=True, annotation=False))
    assert film.images[0].pixels.shape == (128, 64)
    assert film.images[0].requested_image_size_mm == pytest.approx(64 * 0.8)


def test_no_true_size_is_invented_or_cut() -> None:
    how = Composition(true_size=True)
    with pytest.raises(UsageError, match="neither Pixel Spacing"):
        compose_films([source()], FILM, how)
    with pytest.raises(UsageError, match=r"320 x 320 mm.*178 x 432 mm"):
        compose_films([source(PixelSpacing=["5", "5"])], FILM, how)


def test_patients_are_not_mixed_on_a_sheet_unless_that_is_said() -> None:
    two = [source(PatientID="1"), source(PatientID="2")]
    with pytest.raises(UsageError, match="2 patients"):
        compose_films(two, FILM, BARE)
    assert len(compose_films(two, FILM, Composition(mixed=True))) == 1
    one_each = Film(r"STANDARD\1,1", film_size_id="14INX17IN")
    assert len(compose_films(two, one_each, BARE)) == 2


def test_nothing_to_print_is_said() -> None:
    with pytest.raises(UsageError, match="no image"):
        compose_films([], FILM, BARE)


def test_a_scout_shows_where_the_others_cut_it() -> None:
    plane: dict[str, object] = {"FrameOfReferenceUID": "1.2.3", "PixelSpacing": ["1", "1"]}
    position = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    scout = grey_image(RAMP * 0, WindowCenter="100", WindowWidth="2", **position, **plane)
    slices = [
        grey_image(RAMP, ImagePositionPatient=[x, 0, -32], ImageOrientationPatient=[0, 1, 0, 0, 0, 1], **plane)
        for x in (10, 20)
    ]
    sources = [FilmSource(scout, cut_by=slices), *(FilmSource(each) for each in slices)]
    (film,) = compose_films(sources, Film(r"STANDARD\3,1", film_size_id="14INX17IN"), BARE)
    bright = np.flatnonzero(film.images[0].pixels[32] == 255)
    assert bright.tolist() == [10, 20]
