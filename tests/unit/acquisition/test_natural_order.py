from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openmodality.acquisition.natural_order import make_natural_key


def test_numbers_in_names_are_numbers() -> None:
    names = ["img10.dcm", "img2.dcm", "IMG1.dcm", "2", "10", "a"]
    assert sorted(names, key=make_natural_key) == ["2", "10", "a", "IMG1.dcm", "img2.dcm", "img10.dcm"]


@given(st.lists(st.text(max_size=8)))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    ordered = sorted(names, key=make_natural_key)
    assert sorted(ordered, key=make_natural_key, reverse=True) == ordered[::-1]
