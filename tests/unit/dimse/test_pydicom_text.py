"""Texts of a data set that pydicom reads: those of ``encoding.texts``."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.pydicom_text import UNKNOWN, convert_terms
from openmodality.encoding.texts import decode_element_text

KANJI = ["", "ISO 2022 IR 87"]
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian]


def _with_terms(data_set: Dataset, terms: str, syntax: str) -> Dataset:
    """The data set as it is read where its character set has another name."""
    data_set.SpecificCharacterSet = "ISO_IR 192"
    raw = encode_data_set(data_set, syntax)
    return decode_data_set(raw.replace(b"ISO_IR 192", terms.encode().ljust(10)), syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("term", ["idna", "utf-7", "undefined", "hex_codec", "rot13", "ISO_IR 999"])
def test_a_codec_of_python_reads_nothing(term: str, syntax: str) -> None:
    item = Dataset()
    item.ScheduledProcedureStepDescription = "Zoë+2AA-"
    data_set = Dataset()
    data_set.PatientName, data_set.OtherPatientIDs, data_set.PatientComments = "Doe^Zoë", ["1ë", "2"], "\\ud800ë"
    data_set.ScheduledProcedureStepSequence = [item]
    read = _with_terms(data_set, term, syntax)
    assert read.SpecificCharacterSet == term
    assert read.PatientName == "Doe^Zo\ufffd\ufffd"
    assert read.OtherPatientIDs == ["1\ufffd\ufffd", "2"]
    assert read.PatientComments == "\\ud800\ufffd\ufffd"
    assert read.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "Zo\ufffd\ufffd+2AA-"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_names_are_parted_after_they_are_decoded(syntax: str) -> None:
    name = "HARU^HANA=春^華=はる^はな"
    item = Dataset()
    item.ScheduledPerformingPhysicianName = [name, "SHU=修椰"]
    data_set = Dataset()
    data_set.SpecificCharacterSet = KANJI
    data_set.PatientName, data_set.OtherPatientNames = name, [name, "A^B"]
    data_set.ScheduledProcedureStepSequence = [item]
    raw = encode_data_set(data_set, syntax)
    read = decode_data_set(raw, syntax)
    assert read.PatientName == name
    assert read.PatientName.ideographic == "春^華"
    assert read.OtherPatientNames == [name, "A^B"]
    assert isinstance(read.OtherPatientNames, MultiValue)
    assert read.ScheduledProcedureStepSequence[0].ScheduledPerformingPhysicianName == [name, "SHU=修椰"]
    assert encode_data_set(read, syntax) == raw


def test_a_name_is_written_in_another_character_set() -> None:
    data_set = Dataset()
    data_set.SpecificCharacterSet = KANJI
    data_set.PatientName = "HARU^HANA=春^華"
    read = decode_data_set(encode_data_set(data_set, ImplicitVRLittleEndian), ImplicitVRLittleEndian)
    read.SpecificCharacterSet = "GB18030"
    assert "HARU^HANA=春^華".encode("gb18030") in encode_data_set(read, ImplicitVRLittleEndian)


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        (None, ["iso8859"]),
        ("", ["iso8859"]),
        ([], ["iso8859"]),
        (["", "ISO 2022 IR 87"], ["iso8859", "iso2022_jp"]),
        ("ISO-IR 100", ["latin_1"]),
        ("ISO_IR 203", ["iso8859_15"]),
        ("utf-7", [UNKNOWN]),
        (["", "idna"], ["iso8859", UNKNOWN]),
        (["iso8859", "iso2022_jp"], ["iso8859", "iso2022_jp"]),
        ([UNKNOWN], [UNKNOWN]),
    ],
)
def test_names_of_character_sets(terms: list[str] | str | None, names: list[str]) -> None:
    assert convert_terms(terms) == names


def test_pydicom_and_the_index_read_the_same() -> None:
    raw = b"A=\x1b$B=U\x1b(B^\x1b$B2Z\x1b(B"
    data_set = Dataset()
    data_set.SpecificCharacterSet, data_set.PatientName = KANJI, "X" * len(raw)
    encoded = encode_data_set(data_set, ImplicitVRLittleEndian).replace(b"X" * len(raw), raw)
    assert decode_data_set(encoded, ImplicitVRLittleEndian).PatientName == decode_element_text(raw, tuple(KANJI), "PN")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("raw", "text"), [("72,5", "72,5"), ("NaN", "NaN"), ("1\x1bx", "1\ufffdx"), ("1e99", 1e99)])
def test_a_number_that_is_none_is_clean_text(syntax: str, raw: str, text: object) -> None:
    data_set = Dataset()
    data_set.PatientWeight, data_set.PixelSpacing = "4444", ["1", "4444"]
    encoded = encode_data_set(data_set, syntax).replace(b"4444", raw.ljust(4).encode())
    read = decode_data_set(encoded, syntax)
    assert read.PatientWeight == text
    assert list(read.PixelSpacing)[1] == text
