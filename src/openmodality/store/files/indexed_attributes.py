"""Gathers the attributes that the index keeps of an instance, while it arrives or from its file.

No data set is made of it: the index must not cost more than receiving.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Final, Literal

from pydicom.datadict import tag_for_keyword

from openmodality.encoding.listening import KeptValues
from openmodality.encoding.part10 import read_chunks, read_file_meta
from openmodality.encoding.texts import TEXT_VRS, decode_element_text, decode_terms
from openmodality.encoding.walk import read_values
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN
from openmodality.store.index_columns import (
    INSTANCE_ATTRIBUTES,
    PATIENT_ATTRIBUTES,
    SERIES_ATTRIBUTES,
    STUDY_ATTRIBUTES,
)
from openmodality.value_class import dataclass

_CHUNK_BYTES = 1 << 16
_CHARACTER_SET = "SpecificCharacterSet"
_FILE_META = "TransferSyntaxUID"
_REQUIRED = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")
_SHARED_LEVELS = tuple(map(tuple, (PATIENT_ATTRIBUTES, STUDY_ATTRIBUTES, SERIES_ATTRIBUTES)))
_INSTANCE_LEVEL = tuple(keyword for keyword in INSTANCE_ATTRIBUTES if keyword != _FILE_META)
_TAGS = {
    keyword: tag_for_keyword(keyword) or 0
    for keyword in (_CHARACTER_SET, *(keyword for level in (*_SHARED_LEVELS, _INSTANCE_LEVEL) for keyword in level))
}
_VRS = PATIENT_ATTRIBUTES | STUDY_ATTRIBUTES | SERIES_ATTRIBUTES | INSTANCE_ATTRIBUTES
_SHARED = tuple((keyword, _TAGS[keyword]) for level in _SHARED_LEVELS for keyword in level)
_SHARED_TAGS = tuple(tag for _, tag in _SHARED)
_OWN_KEYWORDS: Final = ("SOPInstanceUID", "InstanceNumber", "ContentTime")
_OWN = tuple((keyword, _TAGS[keyword], _VRS[keyword]) for keyword in _OWN_KEYWORDS)
_REPEATED = tuple(
    (keyword, _TAGS[keyword], _VRS[keyword]) for keyword in _INSTANCE_LEVEL if keyword not in _OWN_KEYWORDS
)
"""Of most instances of a series the same, though they are each instance's."""
_REPEATED_TAGS = tuple(tag for _, tag, _ in _REPEATED)
_MAX_CHARACTERS: Final = 10240
"""As much of a text as the index keeps: the longest that a VR of its attributes allows (LT, PS3.5 6.2)."""
_SEARCHED: Final = ("PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyDate", "StudyTime")
_MAX_SEARCHED: Final = dict.fromkeys(_SEARCHED, 256)
"""And of those that the database searches by: PostgreSQL's index holds 2704 bytes for an entry."""
_SERIES_REMEMBERED: Final = 8
"""Of how many series the attributes above the instance are remembered; each may be some 100 KB in the worst case."""
INDEXED_TAGS = frozenset(_TAGS.values())
"""The attributes of the index, and the character set that their text is read with."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """One row for each level, by keyword; an attribute that is absent or empty is an empty text."""

    patient: dict[str, str]
    study: dict[str, str]
    series: dict[str, str]
    instance: dict[str, str]
    length_bytes: int


class IndexedValues(KeptValues):
    """What the index keeps of an instance, gathered while its data set is walked over.

    A value that is far too long for the index counts as absent.
    """

    def __init__(self, transfer_syntax: str) -> None:
        super().__init__(INDEXED_TAGS)
        self._transfer_syntax = transfer_syntax

    def take_found(self, values: dict[int, bytes]) -> None:
        """Keep these, which are of attributes of the index."""
        self.values = values

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Keep what there is."""
        self.values = {tag: value for tag in self.tags & values.keys() if (value := values[tag]) is not None}

    def decode_shared(self) -> dict[str, str]:
        """The attributes of patient and study alone, by keyword."""
        terms = decode_terms(self.values.get(_TAGS[_CHARACTER_SET], b""))
        patient, study, _ = _decode_shared(_pick(self.values, _SHARED_TAGS), terms)
        return patient | study

    def decode(self, length_bytes: int) -> Attributes:
        """The attributes, once the walk has come to its end. Raises :class:`ObjectInvalid` where a UID is missing."""
        values, terms = self.values, decode_terms(self.values.get(_TAGS[_CHARACTER_SET], b""))
        patient, study, series_ = _decode_shared(_pick(values, _SHARED_TAGS), terms)
        order: Literal["big", "little"] = "big" if self._transfer_syntax == EXPLICIT_VR_BIG_ENDIAN else "little"
        repeated = _decode_repeated(_pick(values, _REPEATED_TAGS), order)
        own = {keyword: _decode(values.get(tag, b""), vr, terms) for keyword, tag, vr in _OWN}
        instance = {**repeated, **own, _FILE_META: self._transfer_syntax}
        uids = (
            instance["SOPInstanceUID"],
            instance["SOPClassUID"],
            series_["SeriesInstanceUID"],
            study["StudyInstanceUID"],
        )
        if not all(uids):
            missing = [keyword for keyword, uid in zip(_REQUIRED, uids, strict=True) if not uid]
            raise ObjectInvalid(f"the instance lacks {', '.join(missing)}")
        return Attributes(patient, study, series_, instance, length_bytes)


