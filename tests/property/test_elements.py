"""The tokenizer on random data sets, chunkings and noise."""

from __future__ import annotations

from contextlib import suppress
from struct import unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.dataset import Dataset

from openmodality.encoding.tokenizer import (
    ElementStart,
    ItemEnd,
    ItemStart,
    SequenceEnd,
    SequenceStart,
    Tokenizer,
    Value,
)
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, JPEG_BASELINE_8BIT, UNCOMPRESSED
from tests.property.data_sets import chunked, cut_lists, data_sets, decode, encode

FEW = settings(max_examples=settings().max_examples // 2)
"""To make a data set takes longest: each is looked at in every transfer syntax."""


@pytest.fixture(autouse=True, scope="module")
def _lenient_pydicom() -> None:
    config.settings.reading_validation_mode = config.IGNORE
    config.settings.writing_validation_mode = config.IGNORE


def tokens_of(chunks: list[bytes], syntax: str) -> list[tuple[object, ...]]:
    """All tokens, the pieces of each value joined."""
    tokenizer = Tokenizer(syntax)
    found: list[tuple[object, ...]] = []
    value = b""
    for chunk in chunks:
        for token in tokenizer.feed(chunk):
            if isinstance(token, Value):
                assert token.data.obj is chunk, "values are slices of the chunk, not copies"
                value += token.data
                if not token.remaining:
                    found.append(("value", value))
                    value = b""
            else:
                found.append((type(token).__name__, *token))
    tokenizer.finish()
    return found


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_any_chunking_gives_the_same_tokens(data_set: Dataset, cuts: list[int]) -> None:
    for syntax in UNCOMPRESSED:
        data = encode(data_set, syntax)
        whole = tokens_of([data], syntax)
        assert tokens_of(chunked(data, cuts), syntax) == whole
        assert tokens_of([data[i : i + 1] for i in range(len(data))], syntax) == whole


@FEW
@given(data_set=data_sets())
def test_top_level_elements_are_those_that_pydicom_finds(data_set: Dataset) -> None:
    for syntax in UNCOMPRESSED:
        data = encode(data_set, syntax)
        tokens = Tokenizer(syntax).feed(data)
        heads = [token for token in tokens if isinstance(token, ElementStart | SequenceStart) and token.depth == 0]
        theirs = decode(data, syntax).keys()
        assert [token.tag for token in heads] == sorted(map(int, theirs))
        order = ">HH" if syntax == EXPLICIT_VR_BIG_ENDIAN else "<HH"
        assert all(unpack_from(order, data, t.position) == (t.tag >> 16, t.tag & 0xFFFF) for t in heads)


@FEW
@given(data_set=data_sets())
def test_what_begins_ends(data_set: Dataset) -> None:
    for syntax in UNCOMPRESSED:
        open_ones: list[tuple[type, int]] = []
        for token in Tokenizer(syntax).feed(encode(data_set, syntax)):
            match token:
                case SequenceStart():
                    open_ones.append((SequenceEnd, token.depth))
                case ItemStart():
                    open_ones.append((ItemEnd, token.depth))
                case SequenceEnd() | ItemEnd():
                    assert open_ones.pop() == (type(token), token.depth)
        assert not open_ones


@FEW
@given(data_set=data_sets(), cut=st.integers(0, 2000))
def test_a_cut_is_told_unless_it_falls_between_elements(data_set: Dataset, cut: int) -> None:
    for syntax in UNCOMPRESSED:
        data = encode(data_set, syntax)
        at = cut % (len(data) + 1)
        tokenizer = Tokenizer(syntax)
        heads = [t for t in Tokenizer(syntax).feed(data) if isinstance(t, ElementStart | SequenceStart)]
        between = {token.position for token in heads if token.depth == 0} | {len(data)}
        tokenizer.feed(data[:at])
        if at in between:
            tokenizer.finish()
        else:
            with pytest.raises(ObjectInvalid):
                tokenizer.finish()


@pytest.mark.parametrize("syntax", [*UNCOMPRESSED, JPEG_BASELINE_8BIT])
@given(noise=st.binary(max_size=200), cuts=cut_lists)
def test_noise_raises_object_invalid_or_nothing(syntax: str, noise: bytes, cuts: list[int]) -> None:
    tokenizer, passed = Tokenizer(syntax), 0
    with suppress(ObjectInvalid):
        for chunk in chunked(noise, cuts):
            passed += sum(len(token.data) for token in tokenizer.feed(chunk) if isinstance(token, Value))
        tokenizer.finish()
    assert passed <= len(noise)
