"""The printed statements of both devices, ``docs/conformance/mr.md`` and ``rf.md``, and the schema of their JSON.

``python -m tools.conformance_pages`` writes them; a test fails while one is out of date.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from openmodality.conformance.as_json import KIND
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import write_markdown
from openmodality.conformance.model import STATEMENT_VERSION, ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site_loader import load_default_site

DOCS: Final = Path(__file__).parent.parent / "docs"
SCHEMA: Final = DOCS / "conformance.schema.json"
PROFILES: Final = ("mr", "rf")
_PLAIN: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def make_pages() -> Iterator[tuple[Path, str]]:
    """Each generated file with its text."""
    for profile in PROFILES:
        statement = make_statement(load_default_site(profile))
        device = dataclasses.replace(statement.device, software_versions=("as installed",))
        document = arrange_document(dataclasses.replace(statement, device=device))
        yield DOCS / "conformance" / f"{profile}.md", write_markdown(document)
    yield SCHEMA, json.dumps(make_schema(), indent=1) + "\n"


def make_schema() -> dict[str, Any]:
    """The JSON Schema of a statement, from the classes of its model."""
    schema = _describe(ConformanceStatement)
    own = {
        "kind": {"const": KIND},
        "schema_version": {"const": STATEMENT_VERSION},
        "device_description": {
            "type": "object",
            "description": "dicomDevice with the entries below it, by the names of PS3.15 H.1.3",
        },
    }
    evidence = {"type": "object", "description": "with --evidence: the sentences with their tests, as evidence.json"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": KIND,
        **schema,
        "properties": {**own, **schema["properties"], "evidence": evidence},
        "required": [*own, *schema["required"]],
    }


def _describe(kind: Any) -> dict[str, Any]:
    """The schema of a type of the model."""
    if dataclasses.is_dataclass(kind):
        known = get_type_hints(kind)
        hints = {each.name: known[each.name] for each in dataclasses.fields(kind)}
        return {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {name: _describe(hint) for name, hint in hints.items()},
            "required": list(hints),
        }
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _describe(get_args(kind)[0])}
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if get_origin(kind) is UnionType:
        return {"type": [_PLAIN[each] for each in get_args(kind)]}
    return {"type": _PLAIN[kind]}


def write_pages() -> None:
    """Write the files anew."""
    for file, text in make_pages():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
