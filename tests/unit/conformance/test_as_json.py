"""The JSON of a statement: whole, described by its schema, and read back with what is wrong in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openmodality.conformance.as_json import KIND, read_statement_file, statement_as_json
from openmodality.errors import UsageError
from tests.statements import make_profile_statement
from tools.conformance_pages import SCHEMA


def stated(profile: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(statement_as_json(make_profile_statement(profile))))
    return made


def find_faults(value: object, schema: dict[str, Any], where: str = "") -> list[str]:
    """What is not as the schema says: the part of JSON Schema that ours uses."""
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r}"]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{where}: {value!r}"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is_kind(value, kind) for kind in kinds):
        return [f"{where}: {value!r} is no {kinds}"]
    if isinstance(value, list):
        return [
            fault
            for place, each in enumerate(value)
            for fault in find_faults(each, schema["items"], f"{where}[{place}]")
        ]
    if isinstance(value, dict) and "properties" in schema:
        missing = [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        unknown = [f"{where}.{name} is unknown" for name in value if name not in schema["properties"]]
        known = schema["properties"]
        return (
            missing
            + unknown
            + [f for n, v in value.items() if n in known for f in find_faults(v, known[n], f"{where}.{n}")]
        )
    return []


def _is_kind(value: object, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int | float if kind == "number" else int) and not isinstance(value, bool)
    kinds = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, kinds[kind])


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_json_is_as_the_schema_says(profile: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert find_faults(stated(profile), schema) == []
    assert find_faults({**stated(profile), "statuses": [{}]}, schema) != []


def test_the_device_description_names_aes_and_connections() -> None:
    """PS3.15 H.1.3: each AE with its capabilities, each that listens with its connection."""
    found = stated("rf")["device_description"]
    assert found["objectClass"] == "dicomDevice"
    assert found["dicomPrimaryDeviceType"] == ["RF", "XA", "CR", "OT", "SR"]
    connections = {each["cn"]: each["dicomPort"] for each in found["dicomNetworkConnection"]}
    assert connections == {"storage_commitment": 11104, "storage_scp": 11105}
    entities = {each["dicomDescription"]: each for each in found["dicomNetworkAE"]}
    commitment = entities["storage_commitment"]
    assert (commitment["dicomAssociationInitiator"], commitment["dicomAssociationAcceptor"]) == (True, True)
    assert commitment["dicomNetworkConnectionReference"] == ["storage_commitment"]
    roles = {(each["dicomSOPClass"], each["dicomTransferRole"]) for each in commitment["dicomTransferCapability"]}
    assert roles == {("1.2.840.10008.1.20.1", "SCU"), ("1.2.840.10008.1.1", "SCP")}
    assert entities["storage_scp"]["dicomAssociationInitiator"] is False


WHOLE = {"kind": KIND, "schema_version": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no conformance statement"),
        (b'{"kind": "other"}', "is no conformance statement"),
        (json.dumps({**WHOLE, "schema_version": 2}).encode(), "is a statement of version 2; version 1 is read"),
        (json.dumps(WHOLE).encode(), "its member device is missing or is no dict"),
    ],
)
def test_what_is_no_statement_is_refused_in_a_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.json: ") as caught:
        read_statement_file(file)
    assert message in caught.value.message
    assert "\n" not in str(caught.value)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(stated("mr")), encoding="utf-8")
    assert read_statement_file(file) == stated("mr")
