"""Data sets of messages from their tokens, where equal elements are decoded once.

The matches of a query repeat each other: of the forty elements of a worklist item some eight are its own. pydicom
decodes an element when it is read, and costs more than all else that happens to a match. What is unusual (private
attributes, UN, a VR that other elements decide) is left to pydicom, as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, cast

from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.tag import BaseTag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.dimse.pydicom_text import convert_terms
from openmodality.encoding.headers import UNDEFINED_LENGTH, Layout
from openmodality.encoding.tokenizer import ElementStart, ItemEnd, ItemStart, SequenceEnd, SequenceStart, Token, Value
from openmodality.encoding.vr import is_private
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

_USUAL_VRS: Final = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI", "UL", "US", "UT")
)
_LONGEST_REPEATED: Final = 128
_REMEMBERED: Final = 4096

Names = tuple[str, ...]
"""Character sets, by the names that pydicom has for them."""


class _Level:
    """A data set or an item that is being built: its elements, and the sequence that is open in it."""

    __slots__ = ("elements", "has_length", "items", "names", "open")

    def __init__(self, names: Names, *, has_length: bool = True) -> None:
        self.elements: dict[BaseTag, DataElement | RawDataElement] = {}
        self.has_length = has_length
        self.names = names
        self.open: SequenceStart | None = None
        self.items: list[Dataset] = []


def build_data_set(tokens: Iterable[Token], layout: Layout, names: Sequence[str]) -> Dataset | None:
    """The data set that the tokens are of, each value in one piece; ``None`` where pydicom is to read it.

    ``names`` are the character sets of one that declares none. Raises what pydicom does for
    a value that cannot be read.
    """
    stack, start = [_Level(tuple(names))], None
    for token in tokens:
        level, kind = stack[-1], type(token)
        if kind is ElementStart:
            start = cast(ElementStart, token)
            if start.vr not in _USUAL_VRS or start.tag >> 16 & 1 or not start.tag:
                return None
            if not start.length:
                _add(level, start, b"", layout)
        elif kind is Value and start is not None:
            value = cast(Value, token)
            if value.remaining:
                return None
            _add(level, start, bytes(value.data), layout)
        elif not _take_structure(stack, token, layout):
            return None
    return _finish(stack[0], layout, tuple(names))


def _take_structure(stack: list[_Level], token: Token, layout: Layout) -> bool:
    """Begin or end a sequence or an item. False where it is another token, or a sequence that is unusual."""
    level = stack[-1]
    if isinstance(token, SequenceStart):
        if token.vr != "SQ" or is_private(token.tag):
            return False
        level.open, level.items = token, []
    elif isinstance(token, ItemStart):
        stack.append(_Level(level.names, has_length=token.length != UNDEFINED_LENGTH))
    elif isinstance(token, ItemEnd):
        stack.pop()
        item = _finish(level, layout, stack[-1].names)
        item.is_undefined_length_sequence_item = not level.has_length
        stack[-1].items.append(item)
    elif isinstance(token, SequenceEnd) and level.open is not None:
        _add_sequence(level, level.open)
    else:
        return False
    return True


def _add(level: _Level, start: ElementStart, raw: bytes, layout: Layout) -> None:
    tag = start.tag
    terms = level.names if tag != SPECIFIC_CHARACTER_SET else ()
    is_shared = len(raw) <= _LONGEST_REPEATED and b"\\" not in raw  # several values may be changed in place
    convert = _convert if is_shared else _convert.__wrapped__
    made = convert(tag, start.vr, raw, terms, layout.big_endian)
    level.elements[made.tag] = duplicate_element(made)
    if tag == SPECIFIC_CHARACTER_SET:
        level.names = tuple(convert_terms(made.value)) if made.value else level.names


@lru_cache(maxsize=_REMEMBERED)
def _convert(tag: int, vr: str, raw: bytes, names: Names, big_endian: bool) -> DataElement:
    """An element as pydicom decodes it. Nobody changes it."""
    value = raw or cast("bytes | None", empty_value_for_VR(vr, raw=True))
    element = RawDataElement(BaseTag(tag), vr, len(raw), value, 0, False, not big_endian)
    return convert_raw_data_element(element, encoding=list(names) or None)


def duplicate_element(element: DataElement) -> DataElement:
    """As ``copy.copy`` makes it, at a fifth of the cost: each data set has elements that nobody else changes."""
    copied = DataElement.__new__(DataElement)
    copied.__dict__.update(element.__dict__)
    return copied


def _add_sequence(level: _Level, start: SequenceStart) -> None:
    is_undefined = start.length == UNDEFINED_LENGTH
    element = DataElement(BaseTag(start.tag), "SQ", level.items, None, is_undefined)
    level.elements[element.tag] = element
    level.open, level.items = None, []


def _finish(level: _Level, layout: Layout, outer: Names) -> Dataset:
    made = Dataset(level.elements, parent_encoding=list(outer))
    made.set_original_encoding(not layout.explicit, not layout.big_endian, list(level.names))
    return made
