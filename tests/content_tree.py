"""Finds content items of structured reports in the tests."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset


def find_items(parent: Dataset, code: str) -> list[Dataset]:
    """Content items below ``parent`` with this concept, at any depth."""
    return [item for item in _walk(parent) if item.ConceptNameCodeSequence[0].CodeValue == code]


def _walk(parent: Dataset) -> Iterator[Dataset]:
    for item in parent.get("ContentSequence") or ():
        yield item
        yield from _walk(item)


def read_number(parent: Dataset, code: str) -> tuple[float, str]:
    (item,) = find_items(parent, code)
    measured = item.MeasuredValueSequence[0]
    return float(measured.NumericValue), measured.MeasurementUnitsCodeSequence[0].CodeValue
