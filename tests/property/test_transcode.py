"""Conversion among the three layouts, with pydicom reading both sides; any chunking gives the same bytes."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.dataset import Dataset

from openmodality.encoding.transcode import Transcoder, transcode
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from tests.property.data_sets import Flat, chunked, cut_lists, data_sets, encode, flat

PAIRS = list(permutations(UNCOMPRESSED, 2))
FEW = settings(max_examples=settings().max_examples // 2)
"""To make a data set takes longest: each is converted from and to every transfer syntax."""


@pytest.fixture(autouse=True, scope="module")
def _lenient_pydicom() -> None:
    config.settings.reading_validation_mode = config.IGNORE
    config.settings.writing_validation_mode = config.IGNORE


def converted(chunks: list[bytes], source: str, target: str) -> bytes:
    return b"".join(transcode(chunks, source, target))


def comparable(found: list[Flat], source: str, target: str) -> list[Flat]:
    """Implicit VR does not carry the VR of private elements."""
    if IMPLICIT_VR_LITTLE_ENDIAN not in (source, target):
        return found
    return [(path, "" if "/0009" in path else vr, value) for path, vr, value in found]


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_pydicom_finds_the_same_elements_after_conversion(data_set: Dataset, cuts: list[int]) -> None:
    for source, target in PAIRS:
        data = encode(data_set, source)
        after = converted(chunked(data, cuts), source, target)
        assert comparable(flat(after, target), source, target) == comparable(flat(data, source), source, target)


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_any_chunking_gives_the_same_bytes(data_set: Dataset, cuts: list[int]) -> None:
    for source, target in PAIRS:
        data = encode(data_set, source)
        whole = converted([data], source, target)
        assert converted(chunked(data, cuts), source, target) == whole
        assert converted([data[i : i + 1] for i in range(len(data))], source, target) == whole


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_there_and_back_is_a_fixed_point(data_set: Dataset, cuts: list[int]) -> None:
    plain = converted([encode(data_set, EXPLICIT_VR_BIG_ENDIAN)], EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)
    there = converted(chunked(plain, cuts), EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
    assert converted([there], EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN) == plain


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_deflated_and_inflated_again(data_set: Dataset, cuts: list[int]) -> None:
    data = encode(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    deflated = converted(chunked(data, cuts), EXPLICIT_VR_LITTLE_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    assert len(deflated) % 2 == 0
    assert converted(chunked(deflated, cuts), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN) == data


@FEW
@given(data_set=data_sets(), cut=st.integers(0, 2000), noise=st.binary(max_size=24), cuts=cut_lists)
def test_damage_raises_object_invalid_or_nothing(data_set: Dataset, cut: int, noise: bytes, cuts: list[int]) -> None:
    for source, target in PAIRS:
        data = encode(data_set, source)
        at = cut % (len(data) + 1)
        damaged = data[:at] + noise + data[at + len(noise) // 2 :]
        transcoder, given_out = Transcoder(source, target), 0
        with suppress(ObjectInvalid):
            for chunk in chunked(damaged, cuts):
                given_out += sum(len(piece) for piece in transcoder.feed(chunk))
            transcoder.finish()
        assert given_out <= 3 * len(damaged) + 16, "output is bounded by the input, whatever lengths it declares"
