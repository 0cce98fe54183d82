"""How numbers of any real type are stored: by one line for the whole series, right to half a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.image.scaling import Scaling, StoredForm, Survey, choose_form
from tests.made_objects import definition_of

MR = PixelRules.of(definition_of("mr", "MR Image"))
SC = PixelRules.of(definition_of("mr", "SC Image"))
RF = PixelRules.of(definition_of("rf", "RF Image"))


def look(*frames: Any, nan: Any = "refuse") -> Survey:
    survey = Survey(nan)
    for frame in frames:
        survey.add(np.asarray(frame))
    return survey


def choose(values: Any, rules: PixelRules = MR, scale: Any = None, nan: Any = "refuse") -> StoredForm:
    return choose_form(look(values, nan=nan), rules, Scaling(scale, nan))


def read(form: StoredForm, values: Any) -> Any:
    return form.store(np.asarray(values))[0] * form.slope + form.intercept


def test_what_objects_allow() -> None:
    assert (MR.has_rescale, MR.has_colour, MR.is_unsigned, MR.has_real_world) == (True, False, False, True)
    assert (SC.has_rescale, SC.has_colour, SC.is_unsigned, SC.has_real_world) == (False, True, False, False)
    assert (RF.has_rescale, RF.has_colour, RF.is_unsigned, RF.bits) == (False, False, True, (12, 14, 16))


@pytest.mark.parametrize(
    ("values", "bits", "is_signed"),
    [
        ([0, 255], 12, False),
        ([0, 4095], 12, False),
        ([0, 65535], 16, False),
        ([-1, 100], 12, True),
        ([-32768, 32767], 16, True),
    ],
)
@pytest.mark.parametrize("scale", [None, "series", "none"])
def test_whole_numbers_that_fit_stay_as_they_are(values: list[int], bits: int, is_signed: bool, scale: Any) -> None:
    form = choose(np.array(values, np.int64), scale=scale)
    assert (form.slope, form.intercept, form.bits, form.is_signed, form.is_scaled) == (1, 0, bits, is_signed, False)
    assert form.store(np.array(values))[0].tolist() == values


def test_whole_numbers_that_only_lie_elsewhere_are_shifted() -> None:
    values = np.array([-40000, -30000, 20000], np.int32)
    form = choose(values)
    assert (form.slope, form.is_signed) == (1, False)
    assert read(form, values).tolist() == values.tolist()


@given(hnp.arrays(np.float64, 20, elements=st.floats(-1e9, 1e9, allow_subnormal=False, width=64)))
@example(np.full(20, -1.6014776000000001e-145))
def test_numbers_with_fractions_are_right_to_half_a_step(values: Any) -> None:
    form = choose(values)
    assert np.abs(read(form, values) - values).max() <= form.slope * 0.5000001
    if values.max() - values.min() > 1e-6:
        stored, clipped = form.store(values)
        assert (stored.min(), clipped) == (0, 0)
        assert stored.max() >= 65530


def test_a_stated_range_is_kept_and_what_lies_outside_is_clipped_and_counted() -> None:
    form = choose([0.0, 5.0], scale=(1, 3))
    stored, clipped = form.store(np.array([0.0, 1.0, 2.0, 3.0, 9.0]))
    assert (stored[[0, 1, 3, 4]].tolist(), clipped) == ([0, 0, 65535, 65535], 2)
    assert read(form, [2.0]) == pytest.approx(2, abs=form.slope / 2)


def test_values_that_are_no_numbers_are_counted_or_become_zero() -> None:
    values = np.array([np.nan, 1.0, -np.inf, 3.0])
    with pytest.raises(ObjectInvalid, match="2 of 4 values are NaN or infinite"):
        choose(values)
    form = choose(values, nan="zero")
    assert read(form, [np.nan, np.inf, 3.0]) == pytest.approx([0, 0, 3], abs=form.slope / 2)
    assert form.store(values)[1] == 0


@pytest.mark.parametrize(
    ("values", "rules", "scale", "words"),
    [
        ([0.5, 2.0], MR, "none", "values with fractions from 0.5 to 2 do not fit"),
        ([0, 70000], MR, "none", "values from 0 to 70000 do not fit whole numbers of 16 bits"),
        ([-1, 5], RF, "none", "do not fit unsigned numbers"),
        ([-1, 5], RF, None, "no place for what lies below zero"),
        ([-0.5, 5.0], RF, "series", "no place for what lies below zero"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(values: Any, rules: PixelRules, scale: Any, words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        choose(values, rules, scale)


@pytest.mark.parametrize("scale", ["slice", (1, 1), (2, 1), (0, np.inf), (1,), 5])
def test_a_scale_that_is_none_is_refused(scale: Any) -> None:
    with pytest.raises(ObjectInvalid, match="scale is"):
        Scaling(scale)


def test_whole_numbers_in_a_floating_type_may_be_stored_as_they_are() -> None:
    form = choose(np.array([0.0, 17.0, 3000.0]), scale="none")
    assert (form.is_scaled, form.bits, form.store(np.array([17.0]))[0].tolist()) == (False, 12, [17])


def test_a_window_leaves_out_the_few_that_are_far_away() -> None:
    values = np.arange(1000, dtype=np.uint16)
    values[-2:] = 60000
    center, width = look(values).find_window()
    assert (center, width) == pytest.approx((500, 992), abs=3)
    assert look(np.full(5, 7, np.uint16)).find_window() == (7, 1)
    assert look(np.linspace(-1, 1, 2001)).find_window() == pytest.approx((0, 1.98), abs=0.01)
