"""Image boxes on a sheet, in the order of their positions."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.errors import UsageError
from openmodality.imaging.film.layout import LANDSCAPE, Box, lay_out, measure_sheet
from openmodality.standard.film import FILM_SIZES_MM


def corners(display_format: str, width: float = 60, height: float = 60) -> list[tuple[float, float]]:
    return [(box.left, box.top) for box in lay_out(display_format, width, height)]


def test_standard_has_columns_then_rows_and_goes_along_rows() -> None:
    assert corners(r"STANDARD\3,2") == [(0, 0), (20, 0), (40, 0), (0, 30), (20, 30), (40, 30)]


def test_rows_have_images_of_their_own_number() -> None:
    assert lay_out(r"ROW\2,1", 60, 60) == (Box(0, 0, 30, 30), Box(30, 0, 30, 30), Box(0, 30, 60, 30))


def test_columns_are_filled_from_top_to_bottom() -> None:
    assert lay_out(r"COL\1,2", 60, 60) == (Box(0, 0, 30, 60), Box(30, 0, 30, 30), Box(30, 30, 30, 30))


def test_slides_stand_in_mounts_in_the_middle_of_the_sheet() -> None:
    boxes = lay_out("SLIDE", *measure_sheet("8INX10IN"))
    assert len(boxes) == 4 * 5
    assert {(box.width, box.height) for box in boxes} == {(34.0, 23.0)}
    assert min(box.left for box in boxes) == pytest.approx(8 * 25.4 - max(box.left + box.width for box in boxes))


@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6), kind=st.sampled_from(["ROW", "COL"]))
def test_boxes_fill_the_sheet_once(counts: list[int], kind: str) -> None:
    boxes = lay_out(kind + "\\" + ",".join(map(str, counts)), 300, 400)
    assert len(boxes) == sum(counts)
    assert sum(box.width * box.height for box in boxes) == pytest.approx(300 * 400)
    assert all(box.left + box.width <= 300.01 and box.top + box.height <= 400.01 for box in boxes)


@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_any_text_is_a_layout_or_named_as_none(text: str) -> None:
    boxes: tuple[Box, ...] = ()
    with suppress(UsageError):
        boxes = lay_out(text, 300, 400)
    assert bool(boxes) == text.strip().startswith(("STANDARD\\", "ROW\\", "COL\\", "SLIDE", "SUPERSLIDE"))


@pytest.mark.parametrize(
    "text", ["", "STANDARD", r"STANDARD\2", r"STANDARD\2,2,2", r"STANDARD\0,2", r"ROW", r"CUSTOM\1", r"STANDARD\99,99"]
)
def test_what_is_no_layout_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        lay_out(text, 300, 400)


def test_landscape_lies_on_its_side() -> None:
    assert measure_sheet("14INX17IN") == (14 * 25.4, 17 * 25.4)
    assert measure_sheet("14INX17IN", LANDSCAPE) == (17 * 25.4, 14 * 25.4)
    assert all(width <= height for width, height in FILM_SIZES_MM.values())


def test_a_size_that_is_none_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="8INX10IN"):
        measure_sheet("9INX9IN")
