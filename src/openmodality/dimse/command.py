"""The command set of a DIMSE message (PS3.7 6.3, 9.3, 10.3, Annex E).

A command set is always Implicit VR Little Endian. :class:`Command` holds every element that Table E.1-1 does not
retire; what a message does not use is ``None``. Unknown and retired elements are read over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from openmodality.errors import ProtocolError
from openmodality.standard.dimse import COMMAND_ELEMENTS, NO_DATA_SET, RESPONSE_BIT, CommandField
from openmodality.standard.value_lengths import MAX_CHARACTERS


class Command(NamedTuple):
    """One command set; attribute names are the PS3.6 keywords.

    A tuple, because two are made for every instance that is stored, and a tuple of 23 is made six times faster than
    a frozen dataclass.
    """

    CommandField: int
    AffectedSOPClassUID: str | None = None
    RequestedSOPClassUID: str | None = None
    MessageID: int | None = None
    MessageIDBeingRespondedTo: int | None = None
    MoveDestination: str | None = None
    Priority: int | None = None
    CommandDataSetType: int = NO_DATA_SET
    Status: int | None = None
    OffendingElement: tuple[int, ...] | None = None
    ErrorComment: str | None = None
    ErrorID: int | None = None
    AffectedSOPInstanceUID: str | None = None
    RequestedSOPInstanceUID: str | None = None
    EventTypeID: int | None = None
    AttributeIdentifierList: tuple[int, ...] | None = None
    ActionTypeID: int | None = None
    NumberOfRemainingSuboperations: int | None = None
    NumberOfCompletedSuboperations: int | None = None
    NumberOfFailedSuboperations: int | None = None
    NumberOfWarningSuboperations: int | None = None
    MoveOriginatorApplicationEntityTitle: str | None = None
    MoveOriginatorMessageID: int | None = None

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows: any Command Data Set Type other than 0101H (PS3.7 E.1)."""
        return self.CommandDataSetType != NO_DATA_SET

    @property
    def is_response(self) -> bool:
        """Whether this answers a request."""
        return bool(self.CommandField & RESPONSE_BIT)

    @property
    def name(self) -> str:
        """``"C-STORE-RQ"``; ``"command 1234H"`` for a code that PS3.7 does not know."""
        try:
            return CommandField(self.CommandField).name.replace("_", "-")
        except ValueError:
            return f"command {self.CommandField:04X}H"


MAX_COMMENT: Final = MAX_CHARACTERS["LO"]
"""Characters of an LO such as Error Comment (0000,0902), PS3.5 6.2."""

_HEADER: Final = struct.Struct("<HHL")
_US: Final = struct.Struct("<H")
_US_ELEMENT: Final = struct.Struct("<HHLH")
_GROUP_LENGTH: Final = struct.Struct("<HHLL")


def _encode_ui(value: str) -> bytes:
    raw = value.encode("ascii", "replace")  # a peer's own, echoed, may hold what no UID holds
    return raw + b"\0" if len(raw) & 1 else raw


def _encode_text(value: str) -> bytes:
    raw = value.encode("ascii", "replace")
    return raw + b" " if len(raw) & 1 else raw


def _encode_at(value: tuple[int, ...]) -> bytes:
    return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)


def _decode_ui(raw: bytes) -> str:
    return raw.rstrip(b"\0 ").decode("ascii", "replace").strip()


def _decode_text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")


def _decode_us(raw: bytes) -> int:
    if len(raw) < 2:
        raise ProtocolError("command set: a US element has no value")
    return int.from_bytes(raw[:2], "little")


def _decode_at(raw: bytes) -> tuple[int, ...]:
    return tuple(group << 16 | element for group, element in struct.iter_unpack("<HH", raw[: len(raw) // 4 * 4]))


_ENCODERS: Final[dict[str, Callable[[Any], bytes]]] = {  # US is packed with its header
    "UI": _encode_ui,
    "AE": _encode_text,
    "LO": lambda value: _encode_text(value[:MAX_COMMENT]),
    "AT": _encode_at,
}
_DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "UI": _decode_ui,
    "US": _decode_us,
    "AE": _decode_text,
    "LO": _decode_text,
    "AT": _decode_at,
}
_ENCODING: Final = tuple(
    (Command._fields.index(element.keyword), element.tag & 0xFFFF, _ENCODERS.get(element.vr))
    for element in COMMAND_ELEMENTS
)
_DECODING: Final = {
    element.tag & 0xFFFF: (Command._fields.index(element.keyword), element.vr == "US", _DECODERS[element.vr])
    for element in COMMAND_ELEMENTS
}
_ABSENT: Final = [Command._field_defaults.get(keyword) for keyword in Command._fields]


def encode_command(command: Command) -> bytes:
    """The bytes of a command set, Command Group Length (0000,0000) first."""
    parts = []
    for index, element, encoder in _ENCODING:
        value = command[index]
        if value is None:
            continue
        if encoder is None:
            parts.append(_US_ELEMENT.pack(0, element, 2, value))
        else:
            raw = encoder(value)
            parts.append(_HEADER.pack(0, element, len(raw)) + raw)
    body = b"".join(parts)
    return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body


def decode_command(raw: bytes) -> Command:
    """Read a command set.

    A wrong or missing group length is tolerated because the fragments already say where the set ends; an element that
    does not fit, a group other than 0000 and a missing Command Field (0000,0100) raise :class:`ProtocolError`.
    """
    values = _ABSENT[:]
    offset, end = 0, len(raw)
    read_header, read_us, known_elements = _HEADER.unpack_from, _US.unpack_from, _DECODING
    while offset < end:
        if end - offset < 8:
            raise ProtocolError("command set: ends inside an element header")
        group, element, length = read_header(raw, offset)
        start = offset + 8
        offset = start + length
        if group != 0:
            raise ProtocolError("command set: holds an element outside group 0000")
        if offset > end:
            raise ProtocolError(f"command set: element (0000,{element:04X}) is longer than the set")
        if length and element in known_elements:
            index, is_us, decoder = known_elements[element]
            values[index] = read_us(raw, start)[0] if is_us and length > 1 else decoder(raw[start:offset])
    if values[0] is None:
        raise ProtocolError("command set: Command Field (0000,0100) is missing")
    return Command._make(values)
