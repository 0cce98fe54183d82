"""What a terminal gets to see."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from openmodality.cli.terminal import output
from openmodality.cli.terminal.output import say

MODULES: Final = sorted(Path(output.__file__).parents[1].rglob("*.py"))
STREAM: Final = {"output", "progress", "streams"}
"""Modules that clean what they write to stderr, or write nothing."""


def test_a_message_is_one_line_without_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    say("bad\x1b[31mred\nopenmodality: forged \u202e\udcff")
    assert capsys.readouterr().err == "bad\ufffd[31mred\ufffdopenmodality: forged \ufffd\ufffd\n"


@pytest.mark.parametrize("module", [path for path in MODULES if path.stem not in STREAM], ids=lambda path: path.stem)
def test_commands_write_to_stderr_only_by_saying_it(module: Path) -> None:
    names = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert "sys.stderr" not in names
