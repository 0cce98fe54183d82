"""Rules of texts, compared with pydicom's own checks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import config
from pydicom.valuerep import validate_value

from openmodality.standard.text_rules import clean_text, fit_text, is_ae_title, is_code_string

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


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Müller^Jörg=山田", "Müller^Jörg=山田"),
        ("A\0B\x1b[2J\x9b", "A\ufffdB\ufffd[2J\ufffd"),
        ("\ud800x\udcff", "\ufffdx\ufffd"),
        ("1\r\n2\t3\x0c4", "1\ufffd\ufffd2\ufffd3\ufffd4"),
        ("\u202eevil\u2066\u2028", "\ufffdevil\ufffd\ufffd"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_a_text_of_one_line_is_clean(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_what_is_printable_is_clean() -> None:
    printable = "".join(each for each in map(chr, range(0x30000)) if each.isprintable())
    assert all(unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in printable)


def test_a_text_of_several_lines_keeps_them() -> None:
    assert clean_text("1\r\n2\t3\x0c4\x0b\0", lines=True) == "1\r\n2\t3\x0c4\ufffd\ufffd"


@given(st.text(st.characters(codec=None), max_size=40), st.booleans())
def test_what_is_clean_goes_everywhere(text: str, lines: bool) -> None:
    cleaned = clean_text(text, lines=lines)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not set(cleaned) & {"\0", "\x1b", "\x07", "\x7f", "\x9b"}
    assert clean_text(cleaned, lines=lines) == cleaned


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("T1 ax", "T1 ax"),
        ("a\nb\x1b[31m\udcff", "a_b_[31m_"),
        ("a\\b", "a_b"),
        ("x" * 63 + " y", "x" * 63),
        ("山" * 70, "山" * 64),
    ],
)  # fmt: skip
def test_the_name_of_a_file_becomes_a_value(name: str, value: str) -> None:
    assert fit_text(name, "LO") == value
