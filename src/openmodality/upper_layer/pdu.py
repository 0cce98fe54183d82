"""The seven PDUs of the upper layer and their bytes (PS3.8 9.3). Names are the standard's, with underscores.

Every PDU is

    byte 1     PDU-type
    byte 2     reserved
    bytes 3-6  PDU-length, big endian, of what follows
    bytes 7-   variable field

``decode`` takes the type and the variable field; it raises :class:`ProtocolError` and nothing else. ``encode`` gives
the whole PDU. Reserved fields are written as zero and not tested when read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from openmodality.errors import ProtocolError, UsageError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.items import (
    PresentationContextAC,
    PresentationContextRQ,
    UnknownItem,
    decode_informal_text,
    decode_items,
    decode_text,
    encode_item,
    encode_unknown,
)
from openmodality.upper_layer.reasons import abort_text, reject_text
from openmodality.upper_layer.user_information import UserInformation
from openmodality.value_class import value_class

_PDU_HEADER = struct.Struct(">BxL")
_PDV_HEADER = struct.Struct(">LBB")
_ASSOCIATE_FIXED_LENGTH = 68
_NO_USER_INFORMATION = UserInformation()


@value_class
class A_ASSOCIATE_RQ:  # noqa: N801
    """A request for an association (PS3.8 9.3.2).

    byte 1       01H
    byte 2       reserved
    bytes 3-6    PDU-length
    bytes 7-8    Protocol-version
    bytes 9-10   reserved
    bytes 11-26  Called-AE-title, padded with spaces
    bytes 27-42  Calling-AE-title, padded with spaces
    bytes 43-74  reserved
    bytes 75-    application context item, presentation context items, user information item
    """

    called_ae_title: str
    calling_ae_title: str
    presentation_contexts: tuple[PresentationContextRQ, ...]
    user_information: UserInformation = _NO_USER_INFORMATION
    application_context_name: str = facts.APPLICATION_CONTEXT_NAME
    protocol_version: int = facts.PROTOCOL_VERSION
    unknown_items: tuple[UnknownItem, ...] = ()

    def encode(self) -> bytes:
        return _encode_associate(facts.PDU_A_ASSOCIATE_RQ, self)

    @classmethod
    def decode(cls, data: memoryview) -> A_ASSOCIATE_RQ:
        fields = _AssociateFields(data, facts.ITEM_PRESENTATION_CONTEXT_RQ)
        return cls(
            called_ae_title=decode_text(fields.called),
            calling_ae_title=decode_text(fields.calling),
            presentation_contexts=tuple(PresentationContextRQ.decode(value) for value in fields.contexts),
            user_information=fields.user_information,
            application_context_name=fields.application_context_name,
            protocol_version=fields.protocol_version,
            unknown_items=tuple(fields.unknown_items),
        )


@value_class
class A_ASSOCIATE_AC:  # noqa: N801
    """The acceptance of an association (PS3.8 9.3.3), laid out as A-ASSOCIATE-RQ with type 02H.

    The titles are those of the request, sent back; they are not tested when received.
    """

    called_ae_title: str
    calling_ae_title: str
    presentation_contexts: tuple[PresentationContextAC, ...]
    user_information: UserInformation = _NO_USER_INFORMATION
    application_context_name: str = facts.APPLICATION_CONTEXT_NAME
    protocol_version: int = facts.PROTOCOL_VERSION
    unknown_items: tuple[UnknownItem, ...] = ()

    def encode(self) -> bytes:
        return _encode_associate(facts.PDU_A_ASSOCIATE_AC, self)

    @classmethod
    def decode(cls, data: memoryview) -> A_ASSOCIATE_AC:
        fields = _AssociateFields(data, facts.ITEM_PRESENTATION_CONTEXT_AC)
        return cls(
            called_ae_title=decode_informal_text(fields.called),
            calling_ae_title=decode_informal_text(fields.calling),
            presentation_contexts=tuple(PresentationContextAC.decode(value) for value in fields.contexts),
            user_information=fields.user_information,
            application_context_name=fields.application_context_name,
            protocol_version=fields.protocol_version,
            unknown_items=tuple(fields.unknown_items),
        )


@value_class
class A_ASSOCIATE_RJ:  # noqa: N801
    """The rejection of an association (PS3.8 9.3.4). Numbers that the standard reserves are kept.

    byte 1     03H
    byte 2     reserved
    bytes 3-6  PDU-length, 4
    byte 7     reserved
    byte 8     Result
    byte 9     Source
    byte 10    Reason/Diag.
    """

    result: int
    source: int
    reason: int

    @property
    def text(self) -> str:
        return reject_text(self.result, self.source, self.reason)

    def encode(self) -> bytes:
        return _encode_pdu(facts.PDU_A_ASSOCIATE_RJ, bytes((0, self.result, self.source, self.reason)))

    @classmethod
    def decode(cls, data: memoryview) -> A_ASSOCIATE_RJ:
        return cls(*_check_four_bytes(data, facts.PDU_A_ASSOCIATE_RJ)[1:])


@value_class
class PresentationDataValueItem:
    """A presentation data value: a fragment of a command or data set (PS3.8 9.3.5.1, E.2).

    bytes 1-4  Item-length, of what follows
    byte 5     Presentation-context-ID
    byte 6     message control header: bit 0 command, bit 1 last fragment
    bytes 7-   fragment
    """

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes

    def encode(self) -> bytes:
        return _PDV_HEADER.pack(len(self.data) + 2, self.context_id, self.is_command | self.is_last << 1) + self.data


@value_class
class P_DATA_TF:  # noqa: N801
    """Presentation data values as one value (PS3.8 9.3.5). ``p_data`` and ``framing`` move data without building this.

    byte 1     04H
    byte 2     reserved
    bytes 3-6  PDU-length
    bytes 7-   presentation data value items
    """

    presentation_data_values: tuple[PresentationDataValueItem, ...]

    def encode(self) -> bytes:
        return _encode_pdu(facts.PDU_P_DATA_TF, b"".join(value.encode() for value in self.presentation_data_values))

    @classmethod
    def decode(cls, data: memoryview) -> P_DATA_TF:
        return cls(tuple(_read_presentation_data_values(data)))


@value_class
class A_RELEASE_RQ:  # noqa: N801
    """A request to release the association (PS3.8 9.3.6): type 05H, four reserved bytes."""

    def encode(self) -> bytes:
        return _encode_pdu(facts.PDU_A_RELEASE_RQ, bytes(4))

    @classmethod
    def decode(cls, data: memoryview) -> A_RELEASE_RQ:
        _check_four_bytes(data, facts.PDU_A_RELEASE_RQ)
        return cls()


@value_class
class A_RELEASE_RP:  # noqa: N801
    """The answer to a request to release (PS3.8 9.3.7): type 06H, four reserved bytes."""

    def encode(self) -> bytes:
        return _encode_pdu(facts.PDU_A_RELEASE_RP, bytes(4))

    @classmethod
    def decode(cls, data: memoryview) -> A_RELEASE_RP:
        _check_four_bytes(data, facts.PDU_A_RELEASE_RP)
        return cls()


@value_class
class A_ABORT:  # noqa: N801
    """The end of an association by its user or provider (PS3.8 9.3.8). Numbers that the standard reserves are kept.

    byte 1     07H
    byte 2     reserved
    bytes 3-6  PDU-length, 4
    bytes 7-8  reserved
    byte 9     Source
    byte 10    Reason/Diag.
    """

    source: int
    reason: int

    @property
    def text(self) -> str:
        return abort_text(self.source, self.reason)

    def encode(self) -> bytes:
        return _encode_pdu(facts.PDU_A_ABORT, bytes((0, 0, self.source, self.reason)))

    @classmethod
    def decode(cls, data: memoryview) -> A_ABORT:
        return cls(*_check_four_bytes(data, facts.PDU_A_ABORT)[2:])


PDU = A_ASSOCIATE_RQ | A_ASSOCIATE_AC | A_ASSOCIATE_RJ | P_DATA_TF | A_RELEASE_RQ | A_RELEASE_RP | A_ABORT

_DECODERS: Mapping[int, Callable[[memoryview], PDU]] = {
    facts.PDU_A_ASSOCIATE_RQ: A_ASSOCIATE_RQ.decode,
    facts.PDU_A_ASSOCIATE_AC: A_ASSOCIATE_AC.decode,
    facts.PDU_A_ASSOCIATE_RJ: A_ASSOCIATE_RJ.decode,
    facts.PDU_P_DATA_TF: P_DATA_TF.decode,
    facts.PDU_A_RELEASE_RQ: A_RELEASE_RQ.decode,
    facts.PDU_A_RELEASE_RP: A_RELEASE_RP.decode,
    facts.PDU_A_ABORT: A_ABORT.decode,
}


def decode(pdu_type: int, variable_field: bytes | bytearray | memoryview) -> PDU:
    """The PDU of a type and its variable field (what follows the six bytes of header)."""
    decoder = _DECODERS.get(pdu_type)
    if decoder is None:
        raise ProtocolError(f"PDU type {pdu_type:02X}H does not exist")
    return decoder(memoryview(variable_field))


class _AssociateFields:
    """The variable field of an A-ASSOCIATE-RQ or -AC, taken apart."""

    def __init__(self, data: memoryview, context_kind: int) -> None:
        if len(data) < _ASSOCIATE_FIXED_LENGTH:
            raise ProtocolError(f"An A-ASSOCIATE PDU holds {len(data)} bytes, at least 68 are needed")
        self.protocol_version = int.from_bytes(data[:2], "big")
        self.called, self.calling = data[4:20], data[20:36]
        self.application_context_name = ""
        self.user_information = _NO_USER_INFORMATION
        self.contexts: list[memoryview] = []
        self.unknown_items: list[UnknownItem] = []
        for kind, _, value in decode_items(data[_ASSOCIATE_FIXED_LENGTH:]):
            if kind == context_kind:
                self.contexts.append(value)
            elif kind == facts.ITEM_APPLICATION_CONTEXT:
                self.application_context_name = decode_text(value)
            elif kind == facts.ITEM_USER_INFORMATION:
                self.user_information = UserInformation.decode(value)
            else:
                self.unknown_items.append(UnknownItem(kind, bytes(value)))


def _encode_associate(pdu_type: int, pdu: A_ASSOCIATE_RQ | A_ASSOCIATE_AC) -> bytes:
    parts = [
        pdu.protocol_version.to_bytes(2, "big"),
        bytes(2),
        _encode_title(pdu.called_ae_title),
        _encode_title(pdu.calling_ae_title),
        bytes(32),
    ]
    if pdu.application_context_name:
        parts.append(encode_item(facts.ITEM_APPLICATION_CONTEXT, pdu.application_context_name.encode("ascii")))
    parts += (context.encode() for context in pdu.presentation_contexts)
    parts += (pdu.user_information.encode(), encode_unknown(pdu.unknown_items))
    return _encode_pdu(pdu_type, b"".join(parts))


def _encode_title(title: str) -> bytes:
    encoded = title.encode("ascii")
    if len(encoded) > facts.AE_TITLE_LENGTH:
        raise UsageError(f"An AE title has {len(encoded)} characters, at most {facts.AE_TITLE_LENGTH} are allowed")
    return encoded.ljust(facts.AE_TITLE_LENGTH)


def _encode_pdu(pdu_type: int, variable_field: bytes) -> bytes:
    return _PDU_HEADER.pack(pdu_type, len(variable_field)) + variable_field


def _check_four_bytes(data: memoryview, pdu_type: int) -> memoryview:
    if len(data) != 4:
        raise ProtocolError(f"{facts.PDU_TYPES[pdu_type]} holds {len(data)} bytes instead of 4")
    return data


def _read_presentation_data_values(data: memoryview) -> Iterator[PresentationDataValueItem]:
    while data:
        if len(data) < _PDV_HEADER.size:
            raise ProtocolError("P-DATA-TF ends inside the header of a presentation data value")
        length, context_id, control = _PDV_HEADER.unpack_from(data)
        if not 2 <= length <= len(data) - 4:
            raise ProtocolError(f"A presentation data value of length {length} does not fit its P-DATA-TF")
        yield PresentationDataValueItem(context_id, bool(control & 1), bool(control & 2), bytes(data[6 : 4 + length]))
        data = data[4 + length :]
