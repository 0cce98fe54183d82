"""The head scanner: fast where the first chunk tells all, right where it does not."""

from __future__ import annotations

import zlib
from struct import pack

import pytest

from openmodality.encoding.head import HeadScanner
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN

WANTED = frozenset((0x00080016, 0x00080018))
CHARACTER_SET = b"\x08\0\x05\0CS\x0a\0ISO_IR 100"
LANGUAGES = (
    b"\x08\0\x06\0SQ\0\0\xff\xff\xff\xff"
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\0\x18\0UI\x04\x009.9\0\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
)
CLASS = b"\x08\0\x16\0UI\x06\x001.2.3\0"
INSTANCE = b"\x08\0\x18\0UI\x06\x001.2.4\0"
DATE = b"\x08\0\x20\0DA\0\0"
BOTH = {0x00080016: b"1.2.3\0", 0x00080018: b"1.2.4\0"}


def scanner(syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> HeadScanner:
    return HeadScanner(syntax, WANTED, 0x00080018)


@pytest.mark.parametrize("head", [CHARACTER_SET + CLASS + INSTANCE, LANGUAGES + CLASS + INSTANCE + DATE])
def test_found_in_the_first_chunk(head: bytes) -> None:
    found = scanner()
    assert found.feed(memoryview(head))
    assert found.values == BOTH


def test_found_byte_by_byte_and_nested_ones_do_not_count() -> None:
    found = scanner()
    done = [found.feed(bytes((byte,))) for byte in LANGUAGES + CLASS + INSTANCE]
    assert done.index(True) == len(done) - 1
    assert found.values == BOTH


def test_a_later_tag_says_that_one_is_absent() -> None:
    found = scanner()
    assert found.feed(CLASS + DATE)
    assert found.values == {0x00080016: b"1.2.3\0"}
    assert found.feed(INSTANCE), "what comes after done is not looked at"
    assert 0x00080018 not in found.values


def test_the_end_of_the_data_set_says_so_too() -> None:
    found = scanner()
    assert not found.feed(CLASS)
    found.finish()
    assert found.done
    assert found.values == {0x00080016: b"1.2.3\0"}


def test_empty_values_are_found() -> None:
    found = scanner()
    assert not found.feed(CLASS[:-6])
    assert found.feed(b"1.2.3\0" + INSTANCE[:6] + b"\0\0")
    assert found.values == {0x00080016: b"1.2.3\0", 0x00080018: b""}


def test_unwanted_values_are_not_kept() -> None:
    found = scanner()
    found.feed(b"\x08\0\x05\0UT\0\0" + pack("<L", 1 << 30))
    for _ in range(1024):
        assert not found.feed(bytes(1 << 20))
    assert found.feed(CLASS + INSTANCE)
    assert found.values == BOTH


@pytest.mark.parametrize("whole", [True, False])
def test_wanted_values_have_a_bound(whole: bool) -> None:
    long = b"\x08\0\x16\0UT\0\0" + pack("<L", 70_000)
    with pytest.raises(ObjectInvalid, match=r"\(0008,0016\) is too long"):
        scanner().feed(long + bytes(70_000) if whole else long)


def test_cut_off_before_what_is_wanted() -> None:
    found = scanner()
    found.feed(CLASS + INSTANCE[:-1])
    with pytest.raises(ObjectInvalid, match="cut off"):
        found.finish()


def test_deflated_data_sets_are_looked_into() -> None:
    stream = zlib.compressobj(wbits=-15)
    data = stream.compress(CHARACTER_SET + CLASS + INSTANCE + DATE + bytes(1000)) + stream.flush()
    found = scanner(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    assert any([found.feed(data[:10]), found.feed(data[10:])])
    assert found.values == BOTH
