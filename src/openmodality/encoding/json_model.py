"""A data set as DICOM JSON (PS3.18 Annex F), made while it streams by in Explicit VR Little Endian.

Long binary values are not in it: a URI stands in their place, so that of a file of any size only its header is held.
Text is UTF-8 in JSON whatever the data set declares. What does not follow its VR is not left out: a number that is none
stays text, and a binary value of a wrong length goes as the bytes that it is.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any, Final

from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.texts import TEXT_VRS, decode_element_text, decode_terms
from openmodality.encoding.tokenizer import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    ItemStart,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.errors import ObjectInvalid
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET

JsonDataSet = dict[str, Any]
"""A data set: tags of eight digits, each with its VR and its values."""
MakeUri = Callable[[str], str]
"""Makes the URI of a value from its path: tags, and the numbers of items between them."""

INLINE_BYTES: Final = 1024
"""The longest binary value that stands in the JSON itself."""
MAX_TOKENS: Final = 2_000_000
"""So many elements, items and values together; a hostile file could fill the memory with more."""

_PIXEL_GROUP: Final = 0x7FE0
_BINARY_VRS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_NUMBERS: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_SINGLE_VRS: Final = frozenset(("LT", "ST", "UR", "UT"))
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_SAFE_INTEGER: Final = 2**53 - 1
_PADDING: Final = "\0 "


class JsonModel(Listener):
    """Builds the JSON of a data set; ``document`` is whole when the walk has ended."""

    tokens = Tokens.ALL

    def __init__(self, make_uri: MakeUri) -> None:
        self.document: JsonDataSet = {}
        self._make_uri = make_uri
        self._items: list[JsonDataSet] = [self.document]
        self._terms: list[tuple[str, ...]] = [()]
        self._path: list[str] = []
        self._opened: list[bool] = []  # for each open sequence, whether it holds fragments or is left out
        self._element = ElementStart(0, "", 0, 0, 0)
        self._gathered = bytearray()
        self._is_gathering = False
        self._is_signed = False
        self._left = MAX_TOKENS
        self._take: dict[type, Callable[[Any], None]] = {
            ElementStart: self._begin_element,
            Value: self._add_value,
            SequenceStart: self._begin_sequence,
            ItemStart: self._begin_item,
            ItemEnd: self._end_item,
            SequenceEnd: self._end_sequence,
            FragmentStart: lambda _: None,
        }

    def see(self, token: Token) -> None:
        """Take the next token. Raises :class:`ObjectInvalid` where there are too many."""
        self._left -= 1
        if self._left < 0:
            raise ObjectInvalid(f"the data set has more than {MAX_TOKENS} elements and values")
        self._take[type(token)](token)

    def _begin_element(self, start: ElementStart) -> None:
        self._is_gathering = False
        if start.tag & 0xFFFF == 0:  # group lengths are no part of the model
            return
        name, vr = f"{start.tag:08X}", self._choose_vr(start)
        self._element = start._replace(vr=vr)
        if not start.length:
            self._items[-1][name] = {"vr": vr}
        elif is_bulk(start.tag, vr, start.length):
            self._items[-1][name] = {"vr": vr, "BulkDataURI": self._make_uri("/".join([*self._path, name]))}
        else:
            self._is_gathering, self._gathered = True, bytearray()

    def _choose_vr(self, start: ElementStart) -> str:
        """One of several that the dictionary has: by the pixels for numbers, words for bytes."""
        if " or " not in start.vr:
            return start.vr
        if "OW" in start.vr:
            return "OW"
        return "SS" if self._is_signed else "US"

    def _add_value(self, value: Value) -> None:
        if not self._is_gathering:
            return
        self._gathered += value.data
        if not value.remaining:
            self._is_gathering = False
            self._put(self._element.tag, self._element.vr, bytes(self._gathered))

    def _put(self, tag: int, vr: str, raw: bytes) -> None:
        if tag == SPECIFIC_CHARACTER_SET:
            self._terms[-1] = decode_terms(raw)
            self._items[-1][f"{tag:08X}"] = {"vr": vr, "Value": [UTF_8]}  # which the text of the JSON is in
            return
        if tag == PIXEL_REPRESENTATION:
            self._is_signed = raw[:1] == b"\1"
        self._items[-1][f"{tag:08X}"] = write_element(vr, raw, self._terms[-1])

    def _begin_sequence(self, start: SequenceStart) -> None:
        name = f"{start.tag:08X}"
        is_pixels = start.tag >> 16 == _PIXEL_GROUP
        self._opened.append(is_pixels)
        if is_pixels:
            self._items[-1][name] = {"vr": start.vr, "BulkDataURI": self._make_uri("/".join([*self._path, name]))}
        else:
            self._items[-1][name] = {"vr": "SQ"}
            self._path += [name, "0"]

    def _begin_item(self, _: ItemStart) -> None:
        name, number = self._path[-2:]
        self._path[-1] = str(int(number) + 1)
        item: JsonDataSet = {}
        self._items[-1][name].setdefault("Value", []).append(item)
        self._items.append(item)
        self._terms.append(self._terms[-1])

    def _end_item(self, _: ItemEnd) -> None:
        self._items.pop()
        self._terms.pop()

    def _end_sequence(self, _: SequenceEnd) -> None:
        if not self._opened.pop():
            del self._path[-2:]


class BulkValue(Listener):
    """Gives one value of a data set in pieces; ``path`` is as in the URI of :class:`JsonModel`.

    ``length`` is known once its header has come, and ``is_encapsulated`` tells of pixels in fragments.
    """

    tokens = Tokens.ALL

    def __init__(self, path: str) -> None:
        self._wanted = path.upper().split("/")
        self._path: list[str] = []
        self._is_open = False
        self.length: int | None = None
        self.is_encapsulated = False
        self.pieces: list[bytes] = []
        self.is_complete = False

    def see(self, token: Token) -> None:
        """Take the next token."""
        if isinstance(token, Value):
            if self._is_open:
                self.pieces.append(bytes(token.data))
                self.is_complete = not token.remaining
        elif isinstance(token, ElementStart):
            self._is_open = not self.is_complete and [*self._path, f"{token.tag:08X}"] == self._wanted
            if self._is_open:
                self.length, self.is_complete = token.length, not token.length
        elif isinstance(token, SequenceStart):
            self._is_open = False
            self._path += [f"{token.tag:08X}", "0"]
            self.is_encapsulated |= self._path[:-1] == self._wanted and token.tag >> 16 == _PIXEL_GROUP
        elif isinstance(token, ItemStart):
            self._path[-1] = str(int(self._path[-1]) + 1)
        elif isinstance(token, SequenceEnd):
            del self._path[-2:]


def is_bulk(tag: int, vr: str, length: int) -> bool:
    """Whether a value is left out of the JSON: pixels always, other bytes where there are many of them."""
    return vr in _BINARY_VRS and (length > INLINE_BYTES or tag >> 16 == _PIXEL_GROUP)


def write_element(vr: str, raw: bytes, terms: tuple[str, ...]) -> JsonDataSet:
    """An element by its bytes in Explicit VR Little Endian; ``terms`` are those of its character set."""
    if vr in _BINARY_VRS:
        return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode("ascii")}
    try:
        values = _read_values(vr, raw, terms)
    except struct.error:
        return {"vr": "UN", "InlineBinary": base64.b64encode(raw).decode("ascii")}
    return {"vr": vr, "Value": values} if any(value is not None for value in values) else {"vr": vr}


def _read_values(vr: str, raw: bytes, terms: tuple[str, ...]) -> list[Any]:
    if vr in _NUMBERS:
        code = _NUMBERS[vr]
        return [write_number(value) for (value,) in struct.iter_unpack(f"<{code}", raw)]
    if vr == "AT":
        return [f"{group:04X}{element:04X}" for group, element in struct.iter_unpack("<HH", raw)]
    text = decode_element_text(raw, terms if vr in TEXT_VRS else (), vr)
    if vr in _SINGLE_VRS:
        return [text.rstrip(_PADDING) or None]
    return write_texts(vr, text.split("\\"))


def write_texts(vr: str, texts: list[str]) -> list[Any]:
    """The values of an element of texts, as JSON has them: names by their groups, numbers as numbers."""
    if vr == "PN":
        return [_write_name(text) for text in texts]
    trimmed = [text.strip(_PADDING) or None for text in texts]
    return [_parse_number(text) for text in trimmed] if vr in ("DS", "IS") else trimmed


def write_number(value: int | float) -> int | float | str:
    """A number; a text where JSON has none: what is not finite, and what other readers would round."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
    return value if abs(value) <= _SAFE_INTEGER else str(value)


def _parse_number(text: str | None) -> int | float | str | None:
    if text is None:
        return None
    for kind in (int, float):
        try:
            return write_number(kind(text)) if "_" not in text else text
        except (ValueError, OverflowError):
            continue
    return text


def _write_name(text: str) -> JsonDataSet | None:
    groups = [group.strip(_PADDING) for group in text.split("=")][: len(_GROUPS)]
    return {name: group for name, group in zip(_GROUPS, groups, strict=False) if group} or None
