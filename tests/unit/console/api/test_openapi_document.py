"""The API as it describes itself: the committed copy, and that it is whole."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rest_client import DOCUMENT
from tools.openapi_page import PAGE, make_page


def test_the_committed_copy_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_page(), "run make docs"


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    identifiers = []
    for path, operations in DOCUMENT["paths"].items():
        for verb, operation in operations.items():
            where = f"{verb} {path}"
            identifiers.append(operation["operationId"])
            assert operation["summary"], where
            assert operation["description"], where
            if path.startswith("/api/"):
                assert {"401", "403", "422"} <= set(operation["responses"]), where
    assert len(identifiers) == len(set(identifiers))


def test_every_reference_leads_somewhere() -> None:
    references = set(list_references(DOCUMENT))
    assert references
    assert {each for each in references if not find_target(each)} == set()


def list_references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from list_references(each)


def find_target(reference: str) -> object:
    """What a reference within the document leads to; ``None`` where that is nothing."""
    found: object = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def test_every_post_of_the_api_may_have_an_idempotency_key() -> None:
    exempt = {"/api/v1/films/preview", "/api/v1/peers/{name}/query", "/api/v1/printers/{name}/ask"}
    for path, operations in DOCUMENT["paths"].items():
        if "post" in operations and path not in exempt:
            names = {each["name"] for each in operations["post"].get("parameters", ())}
            assert "Idempotency-Key" in names, path
