"""Colours for some of the stored values of a grey image, as previews, film and discs show them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset

from openmodality.imaging.frames import read_frame
from openmodality.imaging.palette import read_palette
from openmodality.imaging.presentation import read_image_presentation, read_state_presentation
from openmodality.imaging.preview import draw_preview
from openmodality.imaging.render import render
from openmodality.objects.rules.elements import data_set_of
from tests.enhanced_images import DESCRIBED, PALETTE, frame, make_image

RAMP = [4, 4000, 16]


def make(**values: object) -> Dataset:
    """An enhanced image with one frame of 4 x 6: values 0 to 23 above 3990, the palette from 4000 on."""
    image = make_image(frame(0, 4001), **DESCRIBED, **{**PALETTE, **values})
    pixels = np.arange(3990, 4014, dtype=np.uint16).reshape(4, 6)
    image.PixelData = pixels.tobytes()
    return image


def test_values_of_the_palette_have_its_colours_and_those_below_are_grey() -> None:
    image = make(GreenPaletteColorLookupTableData=bytes(8))
    shown = render(read_frame(image), read_image_presentation(image)).reshape(24, 3)
    entries = [0x00, 0x3F, 0x7F, 0xFF]
    assert shown[10:14].tolist() == [[red, 0, red] for red in entries]
    assert (shown[14:] == [0xFF, 0, 0xFF]).all()  # above the last entry
    assert all(red == green == blue for red, green, blue in shown[:10].tolist())
    picture = Image.open(io.BytesIO(draw_preview(image)))
    assert picture.mode == "RGB"
    assert np.asarray(picture).reshape(24, 3)[13].tolist() == [0xFF, 0, 0xFF]


def test_a_window_moves_the_grey_ones_alone() -> None:
    image = make()
    presentation = read_image_presentation(image)
    first, second = (
        render(read_frame(image), presentation.with_window(center, 4)).reshape(24, 3) for center in (3990, 4010)
    )
    assert (first[10:] == second[10:]).all()
    assert (first[5] != second[5]).all()


def test_more_bits_are_not_made_of_colours() -> None:
    image = make()
    shown = render(read_frame(image), read_image_presentation(image), bits=12)
    assert shown.dtype == np.uint8
    assert shown.shape == (4, 6, 3)


@pytest.mark.parametrize("shown_as", ["MONOCHROME", ""])
def test_a_palette_that_is_not_asked_for_is_not_used(shown_as: str) -> None:
    image = make()
    image.PixelPresentation = shown_as
    image.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence[0].PixelPresentation = shown_as
    assert read_image_presentation(image).palette is None


def test_a_grayscale_presentation_state_shows_no_colours() -> None:
    assert read_state_presentation(Dataset(), make()).palette is None


def test_signed_values_and_entries_of_eight_bits() -> None:
    image = data_set_of(PhotometricInterpretation="MONOCHROME2", PixelRepresentation=1)
    for colour in ("Red", "Green", "Blue"):
        image.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [2, 0xFFFE, 8])
        image.add_new(f"{colour}PaletteColorLookupTableData", "OW", b"\x10\x20")
    palette = read_palette(image)
    assert palette is not None
    assert (palette.first, palette.colours.tolist()) == (-2, [[0x10] * 3, [0x20] * 3])
    painted = palette.paint(np.array([[-3, -2, 5]], np.int16), np.array([[7, 7, 7]], np.uint8))
    assert painted[0].tolist() == [[7] * 3, [0x10] * 3, [0x20] * 3]


def test_a_palette_that_cannot_be_read_is_none() -> None:
    image = make()
    image.RedPaletteColorLookupTableDescriptor = [4, 4000]
    assert read_palette(image) is None
    del image.RedPaletteColorLookupTableDescriptor
    assert read_palette(image) is None
