"""Window functions and lookup tables, against the equations of PS3.3 C.11 and pydicom's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from openmodality.imaging.lookup import LINEAR, LINEAR_EXACT, SIGMOID, LookupTable, Rescale, Window

LEVELS = np.arange(4096, dtype=np.uint16)


def test_the_linear_window_of_the_standard() -> None:
    # Center 100, width 101: 49.5 and below are black, 149.5 and above white, 99.5 lies in the middle.
    assert Window(100, 101).apply(np.array([0.0, 49.5, 99.5, 149.5, 500.0])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_the_exact_window_has_no_half_steps() -> None:
    window = Window(100, 100, LINEAR_EXACT)
    assert window.apply(np.array([50.0, 100.0, 150.0])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("function", "width"), [(LINEAR, 1.0), (LINEAR, 0.5), (LINEAR_EXACT, 0.0), (SIGMOID, 0.0)])
def test_a_window_without_width_is_a_threshold(function: str, width: float) -> None:
    shown = Window(10, width, function).apply(np.array([9.0, 11.0]))
    assert shown.tolist() == [0.0, 1.0]


@given(
    st.sampled_from([LINEAR, LINEAR_EXACT, SIGMOID]),
    st.floats(-2000, 6000),
    st.floats(2, 8000),
)
def test_windows_show_what_pydicom_shows(function: str, center: float, width: float) -> None:
    data_set = Dataset()
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.BitsStored, data_set.PixelRepresentation = 12, 0
    data_set.WindowCenter, data_set.WindowWidth, data_set.VOILUTFunction = center, width, function
    center, width = float(data_set.WindowCenter), float(data_set.WindowWidth)
    with np.errstate(over="ignore"):
        wanted = apply_windowing(LEVELS, data_set) / 4095
    assert np.allclose(Window(center, width, function).apply(LEVELS.astype(float)), wanted, atol=1e-9)


def test_a_table_holds_its_ends_for_all_beyond() -> None:
    table = LookupTable(np.array([5.0, 6.0, 7.0]), first=-1, bits=8)
    assert table.apply(np.array([-100.0, -1.0, 0.0, 1.0, 100.0])).tolist() == [5.0, 5.0, 6.0, 7.0, 7.0]
    assert table.output((0, 1)) == (0.0, 255.0)


def test_rescale_turns_its_limits_with_a_negative_slope() -> None:
    assert Rescale(-2, 10).output((0, 5)) == (0, 10)
    assert Rescale(-2, 10).apply(np.array([5.0])).tolist() == [0.0]
