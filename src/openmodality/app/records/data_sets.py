"""The attributes of a data set as JSON values."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.device.paths import format_path
from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import values_of


def data_set_as_json(data_set: Dataset) -> dict[str, Any]:
    """Values by keyword, by tag where there is none; several values and sequences as lists, empty ones as ``null``."""
    return {keyword_of(element.tag) or format_path((element.tag,)): _make_json(element) for element in data_set}


def _make_json(element: DataElement) -> Any:
    if element.VR == "SQ":
        return [data_set_as_json(item) for item in element.value]
    values = [format_plain(value) for value in values_of(element)]
    return values if len(values) > 1 else values[0] if values else None


def format_plain(value: object) -> object:
    """One value of an element: a number as one, bytes in hexadecimal digits, anything else as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)  # JSON has no such numbers
    return int(value) if isinstance(value, int) else str(value)
