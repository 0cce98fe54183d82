"""Items of the A-ASSOCIATE PDUs: how they are framed, and the presentation contexts (PS3.8 9.3.2, 9.3.3).

Every item is

    byte 1     Item-type
    byte 2     reserved
    bytes 3-4  Item-length, big endian, of what follows
    bytes 5-   value

UIDs and titles are read with trailing NULs and spaces although the standard forbids the padding in negotiation, because
peers send it; they are never written. What cannot be understood raises :class:`ProtocolError`, whose text never holds
what was received.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from openmodality.errors import ProtocolError, UsageError
from openmodality.standard import upper_layer as facts
from openmodality.value_class import value_class

_HEADER = struct.Struct(">BBH")
_LENGTH = struct.Struct(">H")
_PADDING = b"\0 "
MAX_ITEMS = 1024
"""The most items in one place: a large request has some hundred; 1 MiB could hold a quarter of a million."""


@value_class
class UnknownItem:
    """An item of a type that the standard does not define here; kept as it came, otherwise skipped."""

    type: int
    data: bytes


@value_class
class PresentationContextRQ:
    """A proposed presentation context (PS3.8 9.3.2.2): one abstract syntax, its transfer syntaxes in order of
    preference.

    byte 1     20H
    byte 2     reserved
    bytes 3-4  Item-length
    byte 5     Presentation-context-ID, odd, 1 to 255
    bytes 6-8  reserved
    bytes 9-   one abstract syntax sub-item (30H), one or more transfer syntax sub-items (40H)
    """

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]

    def encode(self) -> bytes:
        syntaxes = [encode_item(facts.ITEM_ABSTRACT_SYNTAX, self.abstract_syntax.encode("ascii"))]
        syntaxes += (encode_item(facts.ITEM_TRANSFER_SYNTAX, uid.encode("ascii")) for uid in self.transfer_syntaxes)
        return encode_item(facts.ITEM_PRESENTATION_CONTEXT_RQ, bytes((self.id, 0, 0, 0)) + b"".join(syntaxes))

    @classmethod
    def decode(cls, data: memoryview) -> PresentationContextRQ:
        abstract_syntax = ""
        transfer_syntaxes = []
        for kind, _, value in decode_items(require_length(data, 4)[4:]):
            if kind == facts.ITEM_ABSTRACT_SYNTAX:
                abstract_syntax = decode_text(value)
            elif kind == facts.ITEM_TRANSFER_SYNTAX:
                transfer_syntaxes.append(decode_text(value))
        return cls(data[0], abstract_syntax, tuple(transfer_syntaxes))


@value_class
class PresentationContextAC:
    """The answer to a proposed presentation context (PS3.8 9.3.3.2).

    byte 1     21H
    byte 2     reserved
    bytes 3-4  Item-length
    byte 5     Presentation-context-ID
    byte 6     reserved
    byte 7     Result/Reason
    byte 8     reserved
    bytes 9-   one transfer syntax sub-item (40H), significant only if the result is acceptance

    Peers leave the transfer syntax of a rejected context out or empty: it is "" then.
    """

    id: int
    result: int
    transfer_syntax: str = ""

    def encode(self) -> bytes:
        value = self.transfer_syntax.encode("ascii")
        syntax = encode_item(facts.ITEM_TRANSFER_SYNTAX, value) if value else b""
        return encode_item(facts.ITEM_PRESENTATION_CONTEXT_AC, bytes((self.id, 0, self.result, 0)) + syntax)

    @classmethod
    def decode(cls, data: memoryview) -> PresentationContextAC:
        number, result = require_length(data, 4)[0], data[2]
        if result != facts.CONTEXT_ACCEPTANCE:
            return cls(number, result, _decode_insignificant_syntax(data[4:]))
        for kind, _, value in decode_items(data[4:]):
            if kind == facts.ITEM_TRANSFER_SYNTAX:
                return cls(number, result, decode_text(value))
        return cls(number, result)


def _decode_insignificant_syntax(data: memoryview) -> str:
    """The transfer syntax of a rejected context, "" where it is absent or broken: it is not tested when received."""
    try:
        return next(
            (decode_text(value) for kind, _, value in decode_items(data) if kind == facts.ITEM_TRANSFER_SYNTAX), ""
        )
    except ProtocolError:
        return ""


def encode_item(kind: int, value: bytes, second_byte: int = 0) -> bytes:
    """An item with its header. Raises :class:`UsageError` where the value is longer than the length field can say."""
    if len(value) > 0xFFFF:
        name = facts.ITEM_TYPES.get(kind, f"item {kind:02X}H")
        raise UsageError(f"The {name} needs {len(value)} bytes, at most 65535 fit")
    return _HEADER.pack(kind, second_byte, len(value)) + value


def encode_counted(value: bytes) -> bytes:
    """A value behind its length in two bytes, as sub-items hold them (PS3.7 D.3.3)."""
    if len(value) > 0xFFFF:
        raise UsageError(f"A field of a sub-item needs {len(value)} bytes, at most 65535 fit")
    return _LENGTH.pack(len(value)) + value


def encode_unknown(items: Iterable[UnknownItem]) -> bytes:
    """Items that were kept, as they came."""
    return b"".join(encode_item(item.type, item.data) for item in items)


def decode_items(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """The items in ``data``: type, second byte, value.

    Raises :class:`ProtocolError` where one does not fit, and where there is one too many.
    """
    position, end, left = 0, len(data), MAX_ITEMS
    while position < end:
        left -= 1
        if left < 0:
            raise ProtocolError(f"An A-ASSOCIATE PDU holds more than {MAX_ITEMS} items in one place")
        if end - position < _HEADER.size:
            raise ProtocolError("An item of an A-ASSOCIATE PDU ends inside its header")
        kind, second_byte, length = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        if length > end - position:
            raise ProtocolError(f"Item {kind:02X}H of an A-ASSOCIATE PDU is longer than what holds it")
        yield kind, second_byte, data[position : position + length]
        position += length


def decode_counted(data: memoryview) -> tuple[memoryview, memoryview]:
    """A value behind its length in two bytes, and what follows it."""
    (length,) = _LENGTH.unpack_from(require_length(data, 2))
    rest = require_length(data, 2 + length)
    return rest[2 : 2 + length], rest[2 + length :]


def require_length(data: memoryview, length: int) -> memoryview:
    """``data`` itself if it holds at least ``length`` bytes, else :class:`ProtocolError`."""
    if len(data) < length:
        raise ProtocolError(f"An item of an A-ASSOCIATE PDU holds {len(data)} bytes, at least {length} are needed")
    return data


def decode_text(data: memoryview) -> str:
    """A UID or title without its padding. Raises :class:`ProtocolError` unless it is printable ASCII."""
    text = bytes(data).strip(_PADDING).decode("latin-1")
    if not (text.isascii() and text.isprintable()):
        raise ProtocolError("A UID or title of an A-ASSOCIATE PDU has characters that are not printable ASCII")
    return text


def decode_informal_text(data: memoryview) -> str:
    """A text that nothing depends on: padding off, characters that are not printable ASCII replaced by "?"."""
    text = bytes(data).strip(_PADDING).decode("ascii", "replace")
    return "".join(character if " " <= character <= "~" else "?" for character in text)
