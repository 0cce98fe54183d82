"""Every column of a profile's tables has a reader: a table that drives nothing is found.

Two things are looked at, by the syntax tree alone. The reader of a table (``device/profile/row_readers.py``, or where
the table is, ``rows.py``) names each of its columns. And each field of the class that a line becomes is read somewhere
else, in a module that knows this class: that imports it, or asks something of ``openmodality.device`` that gives it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROWS: Final = Path("device/profile/rows.py")
READERS: Final = Path("device/profile/row_readers.py")
LOADING: Final = (ROWS, READERS, Path("device/profile/loader.py"))
BY_ATTRIBUTE: Final = frozenset({"path", "keyword", "vr"})
"""The columns that ``ProfileRow.attribute`` reads."""

BECOMES: Final = {"ModuleAttribute": "AttributeRule", "ModuleUse": "AttributeRule"}
"""Classes whose lines the loader puts together to another class: what that holds too must be read there."""

UNREAD: Final[Mapping[str, str]] = {}
"""Columns without a reader, and what is to come that will read them."""


def find_violations(package: Path) -> Iterator[str]:
    """The columns below a package that nothing reads, one line each; also what is excused without need."""
    found = list(_find_unread(package))
    for place, message in found:
        if place not in UNREAD:
            yield f"{package / ROWS}: {message}"
    for place in sorted(UNREAD.keys() - {place for place, _ in found}):
        yield f"{package / ROWS}: {place} is read now, or is gone; take it off the list in tools/profile_columns.py"


def _find_unread(package: Path) -> Iterator[tuple[str, str]]:
    if not (package / ROWS).is_file():
        return
    rows = ast.parse((package / ROWS).read_text(encoding="utf-8"))
    functions = {name: node for path in (READERS, ROWS) for name, node in _list_functions(package / path)}
    fields: dict[str, set[str]] = {}
    givers: dict[str, set[str]] = {}
    readers: list[_Module] = []
    for path in sorted(package.rglob("*.py")):  # no tree is kept: to look through them for garbage takes longest
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        if path.is_relative_to(package / "device"):
            _note_classes(nodes, fields, givers)
        if path.relative_to(package) not in LOADING:
            readers.append(_Module(nodes))
    for file, columns, reader in _find_tables(rows):
        named = _find_named_columns(functions, reader)
        for column in columns:
            if column not in named:
                yield f"{file} {column}", f"column {column} of {file} is read by nothing"
        returned = functions[reader].returns
        row_class = ast.unparse(returned) if returned else ""
        own = fields.get(row_class, set())
        read = _find_read_fields(readers, row_class, givers)
        if successor := BECOMES.get(row_class):
            read |= _find_read_fields(readers, successor, givers) | (own - fields[successor])
        unread = own - read
        for name in sorted(unread):
            yield f"{file} {name}", f"column {name} of {file} is loaded, and nothing reads {row_class}.{name}"


def _list_functions(path: Path) -> list[tuple[str, ast.FunctionDef]]:
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    return [(node.name, node) for node in body if isinstance(node, ast.FunctionDef)]


def _find_tables(rows: ast.Module) -> Iterator[tuple[str, list[str], str]]:
    """File, columns and name of the reader of each table."""
    for node in ast.walk(rows):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Table":
            file, columns, reader = node.args
            texts = [each.value for each in ast.walk(columns) if isinstance(each, ast.Constant)]
            yield str(ast.literal_eval(file)), ",".join(map(str, texts)).split(","), ast.unparse(reader)


def _find_named_columns(functions: Mapping[str, ast.FunctionDef], reader: str) -> set[str]:
    """The texts in a reader and in the functions of the module that it calls."""
    named: set[str] = set()
    for node in ast.walk(functions[reader]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "attribute":
            named |= BY_ATTRIBUTE
        if isinstance(node, ast.Name) and node.id in functions and node.id != reader:
            named |= _find_named_columns(functions, node.id)
    return named


def _note_classes(nodes: Iterable[ast.AST], fields: dict[str, set[str]], givers: dict[str, set[str]]) -> None:
    """Note the fields of each class of ``device``, and by what of other classes each class is given."""
    for node in (each for each in nodes if isinstance(each, ast.ClassDef)):
        for name, annotation in _find_members(node):
            if not isinstance(annotation, ast.FunctionDef):
                fields.setdefault(node.name, set()).add(name)
            given = annotation.returns if isinstance(annotation, ast.FunctionDef) else annotation
            for each in ast.walk(given) if given else ():
                if isinstance(each, ast.Name):
                    givers.setdefault(each.id, set()).add(name)


def _find_members(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | ast.FunctionDef]]:
    for member in node.body:
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            yield member.target.id, member.annotation
        elif isinstance(member, ast.FunctionDef):
            yield member.name, member


class _Module:
    """What a module names and reads: the classes that it imports or defines, and all attributes that it reads."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                self.attributes.add(node.attr)
            elif isinstance(node, ast.alias | ast.ClassDef):
                self.names.add(node.name)


def _find_read_fields(modules: Sequence[_Module], row_class: str, givers: Mapping[str, set[str]]) -> set[str]:
    """What is read as an attribute in the modules that know a class."""
    given = givers.get(row_class, set())
    knowing = (module for module in modules if row_class in module.names or module.attributes & given)
    return set().union(*(module.attributes for module in knowing))
