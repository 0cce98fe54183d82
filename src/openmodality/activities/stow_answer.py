"""Reads the answer of a server to one request: the result of each instance (STOW-RS, PS3.18 10.5.3 and I.2)."""

from __future__ import annotations

import json
from typing import Any

from openmodality.standard.dimse import Status
from openmodality.value_class import dataclass

_REFERENCED, _FAILED = "00081199", "00081198"
_UID, _WARNING, _FAILURE = "00081155", "00081196", "00081197"


@dataclass(frozen=True, slots=True)
class StowResult:
    """What an answer says of one instance: ``status`` is a warning or a failure of C-STORE, 0 for success."""

    is_stored: bool
    status: int


def read_stow_answer(body: bytes) -> dict[str, StowResult]:
    """The result of each instance by its UID; empty where the answer cannot be read (PS3.18 I.2)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(document, list):  # some servers answer with a list of one
        document = document[0] if document else {}
    found: dict[str, StowResult] = {}
    for item in _list_items(document, _REFERENCED):
        found[_read_first(item, _UID, str)] = StowResult(True, _read_first(item, _WARNING, int))
    for item in _list_items(document, _FAILED):  # who is in both lists has failed
        failure = _read_first(item, _FAILURE, int) or Status.PROCESSING_FAILURE
        found[_read_first(item, _UID, str)] = StowResult(False, failure)
    return found


def _list_items(document: Any, tag: str) -> list[dict[str, Any]]:
    element = document.get(tag) if isinstance(document, dict) else None
    values = element.get("Value") if isinstance(element, dict) else None
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


def _read_first(item: dict[str, Any], tag: str, kind: type) -> Any:
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    value = values[0] if isinstance(values, list) and values else None
    return value if isinstance(value, kind) and not isinstance(value, bool) else kind()
