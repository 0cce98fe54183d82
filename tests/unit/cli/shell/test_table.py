"""What completion scripts and manual pages know is what the parsers read."""

from __future__ import annotations

import pytest

from openmodality.cli.shell.table import PathKind, ShellCommand, ShellOption, import_commands, make_table
from openmodality.cli.terminal.arguments import CliCommand
from openmodality.hospital.orders import ORDERS

TABLE = {each.words: each for each in make_table()}


def _find_option(command: str, name: str) -> ShellOption:
    (found,) = (each for each in TABLE[command].options if name in each.names)
    return found


def test_each_command_is_there_once() -> None:
    assert list(TABLE) == ["", *import_commands()]


@pytest.mark.parametrize("words", [words for words, each in import_commands().items() if isinstance(each, CliCommand)])
def test_a_command_has_the_options_of_its_parser(words: str) -> None:
    command = import_commands()[words]
    assert isinstance(command, CliCommand)
    declared = {name for each in command.parser(words).declared for name in each.option_strings}
    known = {name for each in TABLE[words].options for name in each.names}
    assert known == declared | {"-v", "--verbose", "-d", "--debug", "--help"}


def test_what_a_value_may_be() -> None:
    level, from_ = _find_option("query", "--level"), _find_option("exam acquire", "--from")
    watch = _find_option("exam acquire", "--watch")
    assert level.choices == ("PATIENT", "STUDY", "SERIES", "IMAGE")
    assert (from_.path, watch.path, level.path) == (PathKind.FILE, PathKind.FOLDER, PathKind.NONE)
    assert (from_.takes_value, _find_option("exam acquire", "--append").takes_value) == (True, False)
    assert _find_option("jobs list", "-c") == ShellOption(
        ("-c", "--config"), "The site file, or its folder", takes_value=True, path=PathKind.FILE
    )


def test_a_group_knows_what_is_below_it() -> None:
    assert [name for name, _ in TABLE["jobs"].below] == ["cancel", "list", "retry", "show"]
    assert ShellCommand("exam acquire", "").step == "exam/acquire"


def test_a_command_may_have_commands_below_it_and_words_that_are_offered() -> None:
    assert [name for name, _ in TABLE["hospital"].below] == ["ctl"]
    assert _find_option("hospital", "--pacs-port").takes_value
    (order,) = TABLE["hospital ctl"].arguments
    assert order.choices == tuple(ORDERS)
