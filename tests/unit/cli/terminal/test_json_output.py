"""The one shape of what programs read."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from openmodality.cli.terminal.json_output import print_document, print_event
from tests.command_tree import LEAVES

_CLI = Path(__file__).parents[4] / "src" / "openmodality" / "cli"
MAY_KEEP_JSON_FILES = {"demo/place.py"}
"""It reads and writes a file of its own; it prints nothing."""


def test_a_document_is_an_object_with_a_list_and_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    print_document(({"job": number} for number in (1, 2)), more_available=False)
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "more_available": False,
        "items": [{"job": 1}, {"job": 2}],
    }


def test_an_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_event("received", bytes=7)
    assert capsys.readouterr().out == '{"schema_version": 1, "event": "received", "bytes": 7}\n'


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_any_text_is_clean_and_read_back(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Yamada^Tarou=山田^太郎 \x1b[31m \ud800 \N{GRINNING FACE}"
    cleaned = "Yamada^Tarou=山田^太郎 \ufffd[31m \ufffd \N{GRINNING FACE}"
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding=encoding, write_through=True))
    print_document([{"text": said}])
    assert json.loads(stream.getvalue().decode(encoding))["items"][0]["text"] == cleaned


def test_texts_below_are_clean_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_document([{"name": ("A\0B\x1b", "\udcff"), "comment": "1\n2", "count": 3}])
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert item == {"name": ["A\ufffdB\ufffd", "\ufffd"], "comment": "1\n2", "count": 3}


WITHOUT_JSON = {"completion"}
"""It prints a program for a shell."""


@pytest.mark.parametrize("name", sorted(set(LEAVES) - WITHOUT_JSON))
def test_every_command_has_the_option(name: str) -> None:
    assert "--json" in {option for each in LEAVES[name].parser(name).declared for option in each.option_strings}


def test_no_other_module_of_the_command_line_writes_json() -> None:
    """What a command prints by itself would not have the shape."""
    writers = {
        str(path.relative_to(_CLI)) for path in _CLI.rglob("*.py") if "import json" in path.read_text(encoding="utf-8")
    }
    assert writers == {"terminal/json_output.py"} | MAY_KEEP_JSON_FILES
