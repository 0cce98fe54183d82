"""The filter of private attributes on random data sets: what is standard or known stays, whatever the chunks."""

from __future__ import annotations

import re
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, integers
from pydicom import config
from pydicom.dataset import Dataset

from openmodality.encoding.transcode import transcode
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.objects.filter.private_search import has_only_known_private
from openmodality.objects.filter.private_sets import PrivateSets, keep_known_private
from openmodality.objects.filter.received import ReceivedDataSet
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from openmodality.standard.type_1 import list_type_1_attributes
from tests.property.data_sets import Flat, chunked, cut_lists, data_sets, encode, flat
from tests.property.private_blocks import KNOWN, RESERVED_SEQUENCE, SEQUENCE_OFFSET, VRS, Filtered, filtered_data_sets

SOMEBODY: PrivateSets = frozenset({("SOMEBODY", 0x0009)})
MANY = settings(max_examples=settings().max_examples * 2)
"""Each block is one of many kinds, and made in a moment."""
PRIVATE_SEQUENCE = re.compile(f"/00(09|29|31)..{SEQUENCE_OFFSET:02X}|/{RESERVED_SEQUENCE:08X}")


@pytest.fixture(autouse=True, scope="module")
def _lenient_pydicom() -> None:
    config.settings.reading_validation_mode = config.IGNORE
    config.settings.writing_validation_mode = config.IGNORE


def kept(chunks: list[bytes], transfer_syntax: str, known: PrivateSets) -> bytes:
    return b"".join(bytes(piece) for piece in keep_known_private(chunks, transfer_syntax, known))


@given(data_set=data_sets(), cuts=cut_lists)
def test_standard_attributes_stay_and_private_ones_of_known_sets(data_set: Dataset, cuts: list[int]) -> None:
    for transfer_syntax in UNCOMPRESSED:
        data = encode(data_set, transfer_syntax)
        before = flat(data, transfer_syntax)
        assert flat(kept(chunked(data, cuts), transfer_syntax, SOMEBODY), transfer_syntax) == before
        without = kept(chunked(data, cuts), transfer_syntax, frozenset())
        assert flat(without, transfer_syntax) == [each for each in before if "/0009" not in each[0]]
        assert kept([without], transfer_syntax, frozenset()) == without


@MANY
@given(made=filtered_data_sets(), cuts=cut_lists)
def test_what_is_left_is_what_stands_in_the_blocks_of_known_creators(made: Filtered, cuts: list[int]) -> None:
    for transfer_syntax in UNCOMPRESSED:
        after = kept(chunked(encode(made.whole, transfer_syntax), cuts), transfer_syntax, KNOWN)
        assert flat(after, transfer_syntax) == flat(encode(made.left, transfer_syntax), transfer_syntax)


@MANY
@given(made=filtered_data_sets())
def test_what_needs_no_filter_is_known_for_what_is_plain(made: Filtered) -> None:
    whole, left = (encode(each, EXPLICIT_VR_LITTLE_ENDIAN) for each in (made.whole, made.left))
    assert has_only_known_private(whole, EXPLICIT_VR_LITTLE_ENDIAN, KNOWN) == (made.is_plain and whole == left)
    assert has_only_known_private(left, EXPLICIT_VR_LITTLE_ENDIAN, KNOWN) >= made.is_plain


@MANY
@given(made=filtered_data_sets(), cuts=cut_lists)
def test_implicit_vr_gets_the_vrs_of_known_creators(made: Filtered, cuts: list[int]) -> None:
    said = flat(encode(made.whole, EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN)
    chunks = chunked(encode(made.whole, IMPLICIT_VR_LITTLE_ENDIAN), cuts)
    for target in (EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN):
        after = b"".join(transcode(chunks, IMPLICIT_VR_LITTLE_ENDIAN, target, private_vrs=VRS))
        assert without_sequences(flat(after, target)) == without_sequences(said)


def without_sequences(found: list[Flat]) -> list[Flat]:
    """Private sequences stay UN where their length is defined, and so hide what they hold."""
    return [each for each in found if not PRIVATE_SEQUENCE.search(each[0])]


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_group_lengths_go_at_each_level(transfer_syntax: str) -> None:
    def make(*lengths: int) -> bytes:
        item, data_set = Dataset(), Dataset()
        data_set.ProcedureCodeSequence = [item]
        for each in (item, data_set):
            each.PatientID = "1"
            each.private_block(0x0009, "SOMEBODY", create=True).add_new(1, "UN", b"\1\2")
            for tag in lengths:
                each.add_new(tag, "UL", 10)
        return encode(data_set, transfer_syntax)

    # pydicom writes none: elements (gggg,0002) take their place, and then their tag
    order, groups = ">HH" if transfer_syntax == EXPLICIT_VR_BIG_ENDIAN else "<HH", (0x0009, 0x0010)
    data = make(*(group << 16 | 2 for group in groups))
    for group in groups:
        data = data.replace(pack(order, group, 2), pack(order, group, 0))
    assert flat(kept([data], transfer_syntax, SOMEBODY), transfer_syntax) == flat(make(), transfer_syntax)


@given(data_set=data_sets(), is_known=booleans(), cut_bytes=integers(0, 3))
def test_what_is_said_to_need_no_filter_is_what_the_filter_leaves_as_it_is(
    data_set: Dataset, is_known: bool, cut_bytes: int
) -> None:
    known = SOMEBODY if is_known else frozenset()
    data = encode(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    data = data[: len(data) - cut_bytes]
    if has_only_known_private(data, EXPLICIT_VR_LITTLE_ENDIAN, known):
        after = flat(kept([data], EXPLICIT_VR_LITTLE_ENDIAN, known), EXPLICIT_VR_LITTLE_ENDIAN)
        assert after == flat(data, EXPLICIT_VR_LITTLE_ENDIAN)


@given(data_set=data_sets(), cuts=cut_lists)
def test_a_check_ends_with_what_is_to_be_stored_or_with_one_text(data_set: Dataset, cuts: list[int]) -> None:
    data = encode(data_set, UNCOMPRESSED[0])
    for damaged in (data, data[: len(data) // 2]):
        with pytest.raises(ObjectInvalid):
            receive(chunked(damaged, cuts))


def receive(chunks: list[bytes]) -> None:
    received = ReceivedDataSet(UNCOMPRESSED[0], list_type_1_attributes(MR_IMAGE_STORAGE), frozenset())
    walk = DataSetWalk(UNCOMPRESSED[0], (received,))
    for chunk in chunks:
        walk.feed(chunk)
    walk.finish()
    received.finish()
