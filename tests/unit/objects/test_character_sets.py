"""The smallest of the configured character sets that holds the text, decided character by character."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from openmodality.device.loader import load_profile
from openmodality.errors import ConfigurationError, ObjectInvalid
from openmodality.objects.character_sets import apply, choose, holds
from openmodality.objects.elements import element

MR = load_profile("mr").character_sets
RF = load_profile("rf").character_sets


def named(name: str) -> Dataset:
    data_set = Dataset()
    data_set.PatientName = name
    return data_set


@pytest.mark.parametrize(
    ("name", "mr", "rf"),
    [
        ("Doe^Jane", ("ISO_IR 100",), ()),
        ("Müller^Jürgen", ("ISO_IR 100",), ("GB18030",)),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("", "ISO 2022 IR 87"), ("GB18030",)),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", ("ISO 2022 IR 13", "ISO 2022 IR 87"), ("GB18030",)),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", ("ISO 2022 IR 13", "ISO 2022 IR 87"), ("GB18030",)),
        ("Wang^XiaoDong=王^小东", None, ("GB18030",)),
    ],
)
def test_choice(name: str, mr: tuple[str, ...] | None, rf: tuple[str, ...]) -> None:
    assert choose(named(name), RF) == rf
    if mr is not None:
        assert choose(named(name), MR) == mr


def test_a_text_that_none_holds_is_refused_by_its_tag() -> None:
    with pytest.raises(ObjectInvalid, match=r"\(0010,0010\) PatientName") as caught:
        choose(named("Wang^XiaoDong=王^小东"), MR)
    assert "Wang" not in str(caught.value)
    assert "王" not in str(caught.value)


def test_texts_inside_sequences_count() -> None:
    data_set = Dataset()
    data_set.RequestAttributesSequence = [Dataset()]
    data_set.RequestAttributesSequence[0].ScheduledProcedureStepDescription = "胃"
    assert choose(data_set, MR) == ("", "ISO 2022 IR 87")


def test_no_character_set_at_all() -> None:
    with pytest.raises(ObjectInvalid):
        choose(named("Müller"), [])


def test_codes_and_uids_do_not_count() -> None:
    data_set = Dataset()
    data_set.add(element(0x00080060, "CS", "Ü"))
    assert choose(data_set, RF) == ()


@pytest.mark.parametrize(
    ("terms", "text", "fits"),
    [
        (("ISO_IR 13",), "a\\b", False),
        (("ISO_IR 13",), "山", False),
        (("ISO_IR 13",), "ﾔ", True),
        (("", "ISO 2022 IR 87"), "ﾔ", False),
        (("", "ISO 2022 IR 87"), "é", False),
        (("ISO_IR 144",), "Люкceмбypг", True),
        (("ISO_IR 144",), "山", False),
        (("ISO_IR 192",), "山é", True),
        ((), "é", False),
        (("ISO_IR 6",), "é", False),
    ],
)
def test_repertoires(terms: tuple[str, ...], text: str, fits: bool) -> None:
    assert holds(terms, text) is fits


def test_an_unknown_term_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match="ISO_IR 999"):
        holds(("ISO_IR 999",), "é")


@pytest.mark.parametrize(("terms", "value"), [((), None), (("ISO_IR 100",), "ISO_IR 100"), (("", "A"), ["", "A"])])
def test_apply(terms: tuple[str, ...], value: object) -> None:
    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    apply(data_set, terms)
    assert data_set.get("SpecificCharacterSet") == value


LETTERS = st.characters(
    min_codepoint=33, exclude_characters="\\^=\x7f", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Mn"]
)


@given(st.text(LETTERS, min_size=1, max_size=12))
def test_what_a_set_holds_survives_being_written(text: str) -> None:
    for terms in (*MR, *RF, ("ISO_IR 192",)):
        if holds(terms, text):
            data_set = named(text)
            apply(data_set, terms)
            assert str(written_and_read(data_set).PatientName) == text


def written_and_read(data_set: Dataset) -> Dataset:
    data_set.SOPClassUID, data_set.SOPInstanceUID = MRImageStorage, "1.2.3"
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    data_set.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return dcmread(stream)
