"""docs/command-line.md has every command with every option, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from openmodality.cli.main import COMMANDS, application

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
_SECTIONS = re.split(r"^#+ openmodality ", PAGE, flags=re.MULTILINE)[1:]
DOCUMENTED = {section.partition("\n")[0]: section for section in _SECTIONS}


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(application)
    for name in COMMANDS:
        command = application.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", command.commands[each]) for each in command.commands)


ALL = dict(_commands())


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    assert sorted(DOCUMENTED) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_options_and_example(name: str) -> None:
    if isinstance(ALL[name], click.Group):
        return
    options = {option for each in ALL[name].params if isinstance(each, click.Option) for option in each.opts}
    rows = [line.partition(" | ")[0] for line in DOCUMENTED[name].splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(-[^`]+)`", " ".join(rows))) == options
    assert f"\nopenmodality {name}" in DOCUMENTED[name]


def _meaning(option: click.Option, context: click.Context) -> str:
    """An option's help as the page writes it."""
    record = option.get_help_record(context)
    assert record is not None
    default = re.search(r"\bdefault: ([^\];]+)", record[1])
    return record[1].partition("  [")[0] + (f" Default: {default[1]}." if default else "")


@pytest.mark.parametrize("name", ALL)
def test_the_page_says_the_same_as_the_help(name: str) -> None:
    command = ALL[name]
    context = click.Context(command)
    section = " ".join(DOCUMENTED[name].replace("\\|", "|").split())
    assert " ".join((command.help or "").split()) in section
    for option in command.params:
        if isinstance(option, click.Option):
            assert _meaning(option, context) in section


@pytest.mark.parametrize("name", ALL)
def test_examples_are_understood(name: str) -> None:
    """Each line of a command's examples parses; nothing is run."""
    command = ALL[name]
    if isinstance(command, click.Group):
        return
    examples = re.findall(rf"^openmodality {name}(.*)$", DOCUMENTED[name], flags=re.MULTILINE)
    for example in examples:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', example)]
        context = click.Context(command, resilient_parsing=True)
        _, left, _ = command.make_parser(context).parse_args(words)
        assert left == [], example
