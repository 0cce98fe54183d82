"""What an error says, and that its advice names what exists."""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import openmodality
from openmodality.cli.terminal.arguments import CliCommand
from openmodality.errors import NotFound, OpenModalityError
from tests.command_tree import ALL_COMMANDS, LEAVES

_SOURCE: Final = Path(openmodality.__file__).parent
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_COMMAND: Final = re.compile(r"\bopenmodality ((?:[a-z]+ ?)+)")
_NAMING: Final = re.compile(r"--|openmodality ")
"""What a module has in which a text names an option or a command."""
_OF_GROUPS: Final = {"--help", "--version", "--debug", "--verbose"}


def test_the_text_of_an_error_has_its_advice() -> None:
    error = OpenModalityError("it is wrong", advice="do it right")
    assert (str(error), error.message, error.advice) == ("it is wrong; do it right", "it is wrong", "do it right")
    assert str(OpenModalityError("it is wrong")) == "it is wrong"


def test_an_error_says_the_same_after_a_journey() -> None:
    error = NotFound("there is no exam 7", advice="openmodality exam list shows all")
    assert str(copy.copy(error)) == str(pickle.loads(pickle.dumps(error))) == str(error)


def _texts(tree: ast.AST) -> Iterator[str]:
    """What errors say: the strings in ``raise``, in ``advice=`` and in ``advice =``."""
    for node in ast.walk(tree):
        is_advice = isinstance(node, ast.keyword) and node.arg == "advice"
        is_attribute = isinstance(node, ast.Assign) and _is_named_advice(node.targets[0])
        if is_advice or is_attribute or isinstance(node, ast.Raise):
            yield from _strings(node)


def _is_named_advice(target: ast.expr) -> bool:
    words = (getattr(node, part, "") for node in ast.walk(target) for part in ("id", "attr", "value"))
    return any("advice" in word.lower() for word in words if isinstance(word, str))


def _strings(node: ast.AST) -> Iterator[str]:
    """Those of a node; a value in an f-string is ``1``."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(each.value) if isinstance(each, ast.Constant) else "1" for each in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def _said() -> Iterator[tuple[str, str]]:
    for path in sorted(_SOURCE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if _NAMING.search(source):
            for text in _texts(ast.parse(source)):
                yield str(path.relative_to(_SOURCE)), text


@cache
def _options(command: CliCommand) -> set[str]:
    return {option for each in command.parser("").declared for option in each.option_strings}


@pytest.fixture(scope="module")
def said() -> list[tuple[str, str]]:
    """The module and the text of each error that names an option or a command."""
    return sorted({each for each in _said() if "--" in each[1] or "openmodality " in each[1]})


def _find_wrong(text: str, all_options: set[str]) -> Iterator[str]:
    """The options and commands that a text names and that do not exist."""
    yield from set(_OPTION.findall(text)) - all_options
    for said in _COMMAND.findall(text):
        words = said.split()
        named = [name for count in (1, 2) if (name := " ".join(words[:count])) in ALL_COMMANDS]
        if not named:
            yield said
            continue
        command = ALL_COMMANDS[named[-1]]
        if isinstance(command, CliCommand):  # an option that stands behind a command is one of its own
            behind = re.split("[',;]", text.partition(f"openmodality {named[-1]}")[2])[0]
            yield from set(_OPTION.findall(behind)) - _options(command) - _OF_GROUPS


def test_each_option_and_command_that_an_error_names_exists(said: list[tuple[str, str]]) -> None:
    all_options = _OF_GROUPS.union(*map(_options, LEAVES.values()))
    wrong = [(module, text, name) for module, text in said for name in _find_wrong(text, all_options)]
    assert wrong == []


def test_texts_of_errors_are_found(said: list[tuple[str, str]]) -> None:
    assert ("cli/commands/exam_acquire.py", "give a PATH, --watch, --mrd-listen or --simulate") in said
