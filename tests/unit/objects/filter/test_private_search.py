"""Which data sets need no filter of private attributes: those of which it would change nothing, where that is plain."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.objects.filter.private_search import has_only_known_private
from openmodality.objects.filter.private_sets import PrivateSets, keep_known_private
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.peers.objects import mr_image

OURS: PrivateSets = frozenset({("MMCPrivate", 0x0029), ("MMCPrivate", 0x0019)})


def filtered(data: bytes, known: PrivateSets = OURS) -> Dataset:
    pieces = keep_known_private([data], EXPLICIT_VR_LITTLE_ENDIAN, known)
    return decode_data_set(b"".join(map(bytes, pieces)), EXPLICIT_VR_LITTLE_ENDIAN)


def is_plain(data_set: Dataset, known: PrivateSets = OURS) -> bool:
    """What is said of a data set, which must be what the filter does to it."""
    data = encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    is_unchanged = filtered(data, known) == decode_data_set(data, EXPLICIT_VR_LITTLE_ENDIAN)
    said = has_only_known_private(data, EXPLICIT_VR_LITTLE_ENDIAN, known)
    assert is_unchanged or not said
    return said


def image(*, undefined_length: bool = False) -> Dataset:
    data_set = Dataset()
    data_set.update(mr_image())
    item = Dataset()
    item.CodeValue = "C"
    item.PurposeOfReferenceCodeSequence = [Dataset()]
    data_set.ProcedureCodeSequence = [item, item]
    data_set["ProcedureCodeSequence"].is_undefined_length = undefined_length
    data_set.AnatomicRegionSequence = []
    return data_set


@pytest.mark.parametrize("undefined_length", [False, True])
def test_sequences_without_private_attributes_need_no_filter(undefined_length: bool) -> None:
    assert is_plain(image(undefined_length=undefined_length))


@pytest.mark.parametrize(
    ("group", "creator", "expected"),
    [
        (0x0029, "MMCPrivate", True),
        (0x0019, "MMCPrivate ", True),
        (0x0029, "OTHER", False),
        (0x0031, "MMCPrivate", False),
        (0x7FE1, "OTHER", False),
    ],
)
def test_a_known_set_needs_no_filter_and_any_other_does(group: int, creator: str, expected: bool) -> None:
    data_set = image()
    data_set.private_block(group, creator, create=True).add_new(1, "LO", "x")
    assert is_plain(data_set) is expected


def test_a_set_beside_a_known_one_needs_the_filter() -> None:
    data_set = image()
    data_set.private_block(0x0029, "MMCPrivate", create=True).add_new(1, "LO", "x")
    data_set.add_new(0x00291101, "LO", "of no block")
    assert not is_plain(data_set)


@pytest.mark.parametrize("undefined_length", [False, True])
def test_private_attributes_within_sequences_are_left_to_the_filter(undefined_length: bool) -> None:
    data_set = image(undefined_length=undefined_length)
    data_set.ProcedureCodeSequence[1].private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    assert not is_plain(data_set)


@pytest.mark.parametrize("undefined_length", [False, True])
def test_an_item_has_no_block_of_the_data_set_around_it(undefined_length: bool) -> None:
    data_set, item = image(), Dataset()
    data_set.private_block(0x0029, "MMCPrivate", create=True).add_new(1, "LO", "x")
    item.add_new(0x00291001, "LO", "of no block")
    data_set.PerformedProtocolCodeSequence = [item]
    data_set["PerformedProtocolCodeSequence"].is_undefined_length = undefined_length
    assert not is_plain(data_set)


def test_a_private_sequence_is_left_to_the_filter() -> None:
    data_set = image()
    data_set.private_block(0x0029, "MMCPrivate", create=True).add_new(1, "SQ", [Dataset()])
    assert not is_plain(data_set)


def test_group_lengths_are_left_to_the_filter() -> None:
    data = bytes.fromhex("0800000055 4c04000a000000".replace(" ", ""))
    assert not has_only_known_private(data, EXPLICIT_VR_LITTLE_ENDIAN, OURS)


def test_only_explicit_vr_little_endian_is_looked_at() -> None:
    data = encode_data_set(image(), IMPLICIT_VR_LITTLE_ENDIAN)
    assert not has_only_known_private(data, IMPLICIT_VR_LITTLE_ENDIAN, OURS)


def test_a_data_set_that_is_cut_off_is_left_to_the_filter() -> None:
    data = encode_data_set(image(), EXPLICIT_VR_LITTLE_ENDIAN)
    ends = [end for end in range(600) if has_only_known_private(data[:end], EXPLICIT_VR_LITTLE_ENDIAN, OURS)]
    assert has_only_known_private(data, EXPLICIT_VR_LITTLE_ENDIAN, OURS)
    for end in ends:  # only between two elements, where no filter sees that something is missing
        assert filtered(data[:end]) == decode_data_set(data[:end], EXPLICIT_VR_LITTLE_ENDIAN)
