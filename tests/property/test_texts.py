"""Any text of a character set, written and read back, by our own walk and through pydicom."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.repertoires import holds
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.texts import decode_element_text, encode_component
from openmodality.encoding.walk import read_values

SETS: list[tuple[str, ...]] = [
    ("ISO_IR 100",),
    ("ISO_IR 101",),
    ("ISO_IR 144",),
    ("ISO_IR 166",),
    ("ISO_IR 13",),
    ("ISO_IR 192",),
    ("GB18030",),
    ("GBK",),
    ("", "ISO 2022 IR 87"),
    ("", "ISO 2022 IR 87", "ISO 2022 IR 159"),
    ("ISO 2022 IR 13", "ISO 2022 IR 87"),
    ("", "ISO 2022 IR 149"),
    ("", "ISO 2022 IR 58"),
    ("ISO 2022 IR 100", "ISO 2022 IR 126", "ISO 2022 IR 149"),
]
_RANGES = [
    range(0x20, 0x7F),
    range(0xA0, 0x600, 3),
    range(0xE00, 0xE60),
    range(0x3040, 0x3100),
    range(0x4E00, 0x9FA6, 19),
    range(0xAC00, 0xD7A4, 23),
    range(0xFF61, 0xFFA0),
]
_ALPHABET = [chr(code) for codes in _RANGES for code in codes if chr(code) not in "\\^=" and chr(code) != "\u00ad"]
_ODD = "春修莉順椰乗淾俓暫昂十"
"""Characters with 3DH, 5CH or 5EH among their bytes, somewhere."""


@cache
def _names(terms: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Names and values of characters that the set holds, with every delimiter between them."""
    held = [character for character in _ALPHABET if holds(terms, [character])]
    odd = [character for character in _ODD if holds(terms, [character])] or held
    part = st.text(st.sampled_from(held) | st.sampled_from(odd), max_size=8)
    group = st.lists(part, min_size=1, max_size=3).map("^".join)
    return st.lists(group, min_size=1, max_size=3).map("=".join)


def _strip(name: str) -> str:
    """What is written: no empty group at the end, and no blank at the end of a value, which is padding."""
    return name.rstrip("= ")


@pytest.mark.parametrize("terms", SETS, ids="+".join)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data(), syntax=st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian]))
def test_names_come_back_as_they_were(terms: tuple[str, ...], data: st.DataObject, syntax: str) -> None:
    names = [_strip(name) for name in data.draw(st.lists(_names(terms), min_size=1, max_size=3))]
    text = data.draw(_names(terms)).rstrip(" ")
    written = Dataset()
    written.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
    written.OtherPatientNames, written.PatientComments = names, f"{text}\r\n{text}"
    raw = encode_data_set(written, syntax)
    read = decode_data_set(raw, syntax)
    found = read["OtherPatientNames"].value
    assert ([str(name) for name in found] if len(names) > 1 else [str(found)]) == names
    assert read.PatientComments == f"{text}\r\n{text}".rstrip(" ")
    kept = KeptValues(frozenset((0x00101001,)))
    read_values([raw], syntax, kept)
    values = kept.values.get(0x00101001) or b""
    assert decode_element_text(values, terms, "PN") == "\\".join(names).rstrip(" ")
    assert encode_data_set(read, syntax) == raw


@pytest.mark.parametrize(
    ("terms", "codec"),
    [(("ISO_IR 100",), "latin_1"), (("ISO_IR 192",), "utf_8"), (("", "ISO 2022 IR 87"), "iso2022_jp")],
)
@given(data=st.data())
def test_components_are_those_that_python_reads(terms: tuple[str, ...], codec: str, data: st.DataObject) -> None:
    text = data.draw(_names(terms)).replace("^", "").replace("=", "")
    assert encode_component(text, terms).decode(codec) == text
