"""The user information item and its sub-items (PS3.8 9.3.2.3 and Annex D; PS3.7 D.3.3).

Byte layouts begin after the four bytes of the sub-item's header, see ``items``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from openmodality.errors import ProtocolError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.items import (
    UnknownItem,
    decode_counted,
    decode_informal_text,
    decode_items,
    decode_text,
    encode_counted,
    encode_item,
    encode_unknown,
    require_length,
)
from openmodality.value_class import value_class

_UINT32 = struct.Struct(">L")
_TWO_UINT16 = struct.Struct(">HH")


@value_class
class AsynchronousOperationsWindow:
    """How many operations may be outstanding (PS3.7 D.3.3.3); 0 means unlimited. Absent means one each way.

    bytes 1-2  Maximum-number-operations-invoked
    bytes 3-4  Maximum-number-operations-performed
    """

    invoked: int
    performed: int

    def encode(self) -> bytes:
        return encode_item(facts.ITEM_ASYNCHRONOUS_OPERATIONS_WINDOW, _TWO_UINT16.pack(self.invoked, self.performed))

    @classmethod
    def decode(cls, data: memoryview) -> AsynchronousOperationsWindow:
        return cls(*_TWO_UINT16.unpack_from(require_length(data, 4)))


@value_class
class RoleSelection:
    """SCP/SCU role selection of one SOP class (PS3.7 D.3.3.4): the roles of the *requestor*, proposed or accepted.

    bytes 1-2  UID-length
    bytes 3-   SOP-class-uid
    then       SCU-role, SCP-role, one byte each, 0 or 1
    """

    sop_class_uid: str
    scu_role: bool
    scp_role: bool

    def encode(self) -> bytes:
        uid = encode_counted(self.sop_class_uid.encode("ascii"))
        return encode_item(facts.ITEM_ROLE_SELECTION, uid + bytes((self.scu_role, self.scp_role)))

    @classmethod
    def decode(cls, data: memoryview) -> RoleSelection:
        uid, roles = decode_counted(data)
        require_length(roles, 2)
        return cls(decode_text(uid), roles[0] == 1, roles[1] == 1)


@value_class
class SOPClassExtendedNegotiation:
    """SOP Class extended negotiation (PS3.7 D.3.3.5).

    bytes 1-2  SOP-class-uid-length
    bytes 3-   SOP-class-uid
    then       Service-class-application-information, defined by the service class
    """

    sop_class_uid: str
    service_class_application_information: bytes

    def encode(self) -> bytes:
        uid = encode_counted(self.sop_class_uid.encode("ascii"))
        return encode_item(facts.ITEM_SOP_CLASS_EXTENDED_NEGOTIATION, uid + self.service_class_application_information)

    @classmethod
    def decode(cls, data: memoryview) -> SOPClassExtendedNegotiation:
        uid, information = decode_counted(data)
        return cls(decode_text(uid), bytes(information))


@value_class
class SOPClassCommonExtendedNegotiation:
    """SOP Class common extended negotiation (PS3.7 D.3.3.6). Byte 2 of the header is the sub-item version, 0.

    bytes 1-2  SOP-class-uid-length, then SOP-class-uid
    then       Service-class-uid-length (2 bytes), Service-class-uid
    then       Related-general-sop-class-identification-length (2 bytes), then per class UID-length (2 bytes) and UID
    then       reserved, not tested
    """

    sop_class_uid: str
    service_class_uid: str
    related_general_sop_class_uids: tuple[str, ...] = ()

    def encode(self) -> bytes:
        related = b"".join(encode_counted(uid.encode("ascii")) for uid in self.related_general_sop_class_uids)
        uids = (self.sop_class_uid.encode("ascii"), self.service_class_uid.encode("ascii"), related)
        return encode_item(
            facts.ITEM_SOP_CLASS_COMMON_EXTENDED_NEGOTIATION, b"".join(encode_counted(uid) for uid in uids)
        )

    @classmethod
    def decode(cls, data: memoryview) -> SOPClassCommonExtendedNegotiation:
        sop_class_uid, rest = decode_counted(data)
        service_class_uid, rest = decode_counted(rest)
        related, _ = decode_counted(rest)
        return cls(decode_text(sop_class_uid), decode_text(service_class_uid), tuple(_decode_counted_uids(related)))


def _decode_counted_uids(data: memoryview) -> Iterator[str]:
    while data:
        uid, data = decode_counted(data)
        yield decode_text(uid)


@value_class
class UserIdentityRQ:
    """Who the requestor's user is (PS3.7 D.3.3.7.1). The fields are secrets and never part of a repr.

    byte 1     User-Identity-Type, see ``standard.upper_layer.USER_IDENTITY_TYPES``
    byte 2     Positive-response-requested, 0 or 1
    bytes 3-4  Primary-field-length, then Primary-field
    then       Secondary-field-length (2 bytes), Secondary-field: only type 2 has one
    """

    type: int
    primary_field: bytes
    secondary_field: bytes = b""
    positive_response_requested: bool = False

    def __repr__(self) -> str:
        return f"UserIdentityRQ(type={self.type})"

    def encode(self) -> bytes:
        head = bytes((self.type, self.positive_response_requested))
        fields = encode_counted(self.primary_field) + encode_counted(self.secondary_field)
        return encode_item(facts.ITEM_USER_IDENTITY_RQ, head + fields)

    @classmethod
    def decode(cls, data: memoryview) -> UserIdentityRQ:
        primary, rest = decode_counted(require_length(data, 2)[2:])
        secondary, _ = decode_counted(rest)
        return cls(data[0], bytes(primary), bytes(secondary), data[1] == 1)


@value_class
class UserIdentityAC:
    """The acceptor's positive response to a user identity (PS3.7 D.3.3.7.2).

    bytes 1-2  Server-response-length
    bytes 3-   Server-response: a Kerberos ticket or SAML response, else empty
    """

    server_response: bytes = b""

    def __repr__(self) -> str:
        return "UserIdentityAC()"

    def encode(self) -> bytes:
        return encode_item(facts.ITEM_USER_IDENTITY_AC, encode_counted(self.server_response))

    @classmethod
    def decode(cls, data: memoryview) -> UserIdentityAC:
        response, _ = decode_counted(data)
        return cls(bytes(response))


@value_class
class UserInformation:
    """All sub-items of the user information item; what is absent is None or an empty tuple.

    ``maximum_length`` is the longest P-DATA-TF variable field its sender can take, 0 without limit (PS3.8 D.1).
    """

    maximum_length: int | None = None
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    asynchronous_operations_window: AsynchronousOperationsWindow | None = None
    role_selections: tuple[RoleSelection, ...] = ()
    extended_negotiations: tuple[SOPClassExtendedNegotiation, ...] = ()
    common_extended_negotiations: tuple[SOPClassCommonExtendedNegotiation, ...] = ()
    user_identity_rq: UserIdentityRQ | None = None
    user_identity_ac: UserIdentityAC | None = None
    unknown_items: tuple[UnknownItem, ...] = ()

    def encode(self) -> bytes:
        return encode_item(facts.ITEM_USER_INFORMATION, b"".join(self._encode_parts()))

    def _encode_parts(self) -> Iterator[bytes]:
        """The sub-items in order of their type, as most implementations send them."""
        if self.maximum_length is not None:
            yield encode_item(facts.ITEM_MAXIMUM_LENGTH, _UINT32.pack(self.maximum_length))
        if self.implementation_class_uid is not None:
            yield encode_item(facts.ITEM_IMPLEMENTATION_CLASS_UID, self.implementation_class_uid.encode("ascii"))
        if self.asynchronous_operations_window is not None:
            yield self.asynchronous_operations_window.encode()
        yield from (role.encode() for role in self.role_selections)
        if self.implementation_version_name is not None:
            yield encode_item(facts.ITEM_IMPLEMENTATION_VERSION_NAME, self.implementation_version_name.encode("ascii"))
        yield from (extended.encode() for extended in self.extended_negotiations)
        yield from (extended.encode() for extended in self.common_extended_negotiations)
        if self.user_identity_rq is not None:
            yield self.user_identity_rq.encode()
        if self.user_identity_ac is not None:
            yield self.user_identity_ac.encode()
        yield encode_unknown(self.unknown_items)

    @classmethod
    def decode(cls, data: memoryview) -> UserInformation:
        """Where a sub-item that may occur once comes again, the first holds."""
        found: dict[int, list[object]] = {}
        unknown = []
        for kind, _, value in decode_items(data):
            if kind in _SUB_ITEMS:
                found.setdefault(kind, []).append(_SUB_ITEMS[kind][1](value))
            else:
                unknown.append(UnknownItem(kind, bytes(value)))
        values: dict[str, object] = {}
        for kind, decoded in found.items():
            name = _SUB_ITEMS[kind][0]
            values[name] = tuple(decoded) if name in _REPEATED else decoded[0]
        return cls(**values, unknown_items=tuple(unknown))  # type: ignore[arg-type]  # the table pairs names and types


def _decode_maximum_length(data: memoryview) -> int:
    if len(data) != _UINT32.size:
        raise ProtocolError(f"The maximum length sub-item holds {len(data)} bytes instead of 4")
    return int(_UINT32.unpack(data)[0])


_REPEATED = frozenset(("role_selections", "extended_negotiations", "common_extended_negotiations"))

_SUB_ITEMS: Mapping[int, tuple[str, Callable[[memoryview], object]]] = {
    facts.ITEM_MAXIMUM_LENGTH: ("maximum_length", _decode_maximum_length),
    facts.ITEM_IMPLEMENTATION_CLASS_UID: ("implementation_class_uid", decode_text),
    facts.ITEM_ASYNCHRONOUS_OPERATIONS_WINDOW: ("asynchronous_operations_window", AsynchronousOperationsWindow.decode),
    facts.ITEM_ROLE_SELECTION: ("role_selections", RoleSelection.decode),
    facts.ITEM_IMPLEMENTATION_VERSION_NAME: ("implementation_version_name", decode_informal_text),
    facts.ITEM_SOP_CLASS_EXTENDED_NEGOTIATION: ("extended_negotiations", SOPClassExtendedNegotiation.decode),
    facts.ITEM_SOP_CLASS_COMMON_EXTENDED_NEGOTIATION: (
        "common_extended_negotiations",
        SOPClassCommonExtendedNegotiation.decode,
    ),
    facts.ITEM_USER_IDENTITY_RQ: ("user_identity_rq", UserIdentityRQ.decode),
    facts.ITEM_USER_IDENTITY_AC: ("user_identity_ac", UserIdentityAC.decode),
}
