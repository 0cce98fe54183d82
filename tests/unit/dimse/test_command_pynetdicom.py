"""Command sets of every message, against pynetdicom's (PS3.7 9.3, 10.3, E.1)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pynetdicom import dimse_messages, dimse_primitives
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.pdu_primitives import P_DATA

from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.standard.dimse import DATA_SET_PRESENT, NO_DATA_SET, CommandField

VALUES: dict[str, Any] = {
    "AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "RequestedSOPClassUID": "1.2.840.10008.3.1.2.3.3",
    "MessageID": 7,
    "MessageIDBeingRespondedTo": 65535,
    "MoveDestination": "STORE_SCP",
    "Priority": 1,
    "Status": 0x0110,
    "OffendingElement": (0x00080018,),
    "ErrorComment": "cannot be processed",
    "ErrorID": 300,
    "AffectedSOPInstanceUID": "1.2.3.4.5",
    "RequestedSOPInstanceUID": "1.2.3.45",
    "EventTypeID": 2,
    "AttributeIdentifierList": (0x00100010, 0x0020000D),
    "ActionTypeID": 1,
    "NumberOfRemainingSuboperations": 1,
    "NumberOfCompletedSuboperations": 200,
    "NumberOfFailedSuboperations": 3,
    "NumberOfWarningSuboperations": 0,
    "MoveOriginatorApplicationEntityTitle": "MR1",
    "MoveOriginatorMessageID": 12,
}
OF_EVERY_MESSAGE = {"CommandGroupLength", "CommandField", "CommandDataSetType"}
DATA_SETS = (
    "DataSet",
    "Identifier",
    "EventInformation",
    "EventReply",
    "AttributeList",
    "ModificationList",
    "ActionInformation",
    "ActionReply",
)
MESSAGES = [field.name for field in CommandField]


def theirs(name: str, data: bytes | None) -> tuple[Command, bytes, bool]:
    """A message made by pynetdicom from its primitive: what we call it, its command set, whether a data set follows."""
    message = getattr(dimse_messages, name)()
    keywords = {element.keyword for element in message.command_set} - OF_EVERY_MESSAGE
    primitive = getattr(dimse_primitives, name.rpartition("_")[0])()
    for keyword in keywords:
        value = VALUES[keyword]
        setattr(primitive, keyword, list(value) if isinstance(value, tuple) else value)
    for keyword in DATA_SETS:
        if data is not None and hasattr(primitive, keyword):
            setattr(primitive, keyword, BytesIO(data))
    message.primitive_to_message(primitive)
    parts = [value for p_data in message.encode_msg(1, 16382) for _, value in p_data.presentation_data_value_list]
    kind = NO_DATA_SET if len(parts) == 1 else DATA_SET_PRESENT
    ours = Command(CommandField[name], CommandDataSetType=kind, **{keyword: VALUES[keyword] for keyword in keywords})
    return ours, parts[0][1:], len(parts) == 2


@pytest.mark.parametrize("data", [None, b"\x10\0\x20\0\0\0\0\0"], ids=["without", "with"])
@pytest.mark.parametrize("name", MESSAGES)
def test_bytes_are_those_of_pynetdicom(name: str, data: bytes | None) -> None:
    ours, raw, has_data_set = theirs(name, data)
    assert encode_command(ours) == raw
    assert decode_command(raw) == ours
    assert decode_command(raw).has_data_set == has_data_set


@pytest.mark.parametrize("name", MESSAGES)
def test_pynetdicom_reads_ours(name: str) -> None:
    ours, _, _ = theirs(name, None)
    p_data = P_DATA()
    p_data.presentation_data_value_list.append((1, b"\x03" + encode_command(ours)))
    message = DIMSEMessage()
    assert message.decode_msg(p_data)
    assert type(message).__name__ == name
    read = {element.keyword: element.value for element in message.command_set}
    del read["CommandGroupLength"]
    expected = {keyword: value for keyword, value in ours._asdict().items() if value is not None}
    assert {keyword: _plain(value) for keyword, value in read.items()} == {k: _plain(v) for k, v in expected.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int)):
        return value
    values = [int(part) for part in value]
    return values[0] if len(values) == 1 else values


def test_command_fields_are_those_of_pynetdicom() -> None:
    known = {code: name.replace("-", "_") for code, (name, _) in dimse_messages._MESSAGE_TYPES.items()}
    assert {int(field): field.name for field in CommandField} == known
