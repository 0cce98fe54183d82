"""What a skimmer has seen before changes nothing of what it says of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from openmodality.encoding import skim
from openmodality.encoding.headers import layout_of
from openmodality.encoding.skim import Skimmer
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED

Element = tuple[str, int]
_elements = st.lists(
    st.tuples(st.sampled_from(["LO", "UI", "US", "OB", "OW", "UN", "SQ"]), st.integers(0, 20)), min_size=5, max_size=30
)


_TAILS = st.sampled_from(
    [b"", b"", *(pack("<HH", 0xFFFE, tag) + rest for tag in (0xE000, 0xE00D, 0xE0DD) for rest in (bytes(4), b"LO\0\0"))]
)
"""Items and delimiters, which have no place at the top level."""


@st.composite
def similar_data_sets(draw: st.DrawFn) -> list[bytes]:
    """Encoded data sets of which each is like the first but for a few lengths, elements and bytes."""
    syntax = draw(st.sampled_from(UNCOMPRESSED))
    elements = draw(_elements)
    made = [syntax.encode(), encoded(syntax, elements)]
    for _ in range(draw(st.integers(1, 6))):
        raw = bytearray(encoded(syntax, draw(_changed(elements))))
        if raw and draw(st.booleans()):
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
        made.append(bytes(raw[: len(raw) - draw(st.sampled_from([0, 0, 0, 1, 9, 13]))]) + draw(_TAILS))
    return made


@st.composite
def _changed(draw: st.DrawFn, elements: Sequence[Element]) -> list[Element]:
    changed = list(elements)
    if draw(st.booleans()) and changed:
        changed[-1] = draw(st.tuples(st.sampled_from(["UN", "LO"]), st.integers(0, 4)))
    for _ in range(draw(st.integers(0, 2))):
        if changed:
            index = draw(st.integers(0, len(changed) - 1))
            changed[index] = changed[index][0], draw(st.integers(0, 20))
    if changed and draw(st.integers(0, 4)) == 0:
        del changed[draw(st.integers(0, len(changed) - 1))]
    return changed


def encoded(syntax: str, elements: Sequence[Element]) -> bytes:
    write = layout_of(syntax).write
    return b"".join(
        write(0x00090000 + number, vr, length) + bytes(length) for number, (vr, length) in enumerate(elements)
    )


def verdict(skimmer: Skimmer, raw: bytes, cut: int) -> str:
    try:
        for chunk in (raw[:cut], raw[cut:]):
            skimmer.feed(chunk)
        skimmer.finish()
    except ObjectInvalid as error:
        return str(error)
    return "whole"


@given(similar_data_sets(), st.sampled_from([10**6, 10**6, 10**6, 100, 200, 5]))
def test_the_verdict_does_not_depend_on_what_came_before(data_sets: list[bytes], cut: int) -> None:
    syntax = data_sets[0].decode()
    skim._steps.cache_clear()
    for raw in data_sets[1:]:
        walking = Skimmer(syntax)
        walking._strides = lambda buffer, size, walk=walking._walk: walk(buffer, 0, size)  # type: ignore[assignment]
        assert verdict(Skimmer(syntax), raw, cut) == verdict(walking, raw, cut)
