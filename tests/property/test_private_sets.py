"""The filter of private attributes on random data sets: what is standard or known stays, whatever the chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers
from pydicom import config
from pydicom.dataset import Dataset

from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.objects.filter.private_search import has_only_known_private
from openmodality.objects.filter.private_sets import PrivateSets, keep_known_private
from openmodality.objects.filter.received import ReceivedDataSet
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from openmodality.standard.type_1 import list_type_1_attributes
from tests.property.data_sets import chunked, cut_lists, data_sets, encode, flat

SOMEBODY: PrivateSets = frozenset({("SOMEBODY", 0x0009)})


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
