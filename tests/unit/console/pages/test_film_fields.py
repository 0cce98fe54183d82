"""The fields of a film: numbers that are typed, against their ranges."""

from __future__ import annotations

from openmodality.console.pages.film_fields import find_errors


def test_numbers_of_a_film() -> None:
    assert find_errors({"copies": "1", "min_density": "0", "window_center": "-40", "window_width": "400"}) == {}
    wrong = {"copies": "0", "min_density": "-1", "window_center": "nan", "window_width": "0"}
    assert set(find_errors(wrong)) == set(wrong)
