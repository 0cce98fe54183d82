"""Each PDU against its bytes, written out from PS3.8 9.3, and against pynetdicom's reading of them."""

from __future__ import annotations

from typing import Any

import pytest
from pynetdicom import pdu as reference

from openmodality.errors import ProtocolError, UsageError
from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ, UnknownItem
from openmodality.upper_layer.pdu import (
    A_ABORT,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
    PDU,
    PresentationDataValueItem,
    decode,
)
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)

TITLES = b"ANY-SCP         " + b"ECHOSCU         "
APPLICATION_CONTEXT = bytes((0x10, 0, 0, 21)) + b"1.2.840.10008.3.1.1.1"

SHORT = [
    (A_ASSOCIATE_RJ(1, 2, 1), "03 00 00000004 00 01 02 01"),
    (A_ASSOCIATE_RJ(255, 254, 253), "03 00 00000004 00 ff fe fd"),
    (P_DATA_TF(()), "04 00 00000000"),
    (
        P_DATA_TF((PresentationDataValueItem(1, True, True, b"ab"), PresentationDataValueItem(3, False, False, b""))),
        "04 00 0000000e 00000004 01 03 6162 00000002 03 00",
    ),
    (A_RELEASE_RQ(), "05 00 00000004 00000000"),
    (A_RELEASE_RP(), "06 00 00000004 00000000"),
    (A_ABORT(2, 6), "07 00 00000004 0000 02 06"),
    (A_ABORT(255, 254), "07 00 00000004 0000 ff fe"),
]


@pytest.mark.parametrize(("pdu", "expected"), SHORT)
def test_short_pdus_are_these_bytes(pdu: PDU, expected: str) -> None:
    data = bytes.fromhex(expected)
    assert pdu.encode() == data
    assert decode(data[0], data[6:]) == pdu


def test_an_associate_rq_is_these_bytes() -> None:
    pdu = A_ASSOCIATE_RQ("ANY-SCP", "ECHOSCU", (PresentationContextRQ(1, "1.2", ("1.3",)),), UserInformation(0))
    items = APPLICATION_CONTEXT + bytes.fromhex("20 00 0012 01 000000 30 00 0003 312e32 40 00 0003 312e33")
    items += bytes.fromhex("50 00 0008 51 00 0004 00000000")
    body = b"\0\1\0\0" + TITLES + bytes(32) + items
    data = b"\1\0" + len(body).to_bytes(4, "big") + body
    assert pdu.encode() == data
    assert decode(1, body) == pdu


def test_an_associate_ac_is_these_bytes() -> None:
    pdu = A_ASSOCIATE_AC("ANY-SCP", "ECHOSCU", (PresentationContextAC(1, 0, "1.3"),), UserInformation(16384))
    items = APPLICATION_CONTEXT + bytes.fromhex("21 00 000b 01 00 00 00 40 00 0003 312e33")
    items += bytes.fromhex("50 00 0008 51 00 0004 00004000")
    body = b"\0\1\0\0" + TITLES + bytes(32) + items
    assert pdu.encode() == b"\2\0" + len(body).to_bytes(4, "big") + body
    assert decode(2, body) == pdu


def test_what_is_missing_is_left_to_those_who_decide() -> None:
    """Neither application context nor user information: readable, so that it can be answered."""
    pdu = decode(1, b"\0\1\0\0" + TITLES + bytes(32))
    assert pdu == A_ASSOCIATE_RQ("ANY-SCP", "ECHOSCU", (), UserInformation(), application_context_name="")


def test_reserved_fields_are_not_tested() -> None:
    """PS3.8 9.3.2: reserved fields are not tested when received; unknown items are kept."""
    body = b"\0\3\xff\xff" + TITLES + b"\xff" * 32 + b"\x77\xff\0\1A" + APPLICATION_CONTEXT
    pdu = decode(1, body)
    assert isinstance(pdu, A_ASSOCIATE_RQ)
    assert (pdu.protocol_version, pdu.unknown_items) == (3, (UnknownItem(0x77, b"A"),))
    assert decode(7, b"\xff\xff\0\0") == A_ABORT(0, 0)
    assert decode(5, b"\xff\xff\xff\xff") == A_RELEASE_RQ()


@pytest.mark.parametrize("title", [b" ANY-SCP        ", b"ANY-SCP\0\0\0\0\0\0\0\0\0", b"ANY-SCP \0       "])
def test_titles_are_read_without_padding(title: bytes) -> None:
    """Traps 1 and 5."""
    pdu = decode(1, b"\0\1\0\0" + title + title + bytes(32))
    assert isinstance(pdu, A_ASSOCIATE_RQ)
    assert (pdu.called_ae_title, pdu.calling_ae_title) == ("ANY-SCP", "ANY-SCP")
    assert pdu.encode()[10:26] == b"ANY-SCP         "


