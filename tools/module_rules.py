"""Rules between the modules of the product: each has a caller that is no test, no import cycles, no twin names."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
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
FOUNDED: frozenset[str] = frozenset()

KEPT_UNUSED = {
    "await_responses": "a request with pending responses, for programs that use the network library alone",
    "answer_in_steps": "runs a service without a thread: the pair of channels in memory that tests join services by",
}
_WORD = re.compile(r"\b[A-Za-z_]\w*")

SHARED_NAMES = {
    "command": "how the command line finds the command in each of its files",
    "run": "what a command does, in the file of that command",
    "log": "the logger of a module",
    "router": "how the console finds the routes of a page, in the file of that page",
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
    own = [module for name, module in modules.items() if not name.startswith(tuple(FOLDERS_RUN_BY_PATH))]
    for module in own:  # what is run by its path has the names that its runner asks for
        for name in _public_names(module.tree):
            places[name].append(str(module.path))
    for name, paths in sorted(places.items()):
        if len(paths) > 1 and name not in SHARED_NAMES:
            yield f"{paths[0]}: {name} is defined in {', '.join(paths[1:])} too; one name has one meaning"


def find_unused_names(modules: Mapping[str, Module]) -> Iterator[str]:
    """Report public names that the product only defines, and names that are excused without need."""
    counts = Counter(word for module in modules.values() for word in _WORD.findall(module.path.read_text("utf-8")))
    for module in modules.values():
        by_path = module.name.startswith(tuple(FOLDERS_RUN_BY_PATH))
        for name in sorted(_public_names(module.tree)) if not by_path else ():
            if counts[name] == 1 and name not in KEPT_UNUSED and not name.endswith("_command"):
                yield f"{module.path}: nothing uses {name}; a test is no caller"
            if counts[name] > 1 and name in KEPT_UNUSED:
                yield f"{module.path}: {name} is used now; take it off KEPT_UNUSED in tools/module_rules.py"


def _public_names(tree: ast.Module) -> set[str]:
    return {name for node in tree.body for name in _defined_names(node) if not name.startswith("_")}


def _defined_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _built(modules: Mapping[str, Module]) -> set[str]:
    """Packages that have more than their own docstring."""
    return {name.rpartition(".")[0] for name in modules}


def find_violations(package: Path) -> Iterator[str]:
    """Report what the modules of a package break, one line each."""
    modules = read_modules(package)
    yield from find_unreached(modules)
    yield from find_import_cycles(modules)
    yield from find_twin_names(modules)
    yield from find_unused_names(modules)
    yield from (f"tools/module_rules.py: {name} is founded no longer" for name in sorted(FOUNDED & _built(modules)))
