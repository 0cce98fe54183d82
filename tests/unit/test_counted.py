"""Numbers with the noun that they count."""

from __future__ import annotations

import pytest

from openmodality.counted import format_count


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "image", "0 images"),
        (1, "image", "1 image"),
        (2, "study", "2 studies"),
        (1, "series", "1 series"),
        (3, "series", "3 series"),
        (4, "match", "4 matches"),
        (2, "Enhanced MR Image", "2 Enhanced MR Images"),
        (1200, "image", "1200 images"),
    ],
)
def test_a_noun_follows_its_number(number: int, noun: str, text: str) -> None:
    assert format_count(number, noun) == text


def test_a_page_parts_the_digits_of_a_number() -> None:
    assert format_count(1200, "image", thousands=",") == "1,200 images"
