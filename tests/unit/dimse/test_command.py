"""The command set (PS3.7 6.3.1, Annex E)."""

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.errors import ProtocolError
from openmodality.standard.dimse import COMMAND_ELEMENTS, CommandField

STORE = Command(
    CommandField=CommandField.C_STORE_RQ,
    MessageID=7,
    AffectedSOPClassUID="1.2.840.10008.5.1.4.1.1.4",
    AffectedSOPInstanceUID="1.2.3.4.5",
    Priority=0,
    CommandDataSetType=1,
)


def test_elements_are_those_of_the_dictionary() -> None:
    for element in COMMAND_ELEMENTS:
        assert (keyword_for_tag(element.tag), dictionary_VR(element.tag)) == (element.keyword, element.vr)


def test_bytes_are_what_pydicom_writes() -> None:
    data_set = pydicom.Dataset()
    data_set.AffectedSOPClassUID = STORE.AffectedSOPClassUID
    data_set.CommandField = STORE.CommandField
    data_set.MessageID = STORE.MessageID
    data_set.Priority = STORE.Priority
    data_set.CommandDataSetType = STORE.CommandDataSetType
    data_set.AffectedSOPInstanceUID = STORE.AffectedSOPInstanceUID
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, data_set)
    raw = buffer.getvalue()
    assert encode_command(STORE) == bytes.fromhex("0000000004000000") + len(raw).to_bytes(4, "little") + raw


def test_wrong_group_length_does_no_harm() -> None:
    raw = bytearray(encode_command(STORE))
    raw[8:12] = b"\xff\xff\xff\x7f"
    assert decode_command(bytes(raw)) == STORE


def test_any_data_set_type_but_0101_means_that_a_data_set_follows() -> None:
    assert not Command(CommandField=1).has_data_set
    for kind in (0x0000, 0x0001, 0x0100, 0x0102, 0xFFFF):
        assert Command(CommandField=1, CommandDataSetType=kind).has_data_set


def test_padding_of_uids_and_titles_is_not_part_of_them() -> None:
    padded = encode_command(STORE).replace(b"1.2.3.4.5\0", b"1.2.3.4.5 ")
    assert decode_command(padded).AffectedSOPInstanceUID == "1.2.3.4.5"


def test_unknown_elements_are_read_over() -> None:
    raw = encode_command(STORE) + bytes.fromhex("0000ff7f02000000abcd")
    assert decode_command(raw) == STORE


def test_error_comment_is_cut_to_64_characters_and_to_ascii() -> None:
    command = Command(CommandField=0x8001, ErrorComment="ä" * 80)
    assert decode_command(encode_command(command)).ErrorComment == "?" * 64


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\0\0\0", "inside an element header"),
        (bytes.fromhex("0800160002000000aaaa"), "outside group 0000"),
        (bytes.fromhex("00000001ffffffff"), "longer than the set"),
        (bytes.fromhex("000000010100000001"), "no value"),
        (encode_command(STORE)[:12], r"\(0000,0100\) is missing"),
    ],
)
def test_what_is_no_command_set_breaks_the_protocol(raw: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        decode_command(raw)


def test_name_is_the_standards() -> None:
    assert STORE.name == "C-STORE-RQ"
    assert Command(CommandField=0x1234).name == "command 1234H"
