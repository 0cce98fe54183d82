"""Writes the tables of mandatory modules and attributes of PS3.3 from those of highdicom (MIT licence).

``python tools/generate_mandatory_attributes.py`` makes ``mandatory_modules.csv`` and ``mandatory_attributes.csv`` in
``src/openmodality/standard``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

NOT_OF_EVERY_INSTANCE: Final = frozenset({"sr-document-content"})
"""What highdicom lists for it depends on the value type of a content item (PS3.3 C.17.3)."""
TARGET: Final = Path(__file__).parents[1] / "src" / "openmodality" / "standard"


@cache
def read_table(name: str) -> Any:
    """A table of highdicom, which it has made from PS3.3."""
    return json.loads((files("highdicom") / "_standard" / f"{name}.json").read_text(encoding="utf-8"))


@cache
def list_modules() -> dict[str, list[str]]:
    """The mandatory modules that have attributes of Type 1 or 2, by SOP Class UID."""
    known, uses = read_table("module_attribute_map"), read_table("iod_module_map")
    return {
        sop_class: [
            module["key"]
            for module in uses[iod]
            if module["usage"] == "M"
            and module["key"] not in NOT_OF_EVERY_INSTANCE
            and list_attributes(known.get(module["key"], ()))
        ]
        for sop_class, iod in sorted(read_table("sop_class_iod_map").items())
    }


def list_attributes(rows: Any) -> list[tuple[str, str]]:
    """Keyword and type of those attributes of a module that are in every instance, outside of sequences."""
    return [(row["keyword"], row["type"]) for row in rows if not row["path"] and row["type"] in ("1", "2")]


def main() -> None:
    """Write both files."""
    by_class, known = list_modules(), read_table("module_attribute_map")
    names = sorted({module for modules in by_class.values() for module in modules})
    attributes = [(module, *each) for module in names for each in list_attributes(known[module])]
    _write("mandatory_modules.csv", ("sop_class_uid", "modules"), [(u, "|".join(m)) for u, m in by_class.items()])
    _write("mandatory_attributes.csv", ("module", "keyword", "type"), attributes)


def _write(name: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


if __name__ == "__main__":
    main()
