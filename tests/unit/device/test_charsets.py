"""Which character set an object gets."""

from __future__ import annotations

import logging

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from openmodality.device.charsets import UTF_8, attributes_outside, choose, choose_for, holds
from openmodality.device.loader import load_profile
from openmodality.device.paths import parse_path

MR = load_profile("mr").character_sets
RF = load_profile("rf").character_sets


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Smith^John", ("ISO_IR 100",)),
        ("Müller^Jörg", ("ISO_IR 100",)),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("", "ISO 2022 IR 87")),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", ("ISO 2022 IR 13", "ISO 2022 IR 87")),
    ],
)
def test_mr_takes_the_smallest_that_holds_the_text(text: str, terms: tuple[str, ...]) -> None:
    assert choose([text], MR) == terms


@pytest.mark.parametrize(("text", "terms"), [("Smith^John", ()), ("王^小东", ("GB18030",)), ("a\r\nb", ())])
def test_rf_takes_gb18030_where_it_must(text: str, terms: tuple[str, ...]) -> None:
    assert choose([text], RF) == terms


def test_what_none_holds_goes_as_utf_8_and_is_logged_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert choose(["Иванов^Иван"], (("ISO_IR 100",),)) == UTF_8
    assert [record.message for record in caplog.records] == ["charset.none_configured_holds_text"]


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
        (("ISO 2022 IR 159",), "α", False),
    ],
)
def test_repertoires(terms: tuple[str, ...], text: str, held: bool) -> None:
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


def test_sequences_count() -> None:
    dataset = Dataset()
    dataset.ProcedureCodeSequence = chinese().ProcedureCodeSequence
    assert choose_for(dataset, RF) == ("GB18030",)


def test_text_outside_the_statement_s_table_is_found() -> None:
    outside = attributes_outside(chinese(), load_profile("rf").charset_attributes)
    assert outside == (parse_path("StationName"), parse_path("ProcedureCodeSequence>CodeMeaning"))
