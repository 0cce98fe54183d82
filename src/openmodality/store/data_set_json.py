"""Data sets as the database keeps them: the DICOM JSON model (PS3.18 Annex F)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydicom import Dataset

from openmodality.store.listing.reader import Json


def to_json(data_set: Dataset) -> Json:
    """A data set as the database keeps it; elements that no JSON can hold are left out."""
    return dict(data_set.to_json_dict(suppress_invalid_tags=True))


def from_json(value: Mapping[str, Any]) -> Dataset:
    """A data set that was kept."""
    return Dataset.from_json(dict(value))
