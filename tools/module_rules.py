"""Rules between the modules of the product: each has a caller that is no test, no import cycles, no twin names."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.module_graph import Module, find_cycles, find_reached, read_modules

ENTRY_POINTS = {
    "openmodality": "from openmodality import Modality",
    "openmodality.cli.main": "the command openmodality (pyproject.toml)",
    "openmodality.network": "the network library (docs/network.md)",
    "openmodality.device.site.settings_doc": "python -m, writes docs/site-file.md",
    "openmodality.store.migrations.env": "Alembic runs it by its path",
}
FOLDERS_RUN_BY_PATH = {"openmodality.store.migrations.versions": "Alembic runs each file in it by its path"}
# Packages that are founded and whose first module is still to come.
FOUNDED = {"openmodality.console", "openmodality.conformance", "openmodality.media"}

SHARED_NAMES = {
    "command": "how the command line finds the command in each of its files",
    "run": "what a command does, in the file of that command",
    "log": "the logger of a module",
    "list_": "a word of the command line has the function of its name, in the file of its command",
    "show": "as list_",
    "complete": "as list_; in the virtual hospital what it does with a step",
    "studies": "as list_; in the schema the table of its name",
    "series": "as studies",
    "instances": "as studies",
}


def find_unreached(modules: Mapping[str, Module]) -> Iterator[str]:
    """Report modules that nothing but tests would import."""
    by_path = [name for name in modules if name.startswith(tuple(FOLDERS_RUN_BY_PATH))]
    reached = find_reached(modules, [*ENTRY_POINTS, *by_path])
    for name in sorted(modules.keys() - reached - FOUNDED):
        yield f"{modules[name].path}: no entry point of the product uses {name}; a test is no caller"


def find_import_cycles(modules: Mapping[str, Module]) -> Iterator[str]:
    """Report groups of modules that import one another, under ``TYPE_CHECKING`` too."""
    for cycle in find_cycles(modules):
        yield f"{modules[cycle[0]].path}: import cycle of {', '.join(cycle)}"


def find_twin_names(modules: Mapping[str, Module]) -> Iterator[str]:
    """Report public names that two modules define at their top level."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules.values():
        for name in _public_names(module.tree):
            places[name].append(str(module.path))
    for name, paths in sorted(places.items()):
        if len(paths) > 1 and name not in SHARED_NAMES:
            yield f"{paths[0]}: {name} is defined in {', '.join(paths[1:])} too; one name has one meaning"


def _public_names(tree: ast.Module) -> set[str]:
    return {name for node in tree.body for name in _defined_names(node) if not name.startswith("_")}


def _defined_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def find_violations(package: Path) -> Iterator[str]:
    """Report what the modules of a package break, one line each."""
    modules = read_modules(package)
    yield from find_unreached(modules)
    yield from find_import_cycles(modules)
    yield from find_twin_names(modules)
