"""Attributes of data sets on the command line: keys by their paths, matches out as cells.

Dates are shown as ``2026-11-30`` and asked for as ``20261130``: who types what is shown is told so, since a peer that
finds nothing looks the same as one that has nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.app.records.data_sets import format_plain
from openmodality.cli.terminal.options import split_key
from openmodality.cli.terminal.output import say
from openmodality.device.paths import TagPath, parse_path
from openmodality.dimse.attribute_names import vr_of
from openmodality.dimse.reading import intern_tag, values_of
from openmodality.errors import UsageError
from openmodality.query.key_forms import describe_odd_key


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


def say_odd_keys(texts: Iterable[str]) -> None:
    """A line on stderr for each key that is a date or a time in other words than DICOM's. It is asked for all the same.

    A name that nobody knows is passed over: whoever reads the key refuses it.
    """
    for text in texts:
        name, value = split_key(text)
        try:
            path = parse_path(name.replace("(", "").replace(")", ""))
        except ValueError:
            continue
        if told := describe_odd_key(vr_of(path[-1]), value):
            say(f"--key {name}: {told}; with another form nothing is found")


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
    return format_element(place.get(intern_tag(path[-1])) if place is not None else None)


def format_element(element: DataElement | None) -> str:
    """An element for a table; empty where there is none."""
    if element is None or element.VR == "SQ":
        return ""
    if isinstance(element.value, str):  # as most are
        return str(element.value)
    return ", ".join(str(format_plain(value)) for value in values_of(element))
