"""docs/from-dcmtk.md names commands and options that exist."""

from __future__ import annotations

import re
from typing import Final

import pytest

from openmodality.cli.shell.table import make_table
from tests.acceptance.documents import ROOT
from tests.command_tree import ALL_COMMANDS

PAGE: Final = (ROOT / "docs" / "from-dcmtk.md").read_text(encoding="utf-8")
SECTIONS: Final = re.split(r"^## ", PAGE, flags=re.MULTILINE)
OPTIONS: Final = {each.words: {name for option in each.options for name in option.names} for each in make_table()}
_CALL: Final = re.compile(r"openmodality ((?:[a-z]+ ?)+)(.*)")


def _columns(section: str) -> list[tuple[str, str]]:
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", section, flags=re.MULTILINE)
    return [row for row in rows if not row[0].startswith("-")]


def _commands(section: str) -> list[str]:
    head = _columns(section)[0][1]
    return [each.removeprefix("openmodality ") for each in head.split(", ") if each.startswith("openmodality ")]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text.partition("\n")[0])
def test_each_option_on_our_side_exists(section: str) -> None:
    known = set[str]().union(*(OPTIONS[command] for command in _commands(section))) or set().union(*OPTIONS.values())
    for _, ours in _columns(section)[1:]:
        for code in re.findall(r"`([^`]+)`", ours):
            if code.startswith("-"):
                assert code.split()[0] in known, code


def test_each_call_names_a_command() -> None:
    calls = [found for code in re.findall(r"`([^`]+)`", PAGE) for found in _CALL.findall(" ".join(code.split()))]
    assert len(calls) > 8
    for words, rest in calls:
        names = [name for count in (2, 1) if (name := " ".join(words.split()[:count])) in ALL_COMMANDS]
        assert names, words
        assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)) <= OPTIONS[names[0]], rest
