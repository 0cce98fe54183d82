"""Sub-items of the user information item: their bytes, what is absent, and what a repr does not show."""

from __future__ import annotations

import pytest

from openmodality.errors import ProtocolError
from openmodality.upper_layer.items import UnknownItem
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)

WHOLE = UserInformation(
    maximum_length=16384,
    implementation_class_uid="1.2.3",
    implementation_version_name="OM_1",
    asynchronous_operations_window=AsynchronousOperationsWindow(5, 0),
    role_selections=(RoleSelection("1.2.4", True, True), RoleSelection("1.2.5", False, True)),
    extended_negotiations=(SOPClassExtendedNegotiation("1.2.6", b"\1\1"),),
    common_extended_negotiations=(SOPClassCommonExtendedNegotiation("1.2.7", "1.2.8", ("1.2.9", "1.2.10")),),
    user_identity_rq=UserIdentityRQ(2, b"name", b"secret", positive_response_requested=True),
    user_identity_ac=UserIdentityAC(b"ticket"),
    unknown_items=(UnknownItem(0x77, b"abc"),),
)


def decode(encoded: bytes) -> UserInformation:
    """What the item holds, behind its header of four bytes."""
    return UserInformation.decode(memoryview(encoded)[4:])


@pytest.mark.parametrize("information", [WHOLE, UserInformation(), UserInformation(maximum_length=0)])
def test_what_is_encoded_is_decoded(information: UserInformation) -> None:
    assert decode(information.encode()) == information


@pytest.mark.parametrize(
    ("information", "encoded"),
    [
        (UserInformation(maximum_length=16384), "51 00 0004 00004000"),
        (UserInformation(implementation_class_uid="1.2"), "52 00 0003 312e32"),
        (UserInformation(asynchronous_operations_window=AsynchronousOperationsWindow(1, 2)), "53 00 0004 0001 0002"),
        (UserInformation(role_selections=(RoleSelection("1.2", False, True),)), "54 00 0007 0003 312e32 00 01"),
        (UserInformation(implementation_version_name="A"), "55 00 0001 41"),
        (UserInformation(extended_negotiations=(SOPClassExtendedNegotiation("1", b"\7"),)), "56 00 0004 0001 31 07"),
        (UserInformation(user_identity_rq=UserIdentityRQ(1, b"me")), "58 00 0008 01 00 0002 6d65 0000"),
        (UserInformation(user_identity_ac=UserIdentityAC()), "59 00 0002 0000"),
    ],
)
def test_each_sub_item_has_the_layout_of_the_standard(information: UserInformation, encoded: str) -> None:
    expected = bytes.fromhex(encoded)
    assert information.encode() == b"\x50\0" + len(expected).to_bytes(2, "big") + expected


def test_the_first_holds_where_a_sub_item_comes_twice() -> None:
    twice = bytes.fromhex("51 00 0004 00004000 51 00 0004 00008000")
    assert UserInformation.decode(memoryview(twice)).maximum_length == 16384


@pytest.mark.parametrize(
    "data",
    [
        "51 00 0003 004000",  # a maximum length of three bytes
        "53 00 0002 0001",  # half a window
        "54 00 0006 0003 312e32 00",  # one role only
        "54 00 0005 0009 312e32",  # a UID that is longer than its sub-item
        "58 00 0001 01",  # an identity without fields
        "51 00 0009 00004000",  # a sub-item that ends behind the item
    ],
)
def test_what_is_cut_off_breaks_the_protocol(data: str) -> None:
    with pytest.raises(ProtocolError):
        UserInformation.decode(memoryview(bytes.fromhex(data)))


def test_an_identity_is_shown_without_its_secrets() -> None:
    shown = repr(WHOLE.user_identity_rq) + repr(WHOLE.user_identity_ac)
    assert shown == "UserIdentityRQ(type=2)UserIdentityAC()"
