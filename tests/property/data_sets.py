"""Random data sets for the property tests: pydicom makes them, writes them and reads them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_data_element, write_dataset
from pydicom.sequence import Sequence

from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

FLAGS = {  # implicit VR, little endian
    IMPLICIT_VR_LITTLE_ENDIAN: (True, True),
    EXPLICIT_VR_LITTLE_ENDIAN: (False, True),
    EXPLICIT_VR_BIG_ENDIAN: (False, False),
}
WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}

_letters = st.text("ABCDEFGHIJ 0123456789^.-", max_size=12).map(str.strip)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "AE": _letters,
    "AS": st.sampled_from(["", "030Y"]),
    "AT": st.lists(st.integers(0, 0xFFFFFFFF), max_size=3),
    "CS": st.lists(st.sampled_from(["ORIGINAL", "PRIMARY", "A B"]), max_size=3),
    "DA": st.sampled_from(["", "20260131"]),
    "DS": st.lists(st.sampled_from(["1.5", "-2", "1e3"]), max_size=3),
    "DT": st.sampled_from(["", "20260131120000.5"]),
    "IS": st.lists(st.sampled_from(["1", "-2", "0"]), max_size=3),
    "PN": _letters,
    "TM": st.sampled_from(["", "1200", "120000.123"]),
    "UI": st.sampled_from(["", "1.2.3", "1.2.840.10008.1.1"]),
    "FD": st.lists(st.floats(allow_nan=False), max_size=3),
    "FL": st.lists(st.floats(width=32, allow_nan=False), max_size=3),
    "SL": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
    "SS": st.lists(st.integers(-(2**15), 2**15 - 1), max_size=3),
    "SV": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    "UL": st.lists(st.integers(0, 2**32 - 1), max_size=3),
    "US": st.lists(st.integers(0, 2**16 - 1), max_size=3),
    "UV": st.lists(st.integers(0, 2**64 - 1), max_size=3),
    "OB": st.binary(max_size=20).map(lambda value: value + bytes(len(value) % 2)),
    "UN": st.binary(max_size=20).map(lambda value: value + bytes(len(value) % 2)),
    **{vr: st.lists(st.binary(min_size=n, max_size=n), max_size=5).map(b"".join) for vr, n in WORDS.items()},
    **dict.fromkeys(("LO", "LT", "SH", "ST", "UC", "UR", "UT"), _letters),
}


def _tags_by_vr() -> dict[str, list[int]]:
    tags: dict[str, list[int]] = defaultdict(list)
    for tag, entry in DicomDictionary.items():
        if tag >> 16 not in (0, 2) and tag & 0xFFFF and (entry[0] in _VALUES or entry[0] == "SQ"):
            tags[entry[0]].append(tag)
    # these steer pydicom's own reading: character set, and the choice between US and SS
    tags["CS"].remove(0x00080005)
    tags["US"].remove(0x00280103)
    return tags


_TAGS = _tags_by_vr()
_PRIVATE_TAGS = list(range(0x00091001, 0x00091100))


def _places(vr: str) -> st.SearchStrategy[int]:
    """Tags for an element; one in ten of the private block, and all of those that are of no known VR."""
    standard = _TAGS[vr]
    private = _PRIVATE_TAGS[: max(len(standard) // 9, 1)]
    return st.sampled_from(_PRIVATE_TAGS if vr == "UN" else [*standard, *private])


# A strategy that is made while another one draws is checked anew each time.
_VRS = st.sampled_from([(vr, _places(vr), _VALUES[vr]) for vr in sorted(_VALUES)])
_SEQUENCE_TAGS = st.sampled_from(_TAGS["SQ"])
_BOOLEANS, _SIGNED = st.booleans(), st.integers(0, 1)


@st.composite
def _element(draw: st.DrawFn) -> DataElement:
    vr, places, values = draw(_VRS)
    return DataElement(draw(places), vr, draw(values))


@st.composite
def _sequence(draw: st.DrawFn, items: st.SearchStrategy[list[Dataset]]) -> DataElement:
    element = DataElement(draw(_SEQUENCE_TAGS), "SQ", Sequence(draw(items)))
    element.is_undefined_length = draw(_BOOLEANS)
    return element


@st.composite
def _data_set(draw: st.DrawFn, elements: st.SearchStrategy[list[DataElement]]) -> Dataset:
    data_set = Dataset()
    for element in draw(elements):
        data_set[element.tag] = element
        if element.tag.is_private:
            data_set.add_new(0x00090010, "LO", "SOMEBODY")
    if draw(_BOOLEANS):
        signed = draw(_SIGNED)
        data_set.add_new(0x00280103, "US", signed)
        data_set.add_new(0x00280106, "SS" if signed else "US", -5 if signed else 65000)
    data_set.is_undefined_length_sequence_item = draw(_BOOLEANS)
    return data_set


@cache
def data_sets() -> st.SearchStrategy[Dataset]:
    """Data sets of all VRs, with nested and empty sequences, defined and undefined lengths, and private blocks."""
    items = _data_set(st.lists(_element(), max_size=6))
    for _ in range(2):
        sequences = _sequence(st.lists(items, max_size=3))
        items = _data_set(st.lists(_element() | sequences, max_size=6))
    return items


def encode(data_set: Dataset, transfer_syntax: str) -> bytes:
    """The data set as pydicom writes it."""
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = FLAGS[transfer_syntax]
    write_dataset(file, data_set)
    return file.getvalue()


def decode(data: bytes, transfer_syntax: str) -> Dataset:
    """The data set as pydicom reads it."""
    return read_dataset(BytesIO(data), *FLAGS[transfer_syntax])


Flat = tuple[str, str, bytes]


def flat(data: bytes, transfer_syntax: str) -> list[Flat]:
    """Path, VR and Little Endian value bytes of each element that pydicom finds; empty values come without VR."""
    return list(_flatten(decode(data, transfer_syntax), "", transfer_syntax))


def _flatten(data_set: Dataset, path: str, transfer_syntax: str) -> Iterator[Flat]:
    big_endian = transfer_syntax == EXPLICIT_VR_BIG_ENDIAN
    for tag in sorted(data_set.keys()):
        element = data_set[tag]
        here = f"{path}/{int(tag):08X}"
        if element.VR == "SQ":
            yield here, "SQ", len(element.value).to_bytes(4, "little")
            for number, item in enumerate(element.value):
                yield from _flatten(item, f"{here}[{number}]", transfer_syntax)
            continue
        value = _little_endian(element)
        if big_endian and element.VR in WORDS:
            value = swapped(value, WORDS[element.VR])
        yield here, element.VR, value


def _little_endian(element: DataElement | RawDataElement) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = True, True
    write_data_element(file, element)
    return file.getvalue()[8:]


def swapped(value: bytes, width: int) -> bytes:
    """The words of a value turned round, one by one."""
    return b"".join(value[i : i + width][::-1] for i in range(0, len(value), width))


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    """``data`` in pieces, cut at ``cuts`` (taken modulo its length)."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(edges)]


cut_lists = st.lists(st.integers(0, 2000), max_size=12)
