"""Reads attributes of worklist items as they come: absent, empty, unreadable, too long.

Nothing here raises for what a peer sent, and no text says a value, because that may be patient data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue

from openmodality.device.paths import is_private, keyword_of, name_of, parse_path, vr_of
from openmodality.encoding.uid import is_valid_uid

MAXIMUM_CHARACTERS: Final[Mapping[str, int]] = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240, "CS": 16, "AE": 16}
"""Longest value of a VR, in characters (PS3.5 Table 6.2-1); PN has 64 for each component group."""

_NAME_CHARACTERS: Final = 64
_STEPS: Final = parse_path("ScheduledProcedureStepSequence")[0]
_NEEDED: Final = tuple(parse_path(keyword)[0] for keyword in ("PatientName", "PatientID", "StudyInstanceUID"))
_STEP_NEEDED: Final = (parse_path("ScheduledProcedureStepID")[0],)

# What pydicom raises where a value does not follow its VR or its character set.
_UNREADABLE: Final = (
    BytesLengthException,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    LookupError,
    NotImplementedError,
    struct.error,
)


def element(dataset: Dataset, tag: int) -> DataElement | None:
    """The element, decoded; None where it is absent. Raises ValueError where it cannot be decoded."""
    if tag not in dataset:
        return None
    try:
        return dataset[tag]
    except _UNREADABLE as error:
        raise ValueError(f"{name_of(tag)} cannot be read") from error


def element_with_value(dataset: Dataset, tag: int) -> DataElement | None:
    """The element where it has a value; None where it is absent, empty or unreadable, or has only empty items."""
    try:
        found = element(dataset, tag)
    except ValueError:
        return None
    return found if found is not None and _has_value(found) else None


def _has_value(found: DataElement) -> bool:
    if found.VR == "SQ":
        return any(any(element_with_value(item, tag) for tag in list(item.keys())) for item in found.value)
    values = found.value if isinstance(found.value, MultiValue) else [found.value]
    return any(value is not None and str(value).strip(" \0^=") != "" for value in values)


def sequence_items(dataset: Dataset, tag: int) -> Sequence[Dataset]:
    """The items of a sequence; none where it is absent, empty or no sequence."""
    try:
        found = element(dataset, tag)
    except ValueError:
        return ()
    return tuple(found.value) if found is not None and found.VR == "SQ" else ()


def is_identifier(tag: int) -> bool:
    """Whether the attribute identifies something, so that a changed value would name something else."""
    keyword = keyword_of(tag)
    return "Number" in keyword or keyword.endswith(("ID", "IDs", "UID", "Locator", "Value", "Designator"))


def item_problems(item: Dataset) -> tuple[str, ...]:
    """What is wrong with a worklist item, one text each, by attribute; empty where it can be used as it is."""
    return (*_missing(item), *_defects(item))


def _missing(item: Dataset) -> Iterator[str]:
    for tag in _NEEDED:
        if element_with_value(item, tag) is None:
            yield f"{name_of(tag)} has no value"
    steps = sequence_items(item, _STEPS)
    if not steps:
        yield f"{name_of(_STEPS)} has no item"
    for step in steps:
        for tag in _STEP_NEEDED:
            if element_with_value(step, tag) is None:
                yield f"{name_of(tag)} has no value"


def _defects(dataset: Dataset) -> Iterator[str]:
    for tag in sorted(map(int, dataset.keys())):
        try:
            found = element(dataset, tag)
        except ValueError as error:
            yield str(error)
            continue
        if found is None or is_private(tag):
            continue
        if found.VR == "SQ":
            for inner in found.value:
                yield from _defects(inner)
        elif vr_of(tag) and (problem := _defect(found)):
            yield f"{name_of(tag)} {problem}"


def _defect(found: DataElement) -> str:
    values = found.value if isinstance(found.value, MultiValue) else [found.value]
    texts = [str(value) for value in values if value is not None]
    if found.VR == "UI":
        return "is no UID" if any(text and not is_valid_uid(text, strict=False) for text in texts) else ""
    if found.VR == "PN":
        groups = [group for text in texts for group in text.split("=")]
        return f"is longer than {_NAME_CHARACTERS} characters" if any(len(g) > _NAME_CHARACTERS for g in groups) else ""
    limit = MAXIMUM_CHARACTERS.get(found.VR)
    return f"is longer than {limit} characters" if limit and any(len(text) > limit for text in texts) else ""
