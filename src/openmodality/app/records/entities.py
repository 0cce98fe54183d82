"""Studies, series and instances as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openmodality.app.records.values import convert_value
from openmodality.store.index_columns import INSTANCE_ATTRIBUTES, SERIES_ATTRIBUTES
from openmodality.store.listing.entities import Found

COUNTS: Final = ("studies", "series", "instances", "sent", "committed")
"""Attributes of :class:`openmodality.store.listing.entities.Found` that say how many there are below it."""

_VRS: Final = {**SERIES_ATTRIBUTES, **INSTANCE_ATTRIBUTES}
"""Of the levels that have numbers."""


def entity_as_json(each: Found) -> Mapping[str, Any]:
    """A study, series or instance for a program."""
    counts = {name: getattr(each, name) for name in COUNTS}
    lists = {name: list(getattr(each, name)) for name in ("modalities", "devices")}
    return {**attributes_as_json(each.attributes), **counts, **lists}


def attributes_as_json(attributes: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of a study, series or instance for a program, by keyword."""
    return {keyword: convert_value(text, _VRS.get(keyword, "")) for keyword, text in attributes.items()}
