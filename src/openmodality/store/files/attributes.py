"""What the index keeps of an instance, read from its file.

Only the first elements of the data set are looked at, without making a data set of them: the index must not cost more
than receiving. What needs knowledge of text, the character sets, is left to pydicom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

from openmodality.encoding.head import HeadScanner
from openmodality.encoding.part10 import read_file_meta
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN
from openmodality.store.schema import instances, keywords_of, patients, series, studies

_CHUNK_BYTES = 1 << 16
_CHARACTER_SET = "SpecificCharacterSet"
_FILE_META = "TransferSyntaxUID"
_REQUIRED = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")
_LEVELS = tuple(keywords_of(table) for table in (patients, studies, series, instances))
_TAGS = {
    keyword: tag_for_keyword(keyword) or 0
    for keyword in (_CHARACTER_SET, *(keyword for level in _LEVELS for keyword in level if keyword != _FILE_META))
}
_VRS = {keyword: dictionary_VR(tag) for keyword, tag in _TAGS.items()}
_NUMBERS = tuple(keyword for keyword, vr in _VRS.items() if vr == "US")
_WANTED = frozenset(_TAGS.values())
_LAST = max(_WANTED)


@dataclass(frozen=True, slots=True)
class Attributes:
    """One row for each level, by keyword; an attribute that is absent or empty is an empty text."""

    patient: dict[str, str]
    study: dict[str, str]
    series: dict[str, str]
    instance: dict[str, str]
    length_bytes: int


def read_attributes(path: Path) -> Attributes:
    """Read the head of an instance file as far as the index needs it.

    Raises ``ObjectInvalid`` for what is no PS3.10 file or lacks one of the UIDs, and ``OSError``.
    """
    try:
        with path.open("rb") as file:
            texts = _texts(file)
            length_bytes = file.seek(0, 2)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path.name} is not a readable PS3.10 file: {error}") from None
    missing = [keyword for keyword in _REQUIRED if not texts[keyword]]
    if missing:
        raise ObjectInvalid(f"{path.name} lacks {', '.join(missing)}")
    patient, study, series_, instance = ({keyword: texts[keyword] for keyword in level} for level in _LEVELS)
    return Attributes(patient, study, series_, instance, length_bytes)


def _texts(file: BinaryIO) -> dict[str, str]:
    meta = read_file_meta(file)
    syntax = meta.transfer_syntax_uid
    values = _values(file, meta.data_set_offset, syntax)
    encodings = _encodings(values)
    texts = {keyword: _text(values.get(tag, b""), _VRS[keyword], encodings) for keyword, tag in _TAGS.items()}
    order: Literal["big", "little"] = "big" if syntax == EXPLICIT_VR_BIG_ENDIAN else "little"
    numbers = {keyword: _number(values.get(_TAGS[keyword], b""), order) for keyword in _NUMBERS}
    return {**texts, **numbers, _FILE_META: syntax}


def _values(file: BinaryIO, offset: int, transfer_syntax: str) -> Mapping[int, bytes]:
    scanner = HeadScanner(transfer_syntax, _WANTED, _LAST)
    file.seek(offset)
    while not scanner.done and (chunk := file.read(_CHUNK_BYTES)):
        scanner.feed(chunk)
    scanner.finish()
    return scanner.values


def _encodings(values: Mapping[int, bytes]) -> Sequence[str]:
    names = _ascii(values.get(_TAGS[_CHARACTER_SET], b"")).split("\\")
    try:
        return convert_encodings([name.strip() for name in names])
    except LookupError:
        return convert_encodings(None)  # a name that nobody knows: the default repertoire


def _number(value: bytes, order: Literal["big", "little"]) -> str:
    return str(int.from_bytes(value[:2], order)) if value else ""


def _text(value: bytes, vr: str, encodings: Sequence[str]) -> str:
    """The value as the data set has it; several values are parted by a backslash."""
    if value.isascii() and b"\x1b" not in value:
        return _ascii(value)
    if vr == "PN":
        groups = value.split(b"=")
        return "=".join(decode_bytes(group, encodings, PN_DELIMS) for group in groups).strip("\0 ")
    return decode_bytes(value, encodings, TEXT_VR_DELIMS).replace("\0", "").strip()


def _ascii(value: bytes) -> str:
    return value.decode("ascii", "replace").replace("\0", "").strip()
