"""The mutants of a module: each is one small change that a test should notice.

A mutant is known by where it stands in the code and not by its line, so that it stays the same one while the lines
above it come and go. Left alone are what only a person reads (docstrings, texts with a space in them, f-strings),
annotations, decorators and what stands under ``TYPE_CHECKING``: no test of behaviour can notice them.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from copy import copy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Mod: ast.Mult,
}  # fmt: skip
_TYPES_ONLY: Final = {"cast", "TypeVar", "NewType", "Literal"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """The change of the bytes from ``start`` to ``end`` of a file; ``lines`` are those that a covering test runs.

    ``tests`` are run instead where they are named.
    """

    key: str
    file: str
    scope: str
    operator: str
    lines: range
    start: int
    end: int
    before: str
    after: str
    tests: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.file}:{self.lines[-1]} {self.scope}: {_shorten(self.before)} -> {_shorten(self.after)}"

    def apply(self, source: bytes) -> bytes:
        """The source of the file with the change."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def find_mutants(root: Path, file: Path) -> list[Mutant]:
    """All mutants of a file, those too that do not compile."""
    source = file.read_bytes()
    name = file.relative_to(root).as_posix()
    finder = _Finder(name, source)
    finder.visit(ast.parse(source))
    return finder.mutants


def choose(root: Path, mutants: Iterable[Mutant], seed: int, count: int) -> list[Mutant]:
    """As many as are asked for of those that compile; the same seed takes the same ones while other code changes."""
    in_order = sorted(mutants, key=lambda mutant: _digest(f"{seed}:{mutant.key}"))
    return list(
        islice((mutant for mutant in in_order if _compiles(mutant.apply((root / mutant.file).read_bytes()))), count)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shorten(text: str, width: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    """Goes through a module and notes its mutants."""

    def __init__(self, file: str, source: bytes) -> None:
        self.mutants: list[Mutant] = []
        self._file, self._source = file, source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scope: list[str] = []
        self._statement = 1
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._statement = node.lineno
        for operator, after in _changes(node):
            self._note(node, operator, after)
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """The defaults of the parameters and the body; no annotation and no decorator."""
        self._scope.append(node.name)
        for part in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(part)
        self._scope.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.append(node.name)
        for part in node.body:
            self.visit(part)
        self._scope.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if _is_name(node.test, {"TYPE_CHECKING"}):
            return
        if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            self._note(node.test, "condition", f"(not ({ast.unparse(node.test)}))")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if not _is_name(node.func, _TYPES_ONLY):
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not _is_name(node.value, _TYPES_ONLY):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Its parts have no place of their own before Python 3.12."""

    def _note(self, node: ast.AST, operator: str, after: str) -> None:
        if not isinstance(node, ast.expr | ast.stmt):
            return
        start, end = self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)
        before, scope = self._source[start:end].decode(), ".".join(self._scope) or "module"
        self._seen[scope, operator, before] += 1
        number = self._seen[scope, operator, before]
        key = _digest("\n".join([self._file, scope, operator, before, str(number)]))
        lines = range(min(self._statement, node.lineno), (node.end_lineno or node.lineno) + 1)
        self.mutants.append(Mutant(key, self._file, scope, operator, lines, start, end, before, after))

    def _offset(self, line: int | None, column: int | None) -> int:
        assert line is not None
        assert column is not None
        return self._starts[line - 1] + column


def _is_name(node: ast.expr, names: Set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What a node may become instead: the name of the kind of change, and the new text."""
    match node:
        case ast.Compare(ops=[only]):
            yield "compare", _rewrite(node, ops=[_COMPARISONS[type(only)]()])
        case ast.BoolOp(op=op):
            yield "and-or", _rewrite(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", f"({ast.unparse(operand)})"
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC and "None" not in ast.unparse(node):
            yield "arithmetic", _rewrite(node, op=_ARITHMETIC[type(op)]())
        case ast.IfExp(test=test):
            yield "condition", _rewrite(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Constant():
            yield from _other_constants(node.value)
        case ast.stmt():
            yield from _other_statements(node)


def _rewrite(node: ast.AST, **fields: object) -> str:
    other = copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return f"({ast.unparse(ast.fix_missing_locations(other))})"


def _other_constants(value: object) -> Iterator[tuple[str, str]]:
    match value:
        case bool():
            yield "constant", repr(not value)
        case int() | float():
            yield "constant", repr(value + 1)
        case str() if " " not in value:
            yield "constant", repr(f"{value}XX")


def _other_statements(node: ast.stmt) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Raise() | ast.AugAssign():
            yield "leave out", "pass"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return nothing", "return None"
        case ast.Break():
            yield "loop", "continue"
        case ast.Continue():
            yield "loop", "break"
