"""Each item and sub-item against its bytes, written out from PS3.8 9.3 and PS3.7 D.3."""

from __future__ import annotations

import pytest

from openmodality.errors import ProtocolError, UsageError
from openmodality.upper_layer.items import (
    MAX_ITEMS,
    PresentationContextAC,
    PresentationContextRQ,
    UnknownItem,
    decode_items,
    encode_item,
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

SUB_ITEMS = [
    (UserInformation(maximum_length=0), "51 00 0004 00000000"),
    (UserInformation(maximum_length=16384), "51 00 0004 00004000"),
    (UserInformation(implementation_class_uid="1.2.3"), "52 00 0005 312e322e33"),
    (UserInformation(implementation_version_name="OM 1"), "55 00 0004 4f4d2031"),
    (
        UserInformation(asynchronous_operations_window=AsynchronousOperationsWindow(1, 258)),
        "53 00 0004 0001 0102",
    ),
    (UserInformation(role_selections=(RoleSelection("1.2", False, True),)), "54 00 0007 0003 312e32 00 01"),
    (
        UserInformation(extended_negotiations=(SOPClassExtendedNegotiation("1.2", b"\1\0\1"),)),
        "56 00 0008 0003 312e32 010001",
    ),
    (
        UserInformation(
            common_extended_negotiations=(SOPClassCommonExtendedNegotiation("1.2", "1.3.4", ("1.5", "1.6")),)
        ),
        "57 00 0018 0003 312e32 0005 312e332e34 000a 0003 312e35 0003 312e36",
    ),
    (UserInformation(user_identity_rq=UserIdentityRQ(1, b"joe")), "58 00 0009 01 00 0003 6a6f65 0000"),
    (
        UserInformation(user_identity_rq=UserIdentityRQ(2, b"joe", b"pw", positive_response_requested=True)),
        "58 00 000b 02 01 0003 6a6f65 0002 7077",
    ),
    (UserInformation(user_identity_rq=UserIdentityRQ(3, b"ticket")), "58 00 000c 03 00 0006 7469636b6574 0000"),
    (UserInformation(user_identity_rq=UserIdentityRQ(4, b"<a/>")), "58 00 000a 04 00 0004 3c612f3e 0000"),
    (UserInformation(user_identity_rq=UserIdentityRQ(5, b"e.y.J")), "58 00 000b 05 00 0005 652e792e4a 0000"),
    (UserInformation(user_identity_ac=UserIdentityAC(b"ok")), "59 00 0004 0002 6f6b"),
    (UserInformation(unknown_items=(UnknownItem(0x5A, b"\1\2"),)), "5a 00 0002 0102"),
]


def user_information(data: bytes) -> UserInformation:
    return UserInformation.decode(memoryview(data))


@pytest.mark.parametrize(("value", "expected"), SUB_ITEMS)
def test_sub_items_of_user_information(value: UserInformation, expected: str) -> None:
    data = bytes.fromhex(expected)
    assert value.encode() == b"\x50\0" + len(data).to_bytes(2, "big") + data
    assert user_information(data) == value


def test_all_sub_items_together_in_any_order() -> None:
    pieces = [bytes.fromhex(text) for value, text in SUB_ITEMS if value.maximum_length != 0]
    assert user_information(b"".join(pieces)) == user_information(
        b"".join(reversed(pieces[:3] + pieces[4:5])) + b"".join([pieces[3], *pieces[5:]])
    )


def test_a_presentation_context_is_proposed() -> None:
    context = PresentationContextRQ(3, "1.2", ("1.3", "1.4"))
    data = bytes.fromhex("20 00 0019 03 000000 30 00 0003 312e32 40 00 0003 312e33 40 00 0003 312e34")
    assert context.encode() == data
    assert PresentationContextRQ.decode(memoryview(data)[4:]) == context


@pytest.mark.parametrize("result", [0, 1, 2, 3, 4, 77])
def test_a_presentation_context_is_answered(result: int) -> None:
    context = PresentationContextAC(3, result, "1.3")
    data = bytes.fromhex(f"21 00 000b 03 00 {result:02x} 00 40 00 0003 312e33")
    assert context.encode() == data
    assert PresentationContextAC.decode(memoryview(data)[4:]) == context


@pytest.mark.parametrize("rest", ["", "40 00 0000", "40 00 0001 00", "40 00 0009 31", "40", "40 00 0002 ffff"])
@pytest.mark.parametrize("result", [1, 2, 3, 4])
def test_the_transfer_syntax_of_a_rejected_context_is_not_tested(result: int, rest: str) -> None:
    """Trap 7."""
    data = bytes.fromhex(f"05 00 {result:02x} 00 {rest}")
    assert PresentationContextAC.decode(memoryview(data)) == PresentationContextAC(5, result, "")


def test_an_accepted_context_without_transfer_syntax_says_so() -> None:
    assert PresentationContextAC.decode(memoryview(bytes(4))).transfer_syntax == ""


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\0\0", b" \0"])
def test_padded_uids_are_read_and_never_written(padding: bytes) -> None:
    """Trap 1."""
    value = b"1.2.840.10008.1.1" + padding
    data = bytes((1, 0, 0, 0)) + encode_item(0x30, value) + encode_item(0x40, value)
    context = PresentationContextRQ.decode(memoryview(data))
    assert context == PresentationContextRQ(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.1",))
    assert value not in context.encode()
    assert user_information(encode_item(0x52, value)).implementation_class_uid == "1.2.840.10008.1.1"


def test_uids_are_not_judged_on_reading() -> None:
    """Trap 3: leading zeros, more than 64 characters."""
    odd = "1.02.840." + "9" * 80
    assert user_information(encode_item(0x52, odd.encode())).implementation_class_uid == odd


def test_a_version_name_may_hold_anything() -> None:
    assert user_information(encode_item(0x55, b"K\xd6LN\n1 ")).implementation_version_name == "K?LN?1"


@pytest.mark.parametrize(
    "data",
    [
        "51 00 0003 000000",
        "51 00 0005 0000000000",
        "52 00 0003 31ff33",
        "52 00 0003 310a33",
        "53 00 0003 000100",
        "54 00 0001 00",
        "54 00 0004 0003 312e",
        "54 00 0006 0003 312e32 01",
        "56 00 0003 0002 31",
        "57 00 0005 0003 312e32",
        "57 00 000e 0003 312e32 0000 0005 0004 312e32",
        "58 00 0001 01",
        "58 00 0004 01 00 0003",
        "58 00 0005 01 00 0001 41",
        "59 00 0001 00",
        "59 00 0003 0002 41",
        "51 00 0004 0000",
        "51 00 00",
    ],
)
def test_broken_sub_items_are_protocol_errors(data: str) -> None:
    with pytest.raises(ProtocolError):
        user_information(bytes.fromhex(data))


def test_errors_do_not_show_what_was_received() -> None:
    with pytest.raises(ProtocolError) as caught:
        user_information(encode_item(0x52, b"SECRET\xff"))
    assert "SECRET" not in str(caught.value)


def test_user_identities_do_not_show_in_a_repr() -> None:
    value = UserInformation(
        user_identity_rq=UserIdentityRQ(2, b"joe", b"secret"), user_identity_ac=UserIdentityAC(b"ticket")
    )
    assert not [word for word in ("joe", "secret", "ticket") if word in repr(value)]


def test_the_first_of_sub_items_that_may_occur_once_holds() -> None:
    data = bytes.fromhex("51 00 0004 00000001 51 00 0004 00000002")
    assert user_information(data).maximum_length == 1


def test_values_that_do_not_fit_their_length_field_are_refused() -> None:
    with pytest.raises(UsageError):
        encode_item(0x5A, bytes(65536))
    with pytest.raises(UsageError):
        UserInformation(user_identity_rq=UserIdentityRQ(5, bytes(65536))).encode()


def test_items_are_read_to_the_end() -> None:
    data = memoryview(bytes.fromhex("10 07 0001 41 20 00 0000"))
    assert [(kind, second, bytes(value)) for kind, second, value in decode_items(data)] == [
        (0x10, 7, b"A"),
        (0x20, 0, b""),
    ]


def test_items_without_end_are_no_request() -> None:
    few, many = encode_item(0x5A, b"") * MAX_ITEMS, encode_item(0x5A, b"") * (MAX_ITEMS + 1)
    assert len(user_information(few).unknown_items) == MAX_ITEMS
    with pytest.raises(ProtocolError, match=f"more than {MAX_ITEMS} items"):
        user_information(many)
