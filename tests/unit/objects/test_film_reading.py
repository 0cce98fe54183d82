"""What a Print SCP reads is what an SCU has built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openmodality.device.site.site_loader import load_site
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.errors import ObjectInvalid
from openmodality.objects.film import Film, FilmImage, FilmSession
from openmodality.objects.film_attributes import FilmAttributes
from openmodality.objects.film_reading import read_film, read_image, read_session
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

FILM = Film(
    "ROW\\1,2", film_orientation="LANDSCAPE", film_size_id="A4", magnification_type="NONE", border_density="150",
    min_density=20, max_density=300, trim="YES", illumination=2000, reflected_ambient_light=10,
    presentation_lut_shape="LIN OD",
)  # fmt: skip
RNG = np.random.default_rng(1)
IMAGES = [
    FilmImage(1, RNG.integers(0, 256, (3, 5), np.uint8)),
    FilmImage(2, RNG.integers(0, 4096, (4, 2), np.uint16), bits=12, photometric_interpretation="MONOCHROME1"),
    FilmImage(3, RNG.integers(0, 256, (3, 5, 3), np.uint8), photometric_interpretation="RGB", polarity="REVERSE"),
    FilmImage(4, RNG.integers(0, 256, (1, 1), np.uint8), pixel_aspect_ratio=(2, 3), requested_image_size_mm=10.5),
]


@pytest.fixture
def attributes(tmp_path: Path) -> FilmAttributes:
    (tmp_path / "site.toml").write_text('profile = "mr"\n', encoding="utf-8")
    return FilmAttributes(load_site(tmp_path))


def test_a_session_and_its_film(attributes: FilmAttributes) -> None:
    session = FilmSession((FILM,), 2, "LOW", "PAPER", "BIN_1", "Köpfe", 7)
    lut = attributes.build_presentation_lut(FILM)
    film = read_film(attributes.build_film_box(FILM, "1.2"), (), lut)
    assert film == FILM
    assert read_session(attributes.build_session(session), [film]) == session


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_box_is_read_as_it_was_sent(attributes: FilmAttributes, image: FilmImage) -> None:
    sent = encode_data_set(attributes.build_image_box(FILM, image), EXPLICIT_VR_LITTLE_ENDIAN)
    got = read_image(decode_data_set(sent, EXPLICIT_VR_LITTLE_ENDIAN))
    assert got is not None
    assert np.array_equal(got.pixels, image.pixels)
    for name in ("position", "bits", "photometric_interpretation", "pixel_aspect_ratio", "polarity"):
        assert getattr(got, name) == getattr(image, name)
    assert got.requested_image_size_mm == image.requested_image_size_mm


def test_pixels_that_do_not_fit_are_refused(attributes: FilmAttributes) -> None:
    box = attributes.build_image_box(FILM, IMAGES[0])
    box.BasicGrayscaleImageSequence[0].Rows = 4
    with pytest.raises(ObjectInvalid, match="Pixel Data"):
        read_image(box)
    del box.BasicGrayscaleImageSequence
    assert read_image(box) is None
