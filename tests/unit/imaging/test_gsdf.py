"""The Grayscale Standard Display Function against values of PS3.14 Table B-1, and tables made from it."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.errors import UsageError
from openmodality.imaging.gsdf import (
    find_deviation,
    find_jnd_index,
    find_luminance,
    list_standard_luminances,
    make_density_table,
    make_display_table,
)


@pytest.mark.parametrize(("jnd", "value"), [(1, 0.0500), (2, 0.0547), (3, 0.0594), (1023, 3993.4040)])
def test_luminances_of_table_b_1(jnd: int, value: float) -> None:
    assert float(find_luminance(jnd)) == pytest.approx(value, rel=2e-3)


def test_the_inverse_is_the_inverse() -> None:
    indices = np.arange(1, 1024)
    assert np.abs(find_jnd_index(find_luminance(indices)) - indices).max() < 0.5


def test_each_p_value_is_one_step_brighter() -> None:
    steps = np.diff(find_jnd_index(list_standard_luminances(0.5, 400, 256)))
    assert steps.min() > 0
    assert steps.max() / steps.min() < 1.05


def test_a_display_that_follows_the_function_needs_no_change() -> None:
    assert make_display_table(list_standard_luminances(0.3, 250, 256)).tolist() == list(range(256))


def test_a_gamma_display_is_corrected() -> None:
    measured = 0.3 + 250 * (np.arange(256) / 255) ** 2.2
    shown = measured[make_display_table(measured)]
    wanted = list_standard_luminances(0.3, 250.3, 256)
    assert np.all(np.diff(shown) >= 0)
    assert np.abs(find_jnd_index(shown[20:]) - find_jnd_index(wanted[20:])).max() < 2


def test_film_is_dark_for_small_values() -> None:
    densities = make_density_table(0.2, 3.0, illumination=2000, ambient=10)
    assert densities[0] == pytest.approx(3.0, abs=0.02)
    assert densities[-1] == pytest.approx(0.2, abs=0.02)
    assert np.all(np.diff(densities) < 0)


@pytest.mark.parametrize("measured", [[1.0], [3.0, 2.0, 4.0], [5.0, 5.0], [0.0, 100.0], [1.0, 5000.0]])
def test_luminances_that_cannot_be_are_refused(measured: list[float]) -> None:
    with pytest.raises(UsageError):
        make_display_table(measured)


def test_the_deviation_is_that_of_the_corrected_display() -> None:
    exact = list_standard_luminances(0.3, 250, 1024)
    assert find_deviation(exact) < 1
    assert find_deviation([0.5, 100, 400]) > 50
