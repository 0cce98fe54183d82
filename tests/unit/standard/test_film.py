"""Film sizes and image display formats, PS3.3 C.13.3."""

from __future__ import annotations

import pytest

from openmodality.standard.film import FILM_SIZES_MM, DisplayFormat, parse_display_format


@pytest.mark.parametrize(
    ("text", "expected", "boxes"),
    [
        ("STANDARD\\3,4", DisplayFormat("STANDARD", (3, 4)), 12),
        ("ROW\\1,2,3", DisplayFormat("ROW", (1, 2, 3)), 6),
        ("COL\\2,2", DisplayFormat("COL", (2, 2)), 4),
        ("SLIDE", DisplayFormat("SLIDE"), None),
        ("CUSTOM\\7", DisplayFormat("CUSTOM", (7,)), None),
    ],
)
def test_a_format_is_read_and_written(text: str, expected: DisplayFormat, boxes: int | None) -> None:
    assert parse_display_format(text) == expected
    assert str(expected) == text
    assert expected.box_count == boxes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "STANDARD",
        "STANDARD\\3",
        "STANDARD\\0,2",
        "STANDARD\\1,2,3",
        "STANDARD\\a,b",
        "ROW",
        "ROW\\",
        "SLIDE\\1",
        "X\\1",
    ],
)
def test_what_is_no_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="image display format"):
        parse_display_format(text)


def test_every_film_size_is_given_in_portrait() -> None:
    assert len(FILM_SIZES_MM) == 12
    assert all(width <= height for width, height in FILM_SIZES_MM.values())
    assert FILM_SIZES_MM["14INX17IN"] == pytest.approx((355.6, 431.8))
