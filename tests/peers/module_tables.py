"""PS3.3 as highdicom has it: what the mandatory modules of an object require of a data set. Not our own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom import Dataset

_BY_VALUE_TYPE = "sr-document-content"
"""A module whose attributes depend on the value type of each content item, which its table does not say."""
_OF_MACROS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""Sequences whose items have some of the macros of a table, each in one of the two; what is in them is looked at."""


def list_faults(data_set: Dataset, *, besides: Iterable[str] = ()) -> list[str]:
    """What Types 1 and 2 of the mandatory modules, and of those in ``besides``, ask for and the data set lacks."""
    modules = get_iod_module_map()[get_sop_class_iod_map()[str(data_set.SOPClassUID)]]
    asked = [module["key"] for module in modules if module["usage"] == "M" and module["key"] != _BY_VALUE_TYPE]
    return [
        f"{name}: {fault}"
        for name in (*asked, *besides)
        for fault in _list_in(data_set, [], get_module_attribute_map()[name])
    ]


def _list_in(data_set: Dataset, path: list[str], attributes: list[dict[str, Any]]) -> Iterator[str]:
    for attribute in (each for each in attributes if each["path"] == path):
        keyword, kind = attribute["keyword"], attribute["type"]
        where = ">".join([*path, keyword])
        if keyword not in data_set:
            if kind in ("1", "2") and not (path and path[-1] in _OF_MACROS):
                yield f"{where} of type {kind} is missing"
            continue
        element = data_set[keyword]
        if element.VR == "SQ":
            if kind == "1" and not element.value:
                yield f"{where} of type 1 has no item"
            for item in element.value:
                yield from _list_in(item, [*path, keyword], attributes)
        elif kind in ("1", "1C") and element.is_empty:
            yield f"{where} of type {kind} is empty"
