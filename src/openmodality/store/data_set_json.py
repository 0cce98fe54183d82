"""Data sets as the database keeps them: the DICOM JSON model (PS3.18 Annex F), of clean texts and finite numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydicom import Dataset

from openmodality.standard.text_rules import clean_text
from openmodality.store.listing.reader import Json


def to_json(data_set: Dataset) -> Json:
    """A data set as the database keeps it; elements that no JSON can hold are left out."""
    return _clean_elements(data_set.to_json_dict(suppress_invalid_tags=True))


def from_json(value: Mapping[str, Any]) -> Dataset:
    """A data set that was kept."""
    return Dataset.from_json(dict(value))


def _clean_elements(elements: Mapping[str, Any]) -> Json:
    """The elements without those whose numbers are none: JSON has no word for them, and a database refuses it."""
    return {tag: _clean_value(element) for tag, element in elements.items() if _is_finite(element.get("Value"))}


def _is_finite(values: Any) -> bool:
    return all(math.isfinite(value) for value in values or () if isinstance(value, float))


def _clean_value(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value, lines=True)
        case list():
            return [_clean_elements(each) if _is_item(each) else _clean_value(each) for each in value]
        case dict():
            return {name: _clean_value(each) for name, each in value.items()}
    return value


def _is_item(value: Any) -> bool:
    """Whether a value is an item of a sequence, and not the groups of a name."""
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
