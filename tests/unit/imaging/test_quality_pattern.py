"""The picture that a display is judged by."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.errors import UsageError
from openmodality.imaging.quality_pattern import PATCHES, make_test_pattern


def test_patches_go_from_black_to_white_each_with_a_brighter_and_a_darker_square() -> None:
    pattern = make_test_pattern(1024, 1280)
    patches = pattern[123:-123]
    corners = [int(patches[259 * row + 3, 213 * column + 4]) for row in range(3) for column in range(6)]
    assert corners == [round(255 * number / (PATCHES - 1)) for number in range(PATCHES)]
    middle = patches[259 + 130, 213 * 2 + 4 : 213 * 3]
    assert sorted(set(middle.tolist())) == [117, 120, 123]


def test_the_ramp_has_every_level_and_the_lines_are_black_and_white() -> None:
    pattern = make_test_pattern()
    assert set(pattern[0].tolist()) == set(range(256))
    assert np.all(np.diff(pattern[0].astype(int)) >= 0)
    assert set(pattern[-1].tolist()) == {0, 255}
    assert pattern[-1, :4].tolist() == [0, 255, 0, 255]


def test_a_pattern_that_shows_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="128"):
        make_test_pattern(10, 1000)
