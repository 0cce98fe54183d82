"""The walk on random data sets, chunkings and noise: its listeners hear the same, and what pydicom reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.dataset import Dataset

from openmodality.encoding.listening import KeptValues, Listener, Tokens
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.tokenizer import ElementStart, Passed, SequenceStart, Token, Tokenizer, Value
from openmodality.encoding.walk import DataSetWalk, read_values
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import PATIENT_ID, PIXEL_DATA, SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from tests.property.data_sets import chunked, cut_lists, data_sets, decode, encode

FEW = settings(max_examples=settings().max_examples // 2)
"""To make a data set takes longest: each is looked at in every transfer syntax."""
HEARD = st.sampled_from(list(Tokens))


@pytest.fixture(autouse=True, scope="module")
def _lenient_pydicom() -> None:
    config.settings.reading_validation_mode = config.IGNORE
    config.settings.writing_validation_mode = config.IGNORE


class Ear(Listener):
    """Notes all that it hears, the pieces of values and of what is passed joined."""

    def __init__(self, tags: frozenset[int], vrs: frozenset[str], tokens: Tokens) -> None:
        self.tags, self.vrs, self.tokens = tags, vrs, tokens
        self.values: list[tuple[int, bytes | None]] = []
        self.calls: list[dict[int, bytes | None]] = []
        self.kinds: list[object] = []
        self.data: list[bytes] = []

    def take(self, tag: int, value: bytes | None) -> None:
        self.values.append((tag, value))

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        self.calls.append({tag: values[tag] for tag in self.tags & values.keys()})

    def see(self, token: Token) -> None:
        if not isinstance(token, Passed | Value):
            self.kinds.append((type(token), *token))
        elif self.kinds and self.kinds[-1] is type(token):
            self.data[-1] += token.data
        else:
            self.kinds.append(type(token))
            self.data.append(bytes(token.data))


class Copy(Listener):
    """Writes what is not passed."""

    tokens = Tokens.IRREGULAR

    def __init__(self, writer: TokenWriter) -> None:
        self._writer = writer

    def see(self, token: Token) -> None:
        self._writer.put(token)


def hear(chunks: Sequence[bytes], syntax: str, ear: Ear) -> Ear:
    walk = DataSetWalk(syntax, (ear,))
    for chunk in chunks:
        walk.feed(chunk)
    walk.finish()
    return ear


def as_written(data_set: Dataset, tag: int) -> bytes:
    value = data_set.get_item(tag).value or b""
    return value if isinstance(value, bytes) else str(value).encode("ascii")  # private creators are decoded already


def top_level(data: bytes, syntax: str) -> list[ElementStart]:
    tokens = Tokenizer(syntax).feed(data)
    return [token for token in tokens if isinstance(token, ElementStart) and token.depth == 0]


@FEW
@given(data_set=data_sets(), cuts=cut_lists, tokens=HEARD, data=st.data())
def test_any_chunking_gives_the_same(data_set: Dataset, cuts: list[int], tokens: Tokens, data: st.DataObject) -> None:
    for syntax in UNCOMPRESSED:
        raw = encode(data_set, syntax)
        there = [token.tag for token in top_level(raw, syntax)]
        tags = data.draw(st.frozensets(st.sampled_from([SOP_CLASS_UID, PIXEL_DATA, *there])))
        vrs = data.draw(st.frozensets(st.sampled_from(["UI", "LO", "US"])))
        whole = hear([raw], syntax, Ear(tags, vrs, tokens))
        single = [raw[place : place + 1] for place in range(len(raw))]
        for chunks in (chunked(raw, cuts), single):
            heard = hear(chunks, syntax, Ear(tags, vrs, tokens))
            assert (heard.values, heard.calls) == (whole.values, whole.calls)
            assert b"".join(heard.data) == b"".join(whole.data) or tokens is Tokens.IRREGULAR
            if tokens is Tokens.ALL:
                assert heard.kinds == whole.kinds


@FEW
@given(data_set=data_sets(), cuts=cut_lists, tokens=HEARD, data=st.data())
def test_values_are_those_that_pydicom_reads(
    data_set: Dataset, cuts: list[int], tokens: Tokens, data: st.DataObject
) -> None:
    for syntax in UNCOMPRESSED:
        raw = encode(data_set, syntax)
        plain = {token.tag: token for token in top_level(raw, syntax)}
        tags = data.draw(st.frozensets(st.sampled_from([SOP_CLASS_UID, SOP_INSTANCE_UID, PATIENT_ID, *plain])))
        heard = hear(chunked(raw, cuts), syntax, Ear(tags, frozenset({"UI"}), tokens))
        theirs = decode(raw, syntax)
        expected = {tag: as_written(theirs, tag) for tag in plain}
        assert heard.calls == ([{tag: expected[tag] for tag in tags & plain.keys()}] if tags else [])
        assert heard.values == [(tag, expected[tag]) for tag, token in plain.items() if token.vr == "UI"]


@FEW
@given(data_set=data_sets(), cuts=cut_lists, data=st.data())
def test_values_are_found_without_looking_further(data_set: Dataset, cuts: list[int], data: st.DataObject) -> None:
    for syntax in UNCOMPRESSED:
        raw = encode(data_set, syntax)
        plain = [token.tag for token in top_level(raw, syntax)]
        tags = data.draw(st.frozensets(st.sampled_from([SOP_CLASS_UID, *plain])))
        found = KeptValues(tags)
        read_values(chunked(raw, cuts), syntax, found)
        theirs = decode(raw, syntax)
        assert found.values == {tag: as_written(theirs, tag) for tag in tags & set(plain)}


@FEW
@given(data_set=data_sets(), cuts=cut_lists)
def test_what_is_passed_and_the_tokens_between_are_the_whole_data_set(data_set: Dataset, cuts: list[int]) -> None:
    for syntax in UNCOMPRESSED:
        raw, writer, output = encode(data_set, syntax), TokenWriter(syntax), bytearray()
        walk = DataSetWalk(syntax, (Copy(writer),))
        for chunk in chunked(raw, cuts):
            walk.feed(chunk)
            output += b"".join(writer.take())
        walk.finish()
        output += b"".join(writer.take())
        assert decode(bytes(output), syntax) == decode(raw, syntax)


@FEW
@given(data_set=data_sets(), cut=st.integers(0, 2000), cuts=cut_lists, tokens=HEARD)
def test_a_cut_is_told_unless_it_falls_between_elements(
    data_set: Dataset, cut: int, cuts: list[int], tokens: Tokens
) -> None:
    for syntax in UNCOMPRESSED:
        raw = encode(data_set, syntax)
        at = cut % (len(raw) + 1)
        heads = [t for t in Tokenizer(syntax).feed(raw) if isinstance(t, ElementStart | SequenceStart) and t.depth == 0]
        chunks = chunked(raw[:at], cuts)
        if at in {token.position for token in heads} | {len(raw)}:
            hear(chunks, syntax, Ear(frozenset(), frozenset(), tokens))
        else:
            with pytest.raises(ObjectInvalid):
                hear(chunks, syntax, Ear(frozenset(), frozenset(), tokens))


@pytest.mark.parametrize("syntax", [*UNCOMPRESSED, "1.2.840.10008.1.2.1.99"])
@given(noise=st.binary(max_size=200), cuts=cut_lists, tokens=HEARD)
def test_noise_raises_object_invalid_or_nothing(syntax: str, noise: bytes, cuts: list[int], tokens: Tokens) -> None:
    ear = Ear(frozenset({SOP_CLASS_UID, SOP_INSTANCE_UID}), frozenset({"UI"}), tokens)
    with suppress(ObjectInvalid):
        hear(chunked(noise, cuts), syntax, ear)
        assert len(ear.calls) == 1
    assert len(ear.calls) <= 1


def verdict(chunks: Sequence[bytes], syntax: str) -> str:
    walk = DataSetWalk(syntax)
    try:
        for chunk in chunks:
            walk.feed(chunk)
        walk.finish()
    except ObjectInvalid as error:
        return str(error)
    return "whole"


@given(noise=st.binary(max_size=200), cuts=cut_lists)
def test_the_verdict_on_noise_does_not_depend_on_the_chunks(noise: bytes, cuts: list[int]) -> None:
    for syntax in UNCOMPRESSED:
        assert verdict(chunked(noise, cuts), syntax) == verdict([noise], syntax)
