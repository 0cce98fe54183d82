"""Modules of the product without a test file of their name: ``tests/unit/<same folders>/test_<module>.py``.

A test over a socket or of a whole device stands in ``tests/integration`` under the same folders. A module in which no
function does anything (tables, values, protocols) needs none. ``tested_elsewhere.txt`` names the test of a module that
has one under another name, one line each: the module, the test and the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.module_graph import read_modules

PRODUCT = "openmodality"
ELSEWHERE = "tools/tested_elsewhere.txt"
SUITES = ("unit", "integration")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def has_behaviour(tree: ast.Module) -> bool:
    """Whether a module has a function whose body is more than a docstring or ``...``."""
    return any(isinstance(node, _Function) and not _is_declaration(node) for node in ast.walk(tree))


def _is_declaration(function: _Function) -> bool:
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body)


def expected_tests(name: str) -> list[str]:
    """List where the test of a module may stand, relative to the project's folder."""
    _, *folders, module = name.split(".")
    return ["/".join(["tests", suite, *folders, f"test_{module}.py"]) for suite in SUITES]


def read_elsewhere(path: Path) -> dict[str, str]:
    """Map the listed modules to their tests."""
    lines = [line.split(maxsplit=2) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return {module: test for module, test, _reason in lines}


def find_violations(source: Path, elsewhere: Mapping[str, str]) -> Iterator[str]:
    """Report modules with behaviour whose test is not where a reader looks for it."""
    for name, module in sorted(read_modules(source / PRODUCT).items()):
        if module.path.name == "__init__.py" or name in elsewhere or _is_mirrored(name, source.parent):
            continue
        if has_behaviour(module.tree):
            yield f"{module.path}: no test has its name: write {expected_tests(name)[0]} or add a line to {ELSEWHERE}"


def _is_mirrored(name: str, root: Path) -> bool:
    return any((root / test).exists() for test in expected_tests(name))


def find_stale(source: Path, elsewhere: Mapping[str, str]) -> Iterator[str]:
    """Report lines of the list that are not true any more."""
    modules = read_modules(source / PRODUCT)
    for name, test in sorted(elsewhere.items()):
        if name not in modules:
            yield f"{ELSEWHERE}: there is no module {name}"
        elif not (source.parent / test).exists():
            yield f"{ELSEWHERE}: {name}: there is no test {test}"
        elif _is_mirrored(name, source.parent):
            yield f"{ELSEWHERE}: {name} has a test of its name"
