"""Grain and blur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition.xray_shapes import Beam
from openmodality.acquisition.xray_texture import blur, blur_widely, enlarge, make_texture

BEAM = Beam(1000.0, 800.0, 2.0, 128)


def test_grain_is_repeatable_and_moves_with_the_patient() -> None:
    grain = make_texture(BEAM, 10.0, 3)
    assert np.array_equal(grain, make_texture(BEAM, 10.0, 3))
    assert not np.allclose(grain, make_texture(BEAM, 10.0, 4))
    # 10 pixels of 1.6 mm in the plane of the isocenter
    moved = make_texture(replace(BEAM, centre=(16.0, 0.0)), 10.0, 3)
    assert np.allclose(moved[:, :-10], grain[:, 10:], atol=0.02)
    assert 0.4 < float(grain.std()) < 1.0


@pytest.mark.parametrize("blurred", [blur, blur_widely])
def test_a_blur_keeps_the_sum_and_spreads_it(blurred: object) -> None:
    point = np.zeros((65, 65), dtype=np.float32)
    point[32, 32] = 1000.0
    spread = blurred(point, 5.0)  # type: ignore[operator]
    assert float(spread.sum()) == pytest.approx(1000.0, rel=0.05)
    distances = (np.arange(65) - 32.0) ** 2
    deviation = float(np.sqrt((spread.sum(axis=0) * distances).sum() / spread.sum()))
    assert deviation == pytest.approx(5.0, rel=0.25)


def test_even_layers_stay_even() -> None:
    even = np.full((32, 32), 7.0, dtype=np.float32)
    assert np.allclose(blur(even, 4.0), 7.0, rtol=1e-5)
    assert np.allclose(blur_widely(even, 20.0), 7.0, rtol=1e-4)
    assert blur(even, 0.0) is even
    assert enlarge(even, 32) is even
    assert np.allclose(enlarge(even, 64), 7.0)
