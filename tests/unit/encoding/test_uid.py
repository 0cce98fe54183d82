"""UID rules of PS3.5 9."""

from __future__ import annotations

import pytest
from pydicom.uid import UID

from openmodality.encoding.uid import is_valid_uid, new_uid, strip_padding


@pytest.mark.parametrize("text", ["1.2.840.10008.1.1", "2.25.0", "1.2." + "3" * 60, "0.0", "2.999.10.0.1"])
def test_these_texts_are_uids(text: str) -> None:
    assert is_valid_uid(text)
    assert UID(text).is_valid


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".1", "1..2", "1.02", "3.1", "1.2.a", "1.2 ", "1.2\n", "1.2." + "3" * 61, "1.-2", "1.\u0662"],
)
def test_these_texts_are_no_uids(text: str) -> None:
    assert not is_valid_uid(text)


def test_leading_zeros_pass_on_read_only() -> None:
    assert is_valid_uid("1.2.003.04", strict=False)
    assert not is_valid_uid("1.2.003.04")
    assert not is_valid_uid("1.2.x", strict=False)


@pytest.mark.parametrize("padded", [b"1.2.3\0", b"1.2.3 ", b" 1.2.3", "1.2.3\0", memoryview(b"1.2.3\0\0"), b"1.2.3"])
def test_padding_is_stripped(padded: bytes) -> None:
    assert strip_padding(padded) == "1.2.3"


def test_bytes_outside_ascii_never_make_a_valid_uid() -> None:
    assert not is_valid_uid(strip_padding(b"1.2.\xb2"), strict=False)


def test_new_uids_are_valid_and_differ() -> None:
    fresh = {new_uid() for _ in range(100)}
    assert len(fresh) == 100
    assert all(is_valid_uid(uid) and uid.startswith("2.25.") and UID(uid).is_valid for uid in fresh)
