"""The modules of a package and which of them import which, read from their source without running it.

Every import counts: those inside functions, which are there for start-up time, and those under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Module:
    """A module with its dotted name, its file and its parsed source."""

    name: str
    path: Path
    tree: ast.Module


def read_modules(package: Path) -> dict[str, Module]:
    """Parse all modules of a package folder, by dotted name; a folder's ``__init__`` has the name of the folder."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return modules


def find_imports(module: Module, known: Mapping[str, Module]) -> set[str]:
    """Name the modules of the package that a module imports, itself excepted."""
    return {name for node in ast.walk(module.tree) for name in _imported(node, known)} - {module.name}


def find_named(module: Module, known: Mapping[str, Module]) -> set[str]:
    """Name the modules that stand in a module as strings: the command line imports its commands by name."""
    strings = {node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant)}
    return known.keys() & strings


def _imported(node: ast.AST, known: Mapping[str, Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom) and node.module:
        inner = {f"{node.module}.{alias.name}" for alias in node.names}
        yield from inner & known.keys()
        if node.module in known and not inner <= known.keys():
            yield node.module


def find_reached(modules: Mapping[str, Module], entry_points: Iterable[str]) -> set[str]:
    """Name all modules that the entry points use, directly or through others; importing ``a.b`` runs ``a`` too."""
    waiting, reached = list(entry_points), set[str]()
    while waiting:
        name = waiting.pop()
        if name in modules and name not in reached:
            reached.add(name)
            module = modules[name]
            waiting += [*find_imports(module, modules), *find_named(module, modules), name.rpartition(".")[0]]
    return reached


def find_cycles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Group modules that import one another, directly or through others; each group sorted."""
    graph = {name: find_imports(module, modules) for name, module in modules.items()}
    reaches = {name: _reach(graph, name) for name in graph}
    groups = {
        tuple(sorted({name} | {other for other in reaches[name] if name in reaches[other]}))
        for name in graph
        if name in reaches[name]
    }
    return [list(group) for group in sorted(groups)]


def _reach(graph: Mapping[str, set[str]], start: str) -> set[str]:
    waiting, reached = list(graph[start]), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += graph[name]
    return reached
