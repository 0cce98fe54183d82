"""What a site may say of its screens."""

from __future__ import annotations

import pytest

from openmodality.standard.screen_setting import check_display, parse_gsdf


@pytest.mark.parametrize("said", ["srgb", "gsdf:0.8,250", "gsdf:0.05, 3993", "screens/left.csv"])
def test_what_is_right_stays(said: str) -> None:
    assert check_display(said) == said


@pytest.mark.parametrize("said", ["gsdf:", "gsdf:1", "gsdf:250,0.8", "gsdf:1,1", "gsdf:0,250", "gsdf:1,2,3", " ", ""])
def test_what_is_wrong_is_told_with_what_is_right(said: str) -> None:
    with pytest.raises(ValueError, match=r"gsdf:|luminances lie between"):
        check_display(said)


def test_the_luminances_of_black_and_white() -> None:
    assert parse_gsdf("gsdf:0.8,250") == (0.8, 250)
