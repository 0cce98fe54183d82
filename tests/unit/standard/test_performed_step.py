"""The types of a performed procedure step against a second source."""

import csv
from pathlib import Path

from openmodality.standard.performed_step import NOT_ALLOWED, PERFORMED_STEP_RULES

ROWS = Path(__file__).parents[2] / "data" / "spec" / "mr" / "mpps_attributes.csv"


def tags(path: str) -> tuple[int, ...]:
    return tuple(int(tag.replace(",", ""), 16) for tag in path.split(">"))


def plain(printed: str) -> str:
    """Every condition in the table is that the item is there, which the rules take for granted."""
    return NOT_ALLOWED if printed == "Not allowed" else printed.rstrip("C")


def test_types_are_those_of_the_statement() -> None:
    with ROWS.open(encoding="utf-8", newline="") as file:
        printed = [
            (tags(row["path"]), plain(row["ncreate_scu"]), plain(row["nset_scu"]), row["final_state"])
            for row in csv.DictReader(file)
        ]
    assert sorted(printed) == sorted(tuple(rule) for rule in PERFORMED_STEP_RULES)
    assert printed
