"""Attributes of data sets on the command line: keys by their paths, matches out as cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pydicom import Dataset

from openmodality.app.records.data_sets import format_plain
from openmodality.cli.terminal.options import split_key
from openmodality.device.paths import TagPath, parse_path
from openmodality.dimse.reading import intern_tag, values_of
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


def cell(data_set: Dataset, path: Sequence[int]) -> str:
    """One attribute for a table, several values with commas between; empty where it is absent."""
    place: Dataset | None = data_set
    for tag in path[:-1]:
        found = place.get(intern_tag(tag)) if place is not None else None
        place = found.value[0] if found is not None and found.VR == "SQ" and found.value else None
    element = place.get(intern_tag(path[-1])) if place is not None else None
    if element is None or element.VR == "SQ":
        return ""
    if isinstance(element.value, str):  # as most are
        return str(element.value)
    return ", ".join(str(format_plain(value)) for value in values_of(element))
