"""Identifiers are built from rows of keys (PS3.4 C.2.2.1)."""

import pytest
from pydicom import Dataset

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.query.identifier import Key, identifier
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED

STEP = 0x00400100
MODALITY = (STEP, 0x00080060)
KEYS = [
    Key((0x00080005,)),
    Key((0x00100010,)),
    Key((STEP,)),
    Key(MODALITY),
    Key((STEP, 0x00400008)),
    Key((0x00080050,)),
]


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_return_keys_have_zero_length_and_matching_keys_their_value(transfer_syntax: str) -> None:
    built = identifier(KEYS, {MODALITY: "MR"})
    sent = decode_data_set(encode_data_set(built, transfer_syntax), transfer_syntax)
    expected = Dataset()
    expected.AccessionNumber = expected.PatientName = None
    step = Dataset()
    step.Modality, step.ScheduledProtocolCodeSequence = "MR", []
    expected.ScheduledProcedureStepSequence = [step]
    assert sent.to_json_dict() == expected.to_json_dict()


def test_character_set_is_declared_only_where_a_value_needs_one() -> None:
    assert "SpecificCharacterSet" not in identifier(KEYS, {(0x00100010,): "MUELLER*"})
    assert identifier(KEYS, {(0x00100010,): "Müller*"}).SpecificCharacterSet == "ISO_IR 100"
    assert identifier(KEYS, {(0x00100010,): "Łukasz*"}).SpecificCharacterSet == "ISO_IR 192"
    assert identifier(KEYS, {(0x00100010,): "山田*"}, character_sets=[["", "ISO 2022 IR 87"]]).SpecificCharacterSet == [
        "",
        "ISO 2022 IR 87",
    ]


def test_text_that_no_character_set_holds_is_named_by_its_tag() -> None:
    with pytest.raises(ObjectInvalid, match=r"holds the text of \(0010,0010\)") as caught:
        identifier(KEYS, {(0x00100010,): "山田"}, character_sets=["ISO_IR 100"])
    assert "山田" not in str(caught.value)


def test_keys_that_a_peer_cannot_take_are_left_out_with_all_below() -> None:
    assert "AccessionNumber" not in identifier(KEYS, omitted=[(0x00080050,)])
    assert "ScheduledProcedureStepSequence" not in identifier(KEYS, {MODALITY: "MR"}, omitted=[(STEP,)])


def test_value_for_a_key_that_no_row_names_adds_it() -> None:
    assert identifier([], {(0x00100040,): "F", (0x001021C0,): 4}).to_json_dict() == {
        "00100040": {"vr": "CS", "Value": ["F"]},
        "001021C0": {"vr": "US", "Value": [4]},
    }


def test_value_that_its_vr_cannot_hold_is_a_wrong_use() -> None:
    with pytest.raises(UsageError, match=r"\(0010,1030\): its value is no DS"):
        identifier([], {(0x00101030,): "heavy"})


@pytest.mark.parametrize(
    ("tag", "given", "sent"),
    [
        (0x00101030, "72,5", 72.5),
        (0x00080020, "2026.01.01", "20260101"),
        (0x00080020, "20260101-20260131", "20260101-20260131"),
        (0x00080020, "2026*", "2026*"),
        (0x00100020, "9" * 70, "9" * 70),
        (0x00100010, "DOE*", "DOE*"),
    ],
)
def test_a_value_that_can_mean_one_thing_only_is_mended(tag: int, given: str, sent: object) -> None:
    assert identifier([], {(tag,): given})[tag].value == sent


@pytest.mark.parametrize(
    ("tag", "given", "words"),
    [
        (0x00101030, "1,234", "a comma that may part thousands; give a number with a point"),
        (0x00201208, "1.5", "no whole number"),
        (0x00100010, "DOE\x1b[2J", "a control character"),
        (0x00100020, "1\n2", "a control character"),
        (0x00100020, "1\0", "a control character"),
    ],
)
def test_a_value_that_no_peer_should_see_is_a_wrong_use(tag: int, given: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        identifier([], {(tag,): given})
    assert given not in str(caught.value)


def test_the_default_repertoire_holds_no_more_than_ascii() -> None:
    assert identifier(KEYS, {(0x00100010,): "Müller"}, character_sets=[(), "ISO_IR 192"]).SpecificCharacterSet == (
        "ISO_IR 192"
    )


def test_code_extensions_hold_no_more_than_their_terms() -> None:
    character_sets = [["", "ISO 2022 IR 87"], "ISO_IR 192"]
    assert identifier(KEYS, {(0x00100010,): "é"}, character_sets=character_sets).SpecificCharacterSet == "ISO_IR 192"
