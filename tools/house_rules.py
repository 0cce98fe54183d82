"""House rules that no linter knows: sizes and names here, what holds between modules and words in the files beside.

A module of facts (tables only, no function longer than a few lines) may be as long as its table.
``known_violations.txt`` lists what was there when a rule came: each line is the beginning of a message. It only ever
gets shorter.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools import mirror, module_rules, profile_columns, word_rules

PRODUCT = "openmodality"
KNOWN = Path(__file__).with_name("known_violations.txt")
ELSEWHERE = Path(__file__).with_name("tested_elsewhere.txt")
LONGEST_FUNCTION = 50
LONGEST_MODULE = 500
LONGEST_FUNCTION_OF_FACTS = 10
EMPTY_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def violations(path: Path) -> Iterator[str]:
    """What a Python file breaks, one line each, with the place."""
    text = path.read_text(encoding="utf-8")
    lengths = {node: _length(node) for node in ast.walk(ast.parse(text)) if isinstance(node, _Function)}
    if path.stem in EMPTY_NAMES or path.parent.name in EMPTY_NAMES:
        yield f"{path}: the name says nothing about what is inside"
    for function, length in lengths.items():
        if length > LONGEST_FUNCTION:
            yield f"{path}:{function.lineno}: {function.name} has {length} lines, allowed are {LONGEST_FUNCTION}"
    lines = text.count("\n")
    if lines > LONGEST_MODULE and max(lengths.values(), default=0) > LONGEST_FUNCTION_OF_FACTS:
        yield f"{path}: {lines} lines, allowed are {LONGEST_MODULE} where it is not all facts"


def _length(function: _Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def find_all(folders: list[str]) -> Iterator[str]:
    """Report what breaks a rule below the folders; the product's package has rules of its own."""
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("*.py")):
            yield from violations(path)
        if (folder / PRODUCT).is_dir():
            yield from module_rules.find_violations(folder / PRODUCT)
            yield from word_rules.find_violations(folder / PRODUCT)
            yield from mirror.find_violations(folder, mirror.read_elsewhere(ELSEWHERE))
            yield from mirror.find_stale(folder, mirror.read_elsewhere(ELSEWHERE))
        if (folder / PRODUCT / profile_columns.ROWS).exists():
            yield from profile_columns.find_violations(folder / PRODUCT)


def is_known(line: str, known: Iterable[str]) -> bool:
    """Whether the list of known violations has the message of a line, which stands behind its place."""
    return line.partition(": ")[2].startswith(tuple(known))


def main(folders: list[str]) -> int:
    """Check all Python files below the folders; exit status 1 where one breaks a rule."""
    known = KNOWN.read_text(encoding="utf-8").splitlines() if KNOWN.exists() else []
    found = [line for line in find_all(folders) if not is_known(line, known)]
    print("\n".join(found) or "House rules kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
