"""The window of a series, and what its stored values mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.image.scaling import Scaling, Survey, choose_form
from openmodality.objects.image.value_display import describe_display, describe_values
from tests.made_objects import definition_of


def describe(values: Any, name: str = "MR Image", **said: object) -> Dataset:
    rules, survey, given = PixelRules.of(definition_of("mr", name)), Survey(), Dataset()
    for keyword, value in said.items():
        setattr(given, keyword, value)
    survey.add(np.asarray(values))
    form = choose_form(survey, rules, Scaling())
    described = describe_values(form, given, rules)
    described.update(describe_display(survey, form, given, described, rules))
    return described


def test_a_window_is_in_units_after_the_rescale() -> None:
    scaled = describe(np.linspace(-1, 1, 1001))
    assert scaled.VOILUTFunction == "LINEAR_EXACT"
    assert float(scaled.WindowCenter) == pytest.approx(0, abs=0.01)
    assert float(scaled.WindowWidth) == pytest.approx(1.98, abs=0.01)
    stated = describe(np.arange(100, dtype=np.uint16), RescaleSlope="2", RescaleIntercept="-10")
    assert (float(stated.WindowCenter), float(stated.WindowWidth)) == (90, 200)


def test_without_a_rescale_it_is_in_stored_values() -> None:
    scaled = describe(np.linspace(-1, 1, 1001), "SC Image")
    assert "RescaleSlope" not in scaled
    assert "VOILUTFunction" not in scaled
    assert float(scaled.WindowCenter) == pytest.approx(32768, abs=100)


def test_a_window_that_is_given_is_kept_and_zero_is_a_value() -> None:
    assert "WindowCenter" not in describe(np.arange(9, dtype=np.uint16), WindowCenter="0", WindowWidth="5")


def test_bits_stored_of_the_caller_are_kept_or_refused() -> None:
    assert describe(np.arange(9, dtype=np.uint16), BitsStored=14).BitsStored == 14
    with pytest.raises(ObjectInvalid, match="too small"):
        describe(np.array([5000], np.uint16), BitsStored=12)
