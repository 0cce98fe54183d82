"""Defined terms of Specific Character Set, compared with pydicom's."""

from __future__ import annotations

import codecs

import pytest
from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

from openmodality.standard import character_sets as terms


def test_pydicom_knows_each_term() -> None:
    named = {*terms.ASCII, terms.LATIN_1, terms.UTF_8, terms.GB18030, terms.KANJI_EXTENSION, *terms.JIS_X_0201}
    assert named <= set(python_encoding)


def test_pydicom_has_the_same_escape_sequences() -> None:
    of_python = {escape: codecs.lookup(codec).name for escape, codec in CODES_TO_ENCODINGS.items()}
    ours = {escape: codecs.lookup(element.codec).name for escape, element in terms.ESCAPE_SEQUENCES.items()}
    same = {escape for escape in of_python if ours[escape] == of_python[escape]}
    assert of_python.keys() - same == {b"\x1b(B", b"\x1b(J", b"\x1b$B", b"\x1b$(D"}, "ASCII, and kanji in another form"
    assert ours.keys() - of_python.keys() == {b"\x1b-b"}, "ISO_IR 203, which is younger"


@pytest.mark.parametrize("term", [term for term in python_encoding if "GBK" not in term and term != "ISO 2022 58"])
def test_each_term_of_pydicom_is_known(term: str) -> None:
    assert terms.is_known(term)


@pytest.mark.parametrize("term", ["idna", "utf-7", "utf8", "latin_1", "ISO_IR 999", "ISO_IR", "iso_ir 100", "GB2312"])
def test_a_codec_of_python_is_none_of_dicom(term: str) -> None:
    assert not terms.is_known(term)
    assert terms.find_unknown((term, "ISO_IR 100")) == (term,)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ISO-IR 100", "ISO_IR 100"),
        ("ISO IR 192", "ISO_IR 192"),
        ("ISO_2022-IR 87", "ISO 2022 IR 87"),
        ("GB18030", "GB18030"),
        ("ISO 2022 100", "ISO 2022 100"),
    ],
)
def test_a_term_is_spelled_as_the_standard_does(written: str, meant: str) -> None:
    assert terms.spell(written) == meant
