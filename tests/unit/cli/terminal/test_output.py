"""What a terminal gets to see."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Final

import pytest

from openmodality.cli.terminal import output
from openmodality.cli.terminal.output import print_fields, say, width, wrap

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


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("DOE^JANE", 8), ("山田^太郎", 9), ("Zoë", 3), ("Zoe\u0301", 3), ("ｱｲｳ", 3), ("ﾔﾏﾀﾞ^ﾀﾛｳ", 8), ("김희중", 6),
        ("\u1112\u1174", 2), ("क्\u200dष", 2), ("\N{GRINNING FACE}", 2), ("❤\ufe0e", 1),
    ],
)  # fmt: skip
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, columns: int) -> None:
    assert width(text) == columns


def test_of_latin_letters_all_but_the_soft_hyphen_are_one_column_wide() -> None:
    latin = list(map(chr, range(0x80, 0x300)))
    assert [each for each in latin if width(each) != 1] == ["\u00ad"]
    assert [each for each in latin if width(f"{each}\u0301") != width(each)] == []


def test_a_word_that_is_longer_than_the_room_stays_whole() -> None:
    assert wrap("a longerthanthat b", 6) == ["a", "longerthanthat", "b"]


def test_fields_are_wrapped_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    fields = (("job", 1), ("reason", "the peer has said no"), ("empty", ""))
    print_fields(fields)
    assert capsys.readouterr().out == "job     1\nreason  the peer has said no\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_fields(fields)
    assert capsys.readouterr().out == "job     1\nreason  the peer has\n        said no\n"
