"""Attributes given as keywords and plain values."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import ObjectInvalid


@pytest.mark.parametrize("value", [None, True, {"a": 1}, b"x", object(), float("nan")])
def test_values_that_no_attribute_has(value: object) -> None:
    with pytest.raises(ObjectInvalid, match="SliceThickness"):
        attributes_of({"SliceThickness": value}, "api")


def test_a_keyword_that_is_none_is_named_and_cut() -> None:
    with pytest.raises(ObjectInvalid) as caught:
        attributes_of({"Nonsense" * 20: 1}, "api")
    assert str(caught.value).startswith("api: NonsenseNonsense")
    assert len(str(caught.value)) < 120


def test_numbers_of_any_precision_fit_a_decimal_string() -> None:
    attributes = attributes_of({"PixelSpacing": [1 / 3, np.float32(0.1)], "Rows": 3}, "api")
    assert all(len(str(value)) <= 16 for value in attributes.PixelSpacing)
    assert attributes.Rows == 3
