"""Reads attributes of worklist items as they come: absent, empty, unreadable, too long.

Nothing here raises for what a peer sent. What is wrong with an item says
:func:`openmodality.services.worklist.find_defects`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import read_element


def find_element_with_value(data_set: Dataset, tag: int) -> DataElement | None:
    """The element where it has a value; None where it is absent, empty or unreadable, or has only empty items."""
    found = read_element(data_set, tag)
    return found if found is not None and _has_value(found) else None


def _has_value(found: DataElement) -> bool:
    if found.VR == "SQ":
        return any(any(find_element_with_value(item, tag) for tag in list(item.keys())) for item in found.value)
    values = found.value if isinstance(found.value, MultiValue) else [found.value]
    return any(value is not None and str(value).strip(" \0^=") != "" for value in values)


def sequence_items(data_set: Dataset, tag: int) -> Sequence[Dataset]:
    """The items of a sequence; none where it is absent, empty or no sequence."""
    found = read_element(data_set, tag)
    return tuple(found.value) if found is not None and found.VR == "SQ" else ()


def is_identifier(tag: int) -> bool:
    """Whether the attribute identifies something, so that a changed value would name something else."""
    keyword = keyword_of(tag)
    return "Number" in keyword or keyword.endswith(("ID", "IDs", "UID", "Locator", "Value", "Designator"))
