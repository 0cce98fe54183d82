"""Longest values, compared with pydicom's."""

from __future__ import annotations

import pytest
from pydicom.valuerep import MAX_VALUE_LEN

from openmodality.standard.value_lengths import MAX_CHARACTERS


@pytest.mark.parametrize("vr", MAX_VALUE_LEN)
def test_a_value_is_as_long_as_pydicom_takes(vr: str) -> None:
    assert MAX_CHARACTERS[vr] == MAX_VALUE_LEN[vr]
