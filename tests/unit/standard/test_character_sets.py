"""Defined terms of Specific Character Set, compared with pydicom's."""

from __future__ import annotations

from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

from openmodality.standard import character_sets as terms


def test_pydicom_knows_each_term() -> None:
    named = {*terms.ASCII, terms.LATIN_1, terms.UTF_8, terms.GB18030, terms.KANJI_EXTENSION, *terms.JIS_X_0201}
    assert named <= set(python_encoding)


def test_pydicom_knows_each_escape_sequence() -> None:
    for term, (_, escape) in terms.MULTI_BYTE_JAPANESE.items():
        if term.startswith("ISO 2022"):
            assert CODES_TO_ENCODINGS[escape] == python_encoding[term]
