"""House rules that no linter knows: the size of functions and modules, and names that say nothing.

A module of facts (tables only, no function longer than a few lines) may be as long as its table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

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


def main(folders: list[str]) -> int:
    """Check all Python files below the folders; exit status 1 where one breaks a rule."""
    found = [line for folder in folders for path in sorted(Path(folder).rglob("*.py")) for line in violations(path)]
    print("\n".join(found) or "House rules kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
