"""Rules for the English of the product: names of functions that are riddles, and words that a plainer one replaces."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

PLAIN_WORDS = {"wants": "requires (or asks for, needs)"}
"""Words that docstrings and comments do not use, and what they say instead."""

# fmt: off
RIDDLES = frozenset({
    "after", "around", "asked", "at", "below", "chosen", "done", "each", "fitted", "found", "from",
    "given", "go", "judged", "kept", "late", "like", "made", "named", "one", "said", "settled",
    "taken", "through", "to", "told", "turned", "us", "whole", "within", "without", "wrapped",
})
# fmt: on
"""No function is named by one of these words alone, with or without an underscore before it: a name carries a verb."""

# fmt: off
NOUNS = frozenset({
    "attribute", "body", "columns", "date", "depth", "entity", "folder", "frames", "header", "json", "keys", "letters",
    "links", "models", "names", "numbers", "parts", "problem", "procedure", "refusal", "root", "section", "size",
    "suggestion", "table", "thumbnail", "values", "widths", "words",
})
# fmt: on
"""No function of a module is named by one of these alone; a method may be: ``row.words``."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.Module | ast.ClassDef | _Function
_WORD = re.compile(r"[A-Za-z]+")


def find_riddles(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Report functions whose name says nothing of what they do, with their lines; properties are named by nouns."""
    for node in ast.walk(tree):
        if isinstance(node, _Function) and node.name.strip("_") in RIDDLES and not _is_property(node):
            yield node.lineno, f"{node.name} has no verb"
    for node in tree.body:
        if isinstance(node, _Function) and node.name.strip("_") in NOUNS:
            yield node.lineno, f"{node.name} is a noun: name what the function does"


def _is_property(function: _Function) -> bool:
    names = {node.id for node in function.decorator_list if isinstance(node, ast.Name)}
    return bool(names & {"property", "cached_property"})


def find_words(text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Report words of :data:`PLAIN_WORDS` in docstrings and comments, with their lines."""
    for line, prose in [*_docstrings(tree), *_comments(text)]:
        for word in sorted(PLAIN_WORDS.keys() & {word.lower() for word in _WORD.findall(prose)}):
            yield line, f"{word}: say {PLAIN_WORDS[word]}"


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, _Documented) and (prose := ast.get_docstring(node)):
            yield node.body[0].lineno, prose


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def find_violations(package: Path) -> Iterator[str]:
    """Report what the words of a package break, one line each."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        for line, problem in [*find_riddles(tree), *find_words(text, tree)]:
            yield f"{path}:{line}: {problem}"