def test_the_titles_of_an_acceptance_are_not_tested() -> None:
    pdu = decode(2, b"\0\1\0\0" + b"\xff\n" * 16 + bytes(32))
    assert isinstance(pdu, A_ASSOCIATE_AC)
    assert pdu.called_ae_title == "??????????????" + "??"


@pytest.mark.parametrize(
    ("pdu_type", "body"),
    [
        (0, b""),
        (8, bytes(4)),
        (255, b""),
        (1, bytes(67)),
        (2, b""),
        (1, b"\0\1\0\0" + b"\xff" * 32 + bytes(32)),
        (1, b"\0\1\0\0" + TITLES + bytes(32) + b"\x10"),
        (1, b"\0\1\0\0" + TITLES + bytes(32) + b"\x10\0\0\2A"),
        (1, b"\0\1\0\0" + TITLES + bytes(32) + b"\x20\0\0\1\1"),
        (2, b"\0\1\0\0" + TITLES + bytes(32) + b"\x21\0\0\3\1\0\0"),
        (3, bytes(3)),
        (3, bytes(5)),
        (4, bytes(5)),
        (4, b"\0\0\0\1\1\3"),
        (4, b"\0\0\0\5\1\3aa"),
        (5, b""),
        (6, bytes(8)),
        (7, bytes(3)),
    ],
)
def test_broken_pdus_are_protocol_errors(pdu_type: int, body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(pdu_type, body)


def test_titles_are_at_most_16_characters() -> None:
    with pytest.raises(UsageError):
        A_ASSOCIATE_RQ("A" * 17, "B", ()).encode()


def test_rejections_and_aborts_in_words() -> None:
    """Trap 14."""
    assert A_ASSOCIATE_RJ(1, 1, 7).text == "rejected-permanent, DICOM UL service-user, called-AE-title-not-recognized"
    assert A_ASSOCIATE_RJ(2, 3, 2).text.endswith("local-limit-exceeded")
    assert A_ASSOCIATE_RJ(9, 8, 7).text == "reserved (9), reserved (8), reserved (7)"
    assert A_ASSOCIATE_RJ(0, 0, 0).text == "reserved (0), reserved (0), reserved (0)"
    assert A_ABORT(2, 6).text == "DICOM UL service-provider, invalid-PDU-parameter-value"
    assert A_ABORT(2, 3).text == "DICOM UL service-provider, reserved (3)"
    assert A_ABORT(0, 99).text == "DICOM UL service-user"
    assert A_ABORT(1, 0).text == "reserved (1), reason-not-specified"


FULL_RQ = A_ASSOCIATE_RQ(
    "ANY-SCP",
    "ECHOSCU",
    (PresentationContextRQ(1, "1.2", ("1.2.840.10008.1.2", "1.4")), PresentationContextRQ(255, "1.5", ("1.6",))),
    UserInformation(
        maximum_length=16384,
        implementation_class_uid="1.2.3",
        implementation_version_name="OM",
        asynchronous_operations_window=AsynchronousOperationsWindow(3, 4),
        role_selections=(RoleSelection("1.2", False, True),),
        extended_negotiations=(SOPClassExtendedNegotiation("1.2", b"\1\0"),),
        common_extended_negotiations=(SOPClassCommonExtendedNegotiation("1.2", "1.3", ("1.5",)),),
        user_identity_rq=UserIdentityRQ(2, b"joe", b"pw", positive_response_requested=True),
    ),
)
FULL_AC = A_ASSOCIATE_AC(
    "ANY-SCP",
    "ECHOSCU",
    (PresentationContextAC(1, 0, "1.4"), PresentationContextAC(255, 3, "1.6")),
    UserInformation(maximum_length=0, implementation_class_uid="1.2.3", user_identity_ac=UserIdentityAC(b"ok")),
)


def test_pynetdicom_reads_and_writes_the_same_request() -> None:
    theirs = reference.A_ASSOCIATE_RQ()
    theirs.decode(FULL_RQ.encode())
    information: Any = theirs.user_information
    assert (theirs.called_ae_title, theirs.calling_ae_title) == ("ANY-SCP", "ECHOSCU")
    assert information.maximum_length == 16384
    assert information.user_identity.primary_field == b"joe"
    assert information.async_ops_window.maximum_number_operations_performed == 4
    assert information.common_ext_neg[0].related_general_sop_class_identification == ["1.5"]
    again = theirs.encode()
    assert decode(again[0], again[6:]) == FULL_RQ


def test_pynetdicom_reads_and_writes_the_same_acceptance() -> None:
    theirs = reference.A_ASSOCIATE_AC()
    theirs.decode(FULL_AC.encode())
    assert [context.result for context in theirs.presentation_context] == [0, 3]
    again = theirs.encode()
    assert decode(again[0], again[6:]) == FULL_AC
