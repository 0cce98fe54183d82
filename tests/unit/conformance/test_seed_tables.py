"""Every table of the two conformance statements against the printed statement of the device, row by row, both ways.

A row that the printed statement lacks must stand in :data:`MISSING`; a row that it has more must be named by
``beyond_statement.csv`` of the profile. Names that fit nothing any more fail as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from openmodality.conformance.as_json import statement_as_json
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import escape, write_markdown
from tests.seed_tables import SCOPES, TABLES, Row, compare, list_types, read_seed
from tests.statements import make_profile_statement

NAMES = (*TABLES, "rf/rdsr_content")

MISSING = {
    "mr/statuses:A700 C-MOVE Failure": "A701 and A702 in its place (DECISIONS MR 8)",
    "mr/security:integrity failure A-ABORT": "aborted, but the peer gets TLS's alert (docs/limitations.md)",
    "mr/security:abort reason reason-not-specified": "as the row above",
    "rf/statuses:[*] C-STORE storage returned": "worded as if the AE were the sender (DECISIONS R/F 25)",
    "rf/mpps_attributes:0018,A001 ContributingEquipmentSequence *": "its items have values, so it is sent (R/F 14)",
    "rf/iod_modules:0008,1111 * General Series from MWL": "the device makes the step itself; the worklist has none",
    "rf/iod_modules:0040,A372 * from AUTO": "the worklist's procedure code, or no item (DECISIONS R/F 37)",
    "rf/iod_modules:0018,0060 KVP X-Ray Acquisition DS ANAP": "Type 2 in PS3.3: sent empty (DECISIONS, both)",
    "rf/iod_modules:0018,115[01] * X-Ray Acquisition IS ANAP": "Type 2 in PS3.3: sent empty (DECISIONS, both)",
    "rf/iod_modules:0018,151[01] * XA Positioner DS ANAP": "Type 2 in PS3.3: sent empty (DECISIONS, both)",
    "rf/iods:* X-Ray Acquisition ANAP M": "mandatory in PS3.3, so always there (DECISIONS, both)",
    "rf/iods:XA Image Image XA Positioner ANAP M": "mandatory in PS3.3, so always there (DECISIONS, both)",
    "rf/iods:SC Image Study Patient Study Only if *": "ANAP, with the condition in a column of its own",
    "rf/iods:Dose SR Study Patient Study EMPTY U": "ANAP, by behaviour.rdsr_patient_study (ADR 50)",
    "rf/attribute_mapping:PerformedProtocolCodeSequence mpps *": "no attribute of the worklist (DECISIONS R/F 14-16)",
    "rf/attribute_mapping:ReferringPhysicianName mpps *": "no attribute of MPPS in Table 4.2-39 (DECISIONS R/F 18-20)",
    "rf/attribute_mapping:ScheduledProcedureStepID mpps PerformedProcedureStepID": "made here, as Table 4.2-39 says",
    "rf/config_parameters:storage_commitment.release_delay_s no 0": "the unit, which is not printed, is s",
    "rf/config_parameters:worklist.max_items yes 47": "no range is printed; 1 to 9999 can be set",
    "rf/rdsr_content:HAS PROPERTIES UIDREF 113701 113705 110180": "the scope names the step (DECISIONS R/F 40)",
}
"""Rows of the statements that the devices do not have so, each with the reason."""

LOOSER = {
    ("common", "0008,0005"): "Type 1C in PS3.3: absent in the default repertoire",
    ("KO", "0040,A043>0008,0105"): "Type 1C in PS3.3: only with a Context Identifier, which the title has not",
    **dict.fromkeys(
        (("EnhancedMR", f"0018,{element}") for element in (9006, 9042, 9049, 9112, 9114, 9115, 9119, 9125)),
        "Type 1C in PS3.3 A.36.2.4: a derived image says nothing of how it was acquired",
    ),
}
"""Attributes of MR objects whose type is less strict than the statement prints."""


@cache
def stated(profile: str) -> dict[str, Any]:
    return statement_as_json(make_profile_statement(profile))


@cache
def lines_by_cell(profile: str, layout: str) -> dict[str, list[str]]:
    """The lines of the tables of a document by what stands in their cells; all of them under the empty text."""
    text = write_markdown(arrange_document(make_profile_statement(profile), layout))
    found: dict[str, list[str]] = {"": []}
    for line in text.splitlines():
        if line.startswith("| "):
            for cell in {"", *line.strip("| ").split(" | ")}:
                found.setdefault(cell, []).append(line)
    return found


def as_texts(table: str, rows: Iterable[Row]) -> list[str]:
    return sorted(f"{table}:{' '.join(filter(None, row))}" for row in rows)


def fits(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def patterns_of(profile: str) -> list[str]:
    return [each for row in stated(profile)["beyond_statement"] for each in row["concerns"]]


@pytest.mark.parametrize("table", NAMES)
def test_each_row_of_the_statement_is_printed(table: str) -> None:
    seed, printed = compare(table, stated(table[:2]))
    assert [text for text in as_texts(table, seed - printed) if not fits(text, MISSING)] == []


@pytest.mark.parametrize("table", NAMES)
def test_nothing_is_printed_beyond_the_statement_but_what_is_named(table: str) -> None:
    seed, printed = compare(table, stated(table[:2]))
    assert [text for text in as_texts(table, printed - seed) if not fits(text, patterns_of(table[:2]))] == []


def test_each_named_difference_is_one() -> None:
    missing, more = [], []
    for table in NAMES:
        seed, printed = compare(table, stated(table[:2]))
        missing += as_texts(table, seed - printed)
        more += as_texts(table, printed - seed)
    assert [pattern for pattern in MISSING if not any(fnmatchcase(text, pattern) for text in missing)] == []
    named = [*patterns_of("mr"), *patterns_of("rf")]
    assert [pattern for pattern in named if not any(fnmatchcase(text, pattern) for text in more)] == []


def test_the_tables_have_as_many_rows_as_the_statements() -> None:
    assert sum(len(read_seed(f"{table}.csv")) for table in NAMES) >= 1900


STRICTNESS = {"1": 0, "1C": 1, "2": 2, "2C": 3, "3": 4}


def find_looser_types() -> dict[tuple[str, str], str]:
    """Attributes that no object of their scope has with the printed type or a stricter one."""
    types = list_types(stated("mr"))
    found = {}
    for row in read_seed("mr/iod_modules.csv"):
        scope, path = row["iod_scope"], row["path"]
        names = [SCOPES[scope]] if scope in SCOPES else sorted({name for name, _ in types})
        ours = {kind for name in names for kind in types.get((name, path), ())}
        if path and not any(STRICTNESS[kind] <= STRICTNESS[row["type"]] for kind in ours):
            found[scope, path] = f"{row['type']}, and {sorted(ours)} here"
    return found


def test_types_of_mr_objects_are_those_of_the_statement_or_stricter() -> None:
    """Type 1 and 2 of PS3.3 hold where the statement prints something looser (DECISIONS, both)."""
    assert {place: why for place, why in find_looser_types().items() if place not in LOOSER} == {}


def test_values_of_print_attributes() -> None:
    """Each value that the R/F statement prints for an attribute of a film is one that the device has."""
    ours = {(row["sop_class"], row["path"]): row for row in stated("rf")["print_attributes"]}
    for row in read_seed("rf/print_attributes.csv"):
        printed = ours[row["sop_class"], row["path"]]
        if printed["value_rule"] == "range":
            assert " .. ".join(printed["values"]) == row["values"]
        elif printed["value_rule"]:
            assert [value for value in printed["values"] if value not in row["values"]] == []


SHOWN = {
    "mr/presentation_contexts": (0, 1, 2), "rf/presentation_contexts": (0, 1, 2, 4), "rf/iod_modules": (0, 1),
    "mr/query_keys": (0, 1, 3, 4), "rf/query_keys": (0, 1, 2), "mr/worklist_keys": (0, 1), "rf/worklist_keys": (0, 1),
    "mr/statuses": (0, 1, 2), "rf/statuses": (1,), "rf/association_rejections": (3,), "mr/print_attributes": (2, 3),
    "rf/print_attributes": (0, 1, 2, 3, 4), "mr/mpps_attributes": (0, 1), "rf/mpps_attributes": (0, 1),
    "mr/iod_modules": (0, 1), "rf/iods": (1, 2, 3, 4), "mr/private_dictionary": (0, 1, 2),
    "rf/attribute_mapping": (0, 2), "rf/charsets": (0,), "mr/charsets": (0,), "rf/charset_attributes": (0, 1, 2),
    "mr/body_parts": (0,), "rf/body_parts": (0,), "mr/media_profiles": (0, 1, 2, 3), "rf/media": (0, 1, 2, 3),
    "mr/config_parameters": (0,), "rf/config_parameters": (0, 2, 3, 4), "rf/ae_titles": (0, 1),
}  # fmt: skip
"""The parts of a row that a line of the document shows as they are."""


@pytest.mark.parametrize("layout", ["annex-n", "mr", "rf"])
@pytest.mark.parametrize("table", SHOWN)
def test_each_row_is_a_line_of_the_document(table: str, layout: str) -> None:
    seed, printed = compare(table, stated(table[:2]))
    lines = lines_by_cell(table[:2], layout)
    for row in seed & printed:
        parts = [escape(_as_printed(table, row[place])) for place in SHOWN[table]]
        near = next((lines[part] for part in parts if part in lines), [])
        assert any(all(part in line for part in parts) for line in (*near, *lines[""])), row


def _as_printed(table: str, part: str) -> str:
    if table == "rf/config_parameters" and part[:1].isdigit():
        return part.replace("-", " to ")
    return part.removeprefix("Basic ") if table == "mr/print_attributes" else part
