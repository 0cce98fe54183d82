"""PS3.7 facts: command fields, command elements, general status codes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

NO_DATA_SET: Final = 0x0101
"""Command Data Set Type (0000,0800) that says no data set follows; every other value says that one does (PS3.7 E.1)."""

DATA_SET_PRESENT: Final = 0x0001

RESPONSE_BIT: Final = 0x8000
"""Set in Command Field (0000,0100) of every response."""


class CommandField(IntEnum):
    """Command Field (0000,0100), PS3.7 E.1."""

    C_STORE_RQ = 0x0001
    C_STORE_RSP = 0x8001
    C_GET_RQ = 0x0010
    C_GET_RSP = 0x8010
    C_FIND_RQ = 0x0020
    C_FIND_RSP = 0x8020
    C_MOVE_RQ = 0x0021
    C_MOVE_RSP = 0x8021
    C_ECHO_RQ = 0x0030
    C_ECHO_RSP = 0x8030
    C_CANCEL_RQ = 0x0FFF
    N_EVENT_REPORT_RQ = 0x0100
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RQ = 0x0110
    N_GET_RSP = 0x8110
    N_SET_RQ = 0x0120
    N_SET_RSP = 0x8120
    N_ACTION_RQ = 0x0130
    N_ACTION_RSP = 0x8130
    N_CREATE_RQ = 0x0140
    N_CREATE_RSP = 0x8140
    N_DELETE_RQ = 0x0150
    N_DELETE_RSP = 0x8150


class Priority(IntEnum):
    """Priority (0000,0700), PS3.7 E.1."""

    MEDIUM = 0x0000
    HIGH = 0x0001
    LOW = 0x0002


class CommandElement(NamedTuple):
    """One row of PS3.7 Table E.1-1; the keyword is that of PS3.6."""

    tag: int
    keyword: str
    vr: str


COMMAND_ELEMENTS: Final = (
    CommandElement(0x00000002, "AffectedSOPClassUID", "UI"),
    CommandElement(0x00000003, "RequestedSOPClassUID", "UI"),
    CommandElement(0x00000100, "CommandField", "US"),
    CommandElement(0x00000110, "MessageID", "US"),
    CommandElement(0x00000120, "MessageIDBeingRespondedTo", "US"),
    CommandElement(0x00000600, "MoveDestination", "AE"),
    CommandElement(0x00000700, "Priority", "US"),
    CommandElement(0x00000800, "CommandDataSetType", "US"),
    CommandElement(0x00000900, "Status", "US"),
    CommandElement(0x00000901, "OffendingElement", "AT"),
    CommandElement(0x00000902, "ErrorComment", "LO"),
    CommandElement(0x00000903, "ErrorID", "US"),
    CommandElement(0x00001000, "AffectedSOPInstanceUID", "UI"),
    CommandElement(0x00001001, "RequestedSOPInstanceUID", "UI"),
    CommandElement(0x00001002, "EventTypeID", "US"),
    CommandElement(0x00001005, "AttributeIdentifierList", "AT"),
    CommandElement(0x00001008, "ActionTypeID", "US"),
    CommandElement(0x00001020, "NumberOfRemainingSuboperations", "US"),
    CommandElement(0x00001021, "NumberOfCompletedSuboperations", "US"),
    CommandElement(0x00001022, "NumberOfFailedSuboperations", "US"),
    CommandElement(0x00001023, "NumberOfWarningSuboperations", "US"),
    CommandElement(0x00001030, "MoveOriginatorApplicationEntityTitle", "AE"),
    CommandElement(0x00001031, "MoveOriginatorMessageID", "US"),
)


OUT_OF_RESOURCES: Final = 0xA700
"""Refused: Out of Resources, of C-STORE, C-FIND and C-MOVE (PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5)."""


class Status(IntEnum):
    """Status (0000,0900) values that PS3.7 Annex C defines for every service; services add their own."""

    SUCCESS = 0x0000
    REFUSED_SOP_CLASS_NOT_SUPPORTED = 0x0122
    NO_SUCH_ATTRIBUTE = 0x0105
    INVALID_ATTRIBUTE_VALUE = 0x0106
    ATTRIBUTE_LIST_ERROR = 0x0107
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_SOP_INSTANCE = 0x0111
    NO_SUCH_SOP_INSTANCE = 0x0112
    NO_SUCH_EVENT_TYPE = 0x0113
    NO_SUCH_ARGUMENT = 0x0114
    INVALID_ARGUMENT_VALUE = 0x0115
    ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
    INVALID_SOP_INSTANCE = 0x0117
    NO_SUCH_SOP_CLASS = 0x0118
    CLASS_INSTANCE_CONFLICT = 0x0119
    MISSING_ATTRIBUTE = 0x0120
    MISSING_ATTRIBUTE_VALUE = 0x0121
    NO_SUCH_ACTION_TYPE = 0x0123
    REFUSED_NOT_AUTHORIZED = 0x0124
    DUPLICATE_INVOCATION = 0x0210
    UNRECOGNIZED_OPERATION = 0x0211
    MISTYPED_ARGUMENT = 0x0212
    RESOURCE_LIMITATION = 0x0213
    CANCEL = 0xFE00
    PENDING = 0xFF00
    PENDING_OPTIONAL_KEYS_UNSUPPORTED = 0xFF01


STATUS_MEANINGS: Final[dict[int, str]] = {
    0x0000: "Success",
    0x0105: "No such attribute",
    0x0106: "Invalid attribute value",
    0x0107: "Attribute list error",
    0x0110: "Processing failure",
    0x0111: "Duplicate SOP Instance",
    0x0112: "No such SOP Instance",
    0x0113: "No such event type",
    0x0114: "No such argument",
    0x0115: "Invalid argument value",
    0x0116: "Attribute value out of range",
    0x0117: "Invalid SOP Instance",
    0x0118: "No such SOP Class",
    0x0119: "Class-instance conflict",
    0x0120: "Missing attribute",
    0x0121: "Missing attribute value",
    0x0122: "Refused: SOP Class not supported",
    0x0123: "No such action type",
    0x0124: "Refused: not authorized",
    0x0210: "Duplicate invocation",
    0x0211: "Unrecognized operation",
    0x0212: "Mistyped argument",
    0x0213: "Resource limitation",
    0xFE00: "Cancel",
    0xFF00: "Pending",
    0xFF01: "Pending, one or more optional keys were not supported",
}
"""Meanings of the general codes, PS3.7 Annex C."""

GENERAL_WARNINGS: Final = frozenset({0x0001, 0x0107, 0x0116})
"""Codes outside Bxxx that PS3.7 C.4 makes warnings."""