def read_attributes(path: Path) -> Attributes:
    """Read the head of an instance file as far as the index needs it.

    Raises :class:`ObjectInvalid` where it is no PS3.10 file or lacks one of the UIDs, :class:`OSError` where it cannot
    be read.
    """
    try:
        with path.open("rb") as file:
            meta = read_file_meta(file)
            values = IndexedValues(meta.transfer_syntax_uid)
            read_values(read_chunks(file, meta.data_set_offset, _CHUNK_BYTES), meta.transfer_syntax_uid, values)
            length_bytes = file.seek(0, 2)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path.name} is not a readable PS3.10 file: {error.message}") from None
    try:
        return values.decode(length_bytes)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path.name}: {error.message}") from None


def _pick(values: Mapping[int, bytes], tags: tuple[int, ...]) -> tuple[bytes, ...]:
    """The values of these attributes in their order, empty where one is absent."""
    return tuple(map(values.get, tags, repeat(b"")))


@lru_cache(maxsize=_SERIES_REMEMBERED)
def _decode_shared(raw: tuple[bytes, ...], terms: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    """Patient, study and series: for nearly all instances those of the instance before. Nobody changes them."""
    texts = {
        keyword: _decode(value, _VRS[keyword], terms)[: _MAX_SEARCHED.get(keyword)]
        for (keyword, _), value in zip(_SHARED, raw, strict=True)
    }
    return tuple({keyword: texts[keyword] for keyword in level} for level in _SHARED_LEVELS)


@lru_cache(maxsize=64)
def _decode_repeated(raw: tuple[bytes, ...], order: Literal["big", "little"]) -> dict[str, str]:
    """What instances have in common with those before them. Nobody changes it."""
    return {
        keyword: _decode_number(value, order) if vr == "US" else _decode(value, vr, ())
        for (keyword, _, vr), value in zip(_REPEATED, raw, strict=True)
    }


def _decode_number(value: bytes, order: Literal["big", "little"]) -> str:
    return str(int.from_bytes(value[:2], order)) if value else ""


def _decode(value: bytes, vr: str, terms: tuple[str, ...]) -> str:
    """The value as the data set has it; several values are parted by a backslash."""
    return decode_element_text(value, terms if vr in TEXT_VRS else (), vr)[:_MAX_CHARACTERS].strip()
