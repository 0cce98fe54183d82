"""A statement as JSON: what programs read and two statements are compared by (``docs/conformance.schema.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from openmodality.conformance.device_description import describe_configuration
from openmodality.conformance.evidence import Evidence, evidence_as_json
from openmodality.conformance.model import STATEMENT_VERSION, ConformanceStatement
from openmodality.errors import UsageError

KIND: Final = "OpenModality conformance statement"
"""The member ``kind``, by which a file is known."""

StatementJson = Mapping[str, Any]


def statement_as_json(statement: ConformanceStatement, evidence: Evidence | None = None) -> dict[str, Any]:
    """The members of a statement, ready for ``json.dumps``, with the description of PS3.15 Annex H.

    ``evidence`` is there where it is given: for each sentence its tests.
    """
    return {
        "kind": KIND,
        "schema_version": STATEMENT_VERSION,
        **_convert(statement),
        "device_description": describe_configuration(statement),
        **({} if evidence is None else {"evidence": evidence_as_json(evidence)}),
    }


def write_json(stated: StatementJson) -> str:
    """The text of a JSON file."""
    return json.dumps(stated, indent=1, ensure_ascii=False) + "\n"


def _convert(value: object) -> Any:
    if is_dataclass(value):
        return {each.name: _convert(getattr(value, each.name)) for each in fields(value)}
    return [_convert(each) for each in value] if isinstance(value, tuple) else value


def read_statement_file(file: Path) -> StatementJson:
    """The statement in a JSON file.

    Raises :class:`UsageError` where it cannot be read, is no statement, or is one of another version.
    """
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # JSON, or the bytes of its text
        raise UsageError(f"{file}: is no JSON", advice=_ADVICE) from error
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise UsageError(f"{file}: is no conformance statement", advice=_ADVICE)
    if found.get("schema_version") != STATEMENT_VERSION:
        raise UsageError(
            f"{file}: is a statement of version {found.get('schema_version')!r}; version {STATEMENT_VERSION} is read",
            advice="print both with the same release",
        )
    for each in fields(ConformanceStatement):
        expected = dict if each.name in _OBJECTS else list
        if not isinstance(found.get(each.name), expected):
            raise UsageError(f"{file}: its member {each.name} is missing or is no {expected.__name__}", advice=_ADVICE)
    return found


def make_damage_error(error: Exception) -> UsageError:
    """The error for a statement with rows that cannot be read; ``error`` is what reading one has raised."""
    return UsageError(f"a statement is damaged: a row has not the members it should have ({error})")


_ADVICE: Final = "'openmodality conformance print --format json -o FILE' writes one"
_OBJECTS: Final = frozenset({"device", "association", "character_sets", "security"})
"""The members that are no lists."""
