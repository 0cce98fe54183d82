"""Which character set an object gets."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from openmodality.device.charsets import (
    CharacterSetTerms,
    choose_terms,
    choose_terms_for,
    declare,
    declare_for_both,
    find_lone,
    find_outside,
    find_unsupported,
    list_unheld,
)
from openmodality.device.paths import parse_path
from openmodality.device.profile.loader import load_profile
from openmodality.dimse.repertoires import holds
from openmodality.standard.character_sets import UTF_8

MR = load_profile("mr").character_sets
RF = load_profile("rf").character_sets


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Smith^John", ("ISO_IR 100",)),
        ("Müller^Jörg", ("ISO_IR 100",)),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("", "ISO 2022 IR 87")),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", ("ISO 2022 IR 13", "ISO 2022 IR 87")),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", ("ISO 2022 IR 13", "ISO 2022 IR 87")),
    ],
)
def test_mr_takes_the_smallest_that_holds_the_text(text: str, terms: tuple[str, ...]) -> None:
    assert choose_terms([text], MR) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [("Smith^John", ()), ("Müller^Jörg", ("GB18030",)), ("王^小东", ("GB18030",)), ("a\r\nb", ())],
)
def test_rf_takes_gb18030_where_it_must(text: str, terms: tuple[str, ...]) -> None:
    assert choose_terms([text], RF) == terms


def test_what_none_holds_goes_as_utf_8_and_is_logged_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert choose_terms(["Иванов^Иван"], (("ISO_IR 100",),)) == (UTF_8,)
    [record] = caplog.records
    assert record.message == "charset.text_goes_as_utf_8"
    said = "text that is not in ISO_IR 100 goes as UTF-8; name its set under device.character_sets"
    assert record.__dict__["notice"] == said


@pytest.mark.parametrize(
    ("terms", "text", "held"),
    [
        ((), "é", False),
        (("ISO_IR 6",), "a", True),
        (("ISO_IR 13",), "ｱ", True),
        (("ISO_IR 13",), "\\", False),
        (("ISO 2022 IR 6", "ISO 2022 IR 87"), "山¥", False),
        (("ISO_IR 192",), "山é王", True),
        (("NO SUCH SET",), "a", False),
        (("ISO_IR 13",), "山", False),
        (("", "ISO 2022 IR 87"), "ﾔ", False),
        (("", "ISO 2022 IR 87"), "é", False),
        (("ISO_IR 144",), "Люкceмбypг", True),
        (("ISO_IR 144",), "山", False),
        (("ISO 2022 IR 159",), "α", False),
    ],
)
def test_a_character_set_holds_its_repertoire_alone(terms: tuple[str, ...], text: str, held: bool) -> None:
    assert holds(terms, text) is held


def chinese() -> Dataset:
    item = Dataset()
    item.CodeMeaning = "胃"
    dataset = Dataset()
    dataset.PatientName = "Wang^XiaoDong=王^小东"
    dataset.StationName = "透视"
    dataset.Modality = "RF"
    dataset.OtherPatientNames = ["A^B", "C^D"]
    dataset.ProcedureCodeSequence = Sequence([item])
    dataset.AccessionNumber = ""
    return dataset


def test_text_in_sequences_decides_the_character_set_too() -> None:
    dataset = Dataset()
    dataset.ProcedureCodeSequence = chinese().ProcedureCodeSequence
    assert choose_terms_for(dataset, RF) == ("GB18030",)


def test_without_any_configured_set_text_goes_as_utf_8() -> None:
    assert choose_terms(["Müller"], ()) == (UTF_8,)


def test_codes_do_not_count() -> None:
    dataset = Dataset()
    dataset.add_new("Modality", "CS", None)
    dataset["Modality"]._value = "Ü"
    assert choose_terms_for(dataset, RF) == ()


@pytest.mark.parametrize(
    ("configured", "name", "value"),
    [
        ([()], "Doe", None),
        ([("ISO_IR 6",)], "Doe", "ISO_IR 6"),
        ([("ISO_IR 100",)], "Müller", "ISO_IR 100"),
        ([("", "ISO 2022 IR 87")], "山", ["", "ISO 2022 IR 87"]),
        ([("ISO_IR 100",)], "山", "ISO_IR 192"),
    ],
)
def test_a_data_set_declares_its_character_set(configured: list[CharacterSetTerms], name: str, value: object) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 144"
    dataset.PatientName = name
    declare(dataset, configured)
    assert dataset.get("SpecificCharacterSet") == value


def test_attributes_that_a_character_set_does_not_hold() -> None:
    assert list_unheld(chinese(), ("GB18030",)) == ()
    assert list_unheld(chinese(), ("", "ISO 2022 IR 87")) == (parse_path("PatientName"), parse_path("StationName"))


def test_text_outside_the_statement_s_table_is_found() -> None:
    outside = find_outside(chinese(), load_profile("rf").charset_attributes)
    assert outside == (parse_path("StationName"), parse_path("ProcedureCodeSequence>CodeMeaning"))


def test_text_outside_the_statement_s_table_is_sent_and_noted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    listed = Dataset()
    listed.PatientName = "王^小东"
    declare(listed, RF, load_profile("rf").charset_attributes)
    assert (listed.SpecificCharacterSet, caplog.records) == ("GB18030", [])
    data_set = chinese()
    declare(data_set, RF, load_profile("rf").charset_attributes)
    assert (data_set.SpecificCharacterSet, data_set.StationName) == ("GB18030", "透视")
    (record,) = caplog.records
    assert record.message == "charset.attribute_not_listed"
    assert vars(record)["attributes"] == "(0008,1010) StationName, (0008,0104) CodeMeaning"
    assert "透视" not in str(vars(record))
    caplog.clear()
    declare(chinese(), RF)
    assert caplog.records == []


def test_the_terms_of_a_character_set_are_those_of_the_table() -> None:
    mr, rf = load_profile("mr").charsets, load_profile("rf").charsets
    assert {entry.term for entry in rf} == {"", "GB18030"}
    assert find_unsupported(("", "ISO 2022 IR 87"), rf) == "'ISO 2022 IR 87'"
    assert find_unsupported(("", "ISO 2022 IR 87"), mr) == ""
    assert find_unsupported(("KOI-8",), ()) == ""
    assert find_lone(("", "ISO_IR 100"), mr) == "'ISO_IR 100'"
    assert find_lone(("", "ISO 2022 IR 100"), mr) == find_lone(("ISO_IR 100",), mr) == ""


LETTERS = st.characters(
    min_codepoint=33, exclude_characters="\\^=\x7f", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Mn"]
)


@given(st.text(LETTERS, min_size=1, max_size=12))
def test_no_name_is_lost_when_it_is_written(text: str) -> None:
    for configured in (MR, RF, (), *([terms] for terms in MR)):
        dataset = Dataset()
        dataset.PatientName = text
        declare(dataset, configured)
        assert str(written_and_read(dataset).PatientName) == text


def written_and_read(dataset: Dataset) -> Dataset:
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return dcmread(stream)


@pytest.mark.parametrize(
    ("declared", "name", "terms"),
    [
        (None, "Smith^John", None),
        ("ISO_IR 100", "Smith^John", "ISO_IR 100"),
        (["", "ISO 2022 IR 87"], "Smith^John", ["", "ISO 2022 IR 87"]),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"]),
        (None, "Müller^Jörg", "ISO_IR 100"),
        ("ISO_IR 100", "王^小东", "ISO_IR 192"),
    ],
)
def test_what_is_added_to_a_data_set_keeps_its_character_set_where_that_holds(
    declared: str | list[str] | None, name: str, terms: str | list[str] | None
) -> None:
    earlier, added = Dataset(), Dataset()
    if declared is not None:
        earlier.SpecificCharacterSet = declared
    added.PatientName = name
    declare_for_both(added, earlier, [("ISO_IR 100",)])
    assert added.get("SpecificCharacterSet") == terms
