"""docs/command-line.md has every command with every option, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openmodality.cli.terminal import values
from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.help_page import meaning
from tests.command_tree import ALL_COMMANDS, LEAVES

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
_SECTIONS = re.split(r"^#+ openmodality ", PAGE, flags=re.MULTILINE)[1:]
DOCUMENTED = {section.partition("\n")[0]: section for section in _SECTIONS}
_OF_FILES = (values.existing_path, values.existing_file, values.existing_folder)


def _parser(name: str) -> Parser:
    return LEAVES[name].parser(f"openmodality {name}")


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    assert sorted(DOCUMENTED) == sorted(ALL_COMMANDS)


@pytest.mark.parametrize("name", LEAVES)
def test_options_and_example(name: str) -> None:
    options = {option for each in _parser(name).declared for option in each.option_strings}
    rows = [line.partition(" | ")[0] for line in DOCUMENTED[name].splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(-[^`]+)`", " ".join(rows))) == options
    assert f"\nopenmodality {name}" in DOCUMENTED[name]


def _as_documented(text: str) -> str:
    """An option's help as the page writes it."""
    default = re.search(r"\bdefault: ([^\];]+)", text)
    return text.partition("  [")[0] + (f" Default: {default[1]}." if default else "")


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_the_page_says_the_same_as_the_help(name: str) -> None:
    section = " ".join(DOCUMENTED[name].replace("\\|", "|").split())
    assert " ".join(ALL_COMMANDS[name].text.split()) in section
    assert ALL_COMMANDS[name].text
    for option in _parser(name).declared if name in LEAVES else ():
        if option.option_strings:
            assert option.help
            assert _as_documented(meaning(option)) in section


@pytest.mark.parametrize("name", LEAVES)
def test_the_page_names_the_value_of_each_option_as_the_help_does(name: str) -> None:
    page = re.sub(r"\|\n +", "|", LEAVES[name].page(f"openmodality {name}"))  # the choices of a long list go on below
    for row in re.findall(r"^\| (`-.*?) \| ", DOCUMENTED[name], flags=re.MULTILINE):
        assert f"\n  {row.replace('`', '').replace(chr(92), '')}" in page


@pytest.mark.parametrize("name", LEAVES)
def test_examples_are_understood(name: str) -> None:
    """Each line of a command's examples parses, whatever files there are; nothing is run."""
    for example in re.findall(rf"^openmodality {name}(.*)$", DOCUMENTED[name], flags=re.MULTILINE):
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', example)]
        parser = _parser(name)
        for each in parser.declared:
            each.type = str if each.type in _OF_FILES else each.type
        assert parser.parse(words), example


def test_no_paragraph_of_the_page_is_shown_as_code() -> None:
    """Markdown takes what begins with four blanks for code."""
    outside = "".join(PAGE.split("```")[::2])
    assert [line for line in outside.splitlines() if line.startswith("    ")] == []
