"""Reads attributes of worklist items as they come: absent, empty, unreadable, too long.

Nothing here raises for what a peer sent; :func:`openmodality.services.worklist.find_defects` says what is wrong with
it.
"""

from __future__ import annotations

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from openmodality.dimse.reading import is_filled, read_element


def find_element_with_value(data_set: Dataset, tag: int) -> DataElement | None:
    """The element where it has a value; None where it is absent, empty or unreadable, or has only empty items."""
    found = read_element(data_set, tag)
    return found if found is not None and is_filled(found) else None
