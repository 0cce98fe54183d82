"""Rules of texts, compared with pydicom's own checks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import config
from pydicom.valuerep import validate_value

from openmodality.standard.text_rules import is_ae_title, is_code_string

ALPHABET = st.sampled_from("ABZabz059_ ~-\\\x1b\nü")


@pytest.mark.parametrize("title", ["A", "OM_MR", "with blank", " padded ", "X" * 16, "~"])
def test_an_ae_title(title: str) -> None:
    assert is_ae_title(title)


@pytest.mark.parametrize("title", ["", " ", " " * 16, "X" * 17, "A\\B", "A\n", "A\0", "Ä", "A\x7f"])
def test_no_ae_title(title: str) -> None:
    assert not is_ae_title(title)


@given(st.text(ALPHABET, max_size=18))
def test_an_ae_title_passes_pydicom(title: str) -> None:
    try:
        validate_value("AE", title, config.RAISE)
    except ValueError:
        assert not is_ae_title(title)


@given(st.text(ALPHABET, min_size=1, max_size=18))
def test_a_code_string_is_what_pydicom_takes(text: str) -> None:
    try:
        validate_value("CS", text, config.RAISE)
    except ValueError:
        assert not is_code_string(text)
    else:
        assert is_code_string(text)
