"""The printed statements of both devices, the schema of their JSON, and what a peer notices since the last release.

``python -m tools.conformance_pages`` writes ``docs/conformance/mr.md``, ``rf.md`` and ``changes.md``; a test fails
while one is out of date. ``--release`` keeps the statements of now as those of the last release (:data:`RELEASED`),
with which ``changes.md`` compares: to be done when a version is released.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from openmodality.conformance.as_json import KIND, read_statement_file, statement_as_json
from openmodality.conformance.comparing import find_differences
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import escape, write_markdown
from openmodality.conformance.model import STATEMENT_VERSION, ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site_loader import load_default_site

DOCS: Final = Path(__file__).parent.parent / "docs"
SCHEMA: Final = DOCS / "conformance.schema.json"
RELEASED: Final = DOCS / "conformance" / "released"
"""The JSON of the statements of the last release."""
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
    yield DOCS / "conformance" / "changes.md", "\n".join(list_changes()) + "\n"


def list_changes() -> Iterator[str]:
    """The lines of the page of changes, device by device."""
    yield "# What a peer notices since the last release"
    yield ""
    yield "Made by `make docs`: what `openmodality conformance diff` says of the last release and of now."
    for profile in PROFILES:
        site = load_default_site(profile)
        before = read_statement_file(RELEASED / f"{profile}.json")
        found = find_differences(before, json.loads(json.dumps(statement_as_json(make_statement(site)))))
        yield f"\n## {site.profile.title}\n"
        yield from (f"- {each.area}: {escape(each.text)}" for each in found)
        if not found:
            yield "Nothing."


def keep_release() -> None:
    """Keep the statements of now as those of the last release."""
    RELEASED.mkdir(exist_ok=True)
    for profile in PROFILES:
        stated = statement_as_json(make_statement(load_default_site(profile)))
        text = json.dumps(stated, ensure_ascii=False, separators=(",", ":"))
        (RELEASED / f"{profile}.json").write_text(text.replace('},{"', '},\n{"') + "\n", encoding="utf-8")


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
    if "--release" in sys.argv[1:]:
        keep_release()
    write_pages()
