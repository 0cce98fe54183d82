"""Attributes of data sets as text, straight from the DICOM JSON that the database keeps (PS3.18 Annex F)."""

from __future__ import annotations

from typing import Any, Final

from openmodality.standard.tags import SCHEDULED_PROCEDURE_STEP_SEQUENCE
from openmodality.standard.vr_groups import NAME_GROUPS
from openmodality.store.listing.reader import Json

_NOTHING: Final = " \0^="


def text_of(item: Json, tag: int) -> str:
    """An attribute of an item, else of its first scheduled step; empty where it is absent or has no value."""
    steps = item.get(_key(SCHEDULED_PROCEDURE_STEP_SEQUENCE), {}).get("Value") or [{}]
    return _text(item, tag) or _text(steps[0], tag)


def _text(item: Json, tag: int) -> str:
    values = item.get(_key(tag), {}).get("Value") or []
    text = "\\".join(map(_format_plain, values))
    return text if text.strip(_NOTHING + "\\") else ""


def _format_plain(value: Any) -> str:
    if isinstance(value, dict):  # a name of a person, by its groups of components (PS3.5 6.2.1)
        return "=".join(value.get(group, "") for group in NAME_GROUPS).rstrip("=")
    return "" if value is None else str(value)


def _key(tag: int) -> str:
    return f"{tag:08X}"
