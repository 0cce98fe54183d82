"""Attributes of data sets on the command line: keys by their paths, matches out as JSON or cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import isfinite
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.cli.terminal.options import split_key
from openmodality.device.paths import TagPath, format_path, parse_path
from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import values_of
from openmodality.errors import UsageError


def parse_keys(texts: Iterable[str], known: Collection[TagPath] = ()) -> dict[TagPath, str]:
    """The values by path.

    Raises :class:`UsageError` where PS3.6 has no such name.

    A name without its sequences stands for the one of the ``known`` paths that ends in it: ``Modality`` of a worklist
    is that of the scheduled procedure step.
    """
    values = {}
    for text in texts:
        name, value = split_key(text)
        try:
            path = parse_path(name.replace("(", "").replace(")", ""))
        except ValueError as error:
            raise UsageError(f"--key {name}: {error}", advice="write it as Keyword=value") from error
        values[_place(path, known)] = value
    return values


def _place(path: TagPath, known: Collection[TagPath]) -> TagPath:
    if len(path) > 1 or path in known:
        return path
    return next((place for place in known if place[-1] == path[0]), path)


def as_json(data_set: Dataset) -> dict[str, Any]:
    """Values by keyword, by tag where there is none; several values and sequences as lists, empty ones as ``null``."""
    return {keyword_of(element.tag) or format_path((element.tag,)): _json(element) for element in data_set}


def _json(element: DataElement) -> Any:
    if element.VR == "SQ":
        return [as_json(item) for item in element.value]
    values = [_format_plain(value) for value in values_of(element)]
    return values if len(values) > 1 else values[0] if values else None


def _format_plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)  # JSON has no such numbers
    return int(value) if isinstance(value, int) else str(value)


def cell(data_set: Dataset, path: Sequence[int]) -> str:
    """One attribute for a table, several values with commas between; empty where it is absent."""
    place: Dataset | None = data_set
    for tag in path[:-1]:
        found = place.get(tag) if place is not None else None
        place = found.value[0] if found is not None and found.VR == "SQ" and found.value else None
    element = place.get(path[-1]) if place is not None else None
    if element is None or element.VR == "SQ":
        return ""
    return ", ".join(str(_format_plain(value)) for value in values_of(element))
