"""Data sets of messages from their bytes, where equal elements are decoded once.

The matches of a query repeat each other: of the forty elements of a worklist item some eight are its own. pydicom
decodes an element when it is read, and costs more than all else that happens to a match; a token for each element costs
half of that. So the bytes of an element, header and value, are what it is remembered by. What is unusual (private
attributes, UN, a VR that other elements decide, what is damaged) is left, as a whole, to the walk that checks a data
set and to pydicom.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from pydicom import Dataset, config
from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import PersonName

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.dimse.pydicom_text import convert_terms, read_raw_text
from openmodality.dimse.reading import intern_tag
from openmodality.encoding.headers import UNDEFINED_LENGTH, Layout
from openmodality.encoding.texts import TEXT_VRS
from openmodality.encoding.vr import is_private
from openmodality.standard.tags import (
    ITEM,
    ITEM_DELIMITATION_ITEM,
    SEQUENCE_DELIMITATION_ITEM,
    SPECIFIC_CHARACTER_SET,
)

_USUAL_VRS: Final = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI", "UL", "US", "UT")
)
_OFTEN_NEW: Final = frozenset(("LO", "PN", "SH", "UI"))
"""VRs of what names a patient or an item: most values that come once."""
_LONGEST_REPEATED: Final = 128
_REMEMBERED: Final = 4096
_DEEPEST: Final = 8
"""How deep sequences are usually nested; those that are deeper are left to pydicom."""

_make_element: Final = DataElement.__new__
Names = tuple[str, ...]
"""Character sets, by the names that pydicom has for them."""


class _Unusual(Exception):
    """Raised where the data set is to be read otherwise."""


class _Remembered(dict[bytes, DataElement]):
    """Elements by their bytes, header and value. Nobody changes them; what is new is decoded.

    All are forgotten where they become many: those that repeat each other come again. ``sizes`` has, by the tag of an
    element, how many bytes the next one took in the data set before: bytes that are remembered need no header read.
    """

    def __init__(self, layout: Layout, names: Names) -> None:
        self._layout, self._names = layout, names
        self.sizes: dict[int, int] = {}

    def __missing__(self, raw: bytes) -> DataElement:
        header = self._layout.read(raw, 0, len(raw))
        if header is None:
            raise _Unusual
        tag, vr, _, start = header
        value = raw[start:]
        element = _convert(tag, vr, value, self._names, self._layout)
        if b"\\" not in value:  # several values may be changed in place
            if len(self) >= _REMEMBERED:
                self.clear()
            self[raw] = element
        return element


class _Frames(NamedTuple):
    """What is made once for a layout and the character sets around and within a data set: attributes of an empty one
    and of an empty item, with and without a length.
    """

    data_set: dict[str, Any]
    delimited: dict[str, Any]
    copied: tuple[str, ...]
    """The names of those that each data set has for itself."""


@lru_cache(maxsize=32)  # the character sets come from peers: bounded
def _remember(layout: Layout, names: Names) -> _Remembered:
    return _Remembered(layout, names)


@lru_cache(maxsize=32)
def _make_frames(layout: Layout, names: Names, outer: Names) -> _Frames:
    made = Dataset(parent_encoding=list(outer))
    made.set_original_encoding(not layout.explicit, not layout.big_endian, list(names))
    plain = dict(made.__dict__)
    copied = tuple(name for name, value in plain.items() if type(value) in (dict, list) and name != "_dict")
    return _Frames(plain, {**plain, "is_undefined_length_sequence_item": True}, copied)


def _convert(tag: int, vr: str, raw: bytes, names: Names, layout: Layout) -> DataElement:
    """An element as pydicom decodes it."""
    if is_private(tag) or not tag:
        raise _Unusual
    if vr in _OFTEN_NEW and raw and raw.isascii() and b"\\" not in raw:
        text = raw.decode("ascii").rstrip("\0 ")
        if text.isprintable():
            return _make_plain(tag, vr, text, names)
    if vr in TEXT_VRS and raw:  # as pydicom does it by our hook, without the way there
        return DataElement(intern_tag(tag), vr, read_raw_text(raw, vr, names or (default_encoding,)), 0, False, True)
    value = raw or cast("bytes | None", empty_value_for_VR(vr, raw=True))
    element = RawDataElement(intern_tag(tag), vr, len(raw), value, 0, False, not layout.big_endian)
    return convert_raw_data_element(element, encoding=list(names) or None)


def _read_declaration(raw: bytes, vr: str, names: Names, layout: Layout) -> tuple[DataElement, Names]:
    """(0008,0005) Specific Character Set, and the character sets that hold behind it: its own, or those before."""
    if b"\\" not in raw:
        element, names = _remember_declaration(raw, vr, names, layout)
        return duplicate_element(element), names
    element = _convert(SPECIFIC_CHARACTER_SET, vr, raw, names, layout)
    return element, tuple(convert_terms(element.value))


@lru_cache(maxsize=32)  # as above
def _remember_declaration(raw: bytes, vr: str, names: Names, layout: Layout) -> tuple[DataElement, Names]:
    element = _convert(SPECIFIC_CHARACTER_SET, vr, raw, names, layout)
    return element, tuple(convert_terms(element.value)) if element.value else names


def _make_plain(tag: int, vr: str, text: str, names: Names) -> DataElement:
    """An element of one text as it is made of what pydicom decodes, without looking at all that a text may be."""
    element = _make_element(DataElement)
    element.tag = intern_tag(tag)
    element.VR = vr
    element.validation_mode = config.settings.reading_validation_mode
    if vr == "UI":
        element._value = UID(text)
    else:
        element._value = PersonName(text, names or (default_encoding,)) if vr == "PN" else text
    element.file_tell = 0
    element.is_undefined_length = False
    element.private_creator = None
    return element


def build_data_set(raw: bytes, layout: Layout, names: Sequence[str]) -> Dataset | None:
    """The data set in these bytes; ``None`` where it is unusual or damaged.

    ``names`` are the character sets of one that declares none. Raises what pydicom does for a value that cannot be
    read.
    """
    try:
        made, end = _Builder(raw, layout).read_elements(0, len(raw), tuple(names))
    except _Unusual:
        return None
    return made if end == len(raw) else None


class _Builder:
    """Reads data sets and items out of the bytes of one message. Raises :class:`_Unusual`."""

    __slots__ = ("_depth", "_layout", "_raw")

    def __init__(self, raw: bytes, layout: Layout) -> None:
        self._raw, self._layout, self._depth = raw, layout, 0

    def read_elements(self, offset: int, limit: int, names: Names, *, delimited: bool = False) -> tuple[Dataset, int]:
        """The data set or item between two places, and where it ends: at the limit, or behind its delimiter."""
        raw, read, outer, tag = self._raw, self._layout.read, names, 0
        remembered = _remember(self._layout, names)
        sizes = remembered.sizes
        elements: dict[BaseTag, DataElement | RawDataElement] = {}
        while offset < limit:
            end = offset + sizes.get(tag, limit + 1)
            known = remembered.get(raw[offset:end]) if end <= limit else None
            if known is not None:
                tag = known.tag
                elements[tag] = duplicate_element(known)
                offset = end
                continue
            before = tag
            header = read(raw, offset, limit - offset)
            if header is None:
                raise _Unusual
            tag, vr, length, size = header
            end = offset + size + length
            if vr in _USUAL_VRS and end <= limit:
                if tag == SPECIFIC_CHARACTER_SET:
                    element, names = _read_declaration(raw[offset + size : end], vr, names, self._layout)
                    remembered = _remember(self._layout, names)
                    sizes = remembered.sizes
                elif length <= _LONGEST_REPEATED:
                    element = duplicate_element(remembered[raw[offset:end]])
                    sizes[before] = end - offset
                else:
                    element = _convert(tag, vr, raw[offset + size : end], names, self._layout)
            elif vr == "SQ":
                element, end = self._read_sequence(offset + size, limit, tag, length, names)
            elif delimited and tag == ITEM_DELIMITATION_ITEM and not length:
                return self._finish(elements, names, outer, delimited=True), end
            else:
                raise _Unusual
            tag = element.tag
            elements[tag] = element
            offset = end
        if delimited:
            raise _Unusual
        return self._finish(elements, names, outer, delimited=False), offset

    def _finish(
        self, elements: dict[BaseTag, DataElement | RawDataElement], names: Names, outer: Names, *, delimited: bool
    ) -> Dataset:
        """As ``Dataset(elements)`` makes it, at a tenth of the cost: it sets a dozen attributes one by one."""
        frames = _make_frames(self._layout, names, outer)
        frame = frames.delimited if delimited else frames.data_set
        made = Dataset.__new__(Dataset)
        attributes = made.__dict__
        attributes.update(frame)
        for name in frames.copied:
            attributes[name] = frame[name].copy()
        attributes["_dict"] = elements
        return made

    def _read_sequence(self, offset: int, limit: int, tag: int, length: int, names: Names) -> tuple[DataElement, int]:
        """The sequence whose items begin at ``offset``, and where it ends."""
        is_delimited = length == UNDEFINED_LENGTH
        end = limit if is_delimited else offset + length
        if end > limit or is_private(tag) or self._depth == _DEEPEST:
            raise _Unusual
        self._depth += 1
        items: list[Dataset] = []
        while offset < end:
            header = self._layout.read(self._raw, offset, end - offset)
            if header is None:
                raise _Unusual
            found, _, length, size = header
            offset += size
            if found == SEQUENCE_DELIMITATION_ITEM and is_delimited and not length:
                break
            if found != ITEM:
                raise _Unusual
            item, offset = self._read_item(offset, end, length, names)
            items.append(item)
        else:
            if is_delimited:
                raise _Unusual
        self._depth -= 1
        return DataElement(intern_tag(tag), "SQ", items, None, is_delimited), offset

    def _read_item(self, offset: int, limit: int, length: int, names: Names) -> tuple[Dataset, int]:
        is_delimited = length == UNDEFINED_LENGTH
        end = limit if is_delimited else offset + length
        if end > limit:
            raise _Unusual
        return self.read_elements(offset, end, names, delimited=is_delimited)


def duplicate_element(element: DataElement) -> DataElement:
    """As ``copy.copy`` makes it, at a tenth of the cost: each data set has elements that nobody else changes.

    One by one, since to copy its dictionary takes twice as long.
    """
    copied = _make_element(DataElement)
    copied.tag = element.tag
    copied.VR = element.VR
    copied.validation_mode = element.validation_mode
    copied._value = element._value
    copied.file_tell = element.file_tell
    copied.is_undefined_length = element.is_undefined_length
    copied.private_creator = element.private_creator
    return copied
