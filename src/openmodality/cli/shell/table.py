"""The commands with their options as a shell's completion needs them, from the parsers that read them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from openmodality.cli.main import COMMANDS, PURPOSE
from openmodality.cli.terminal.arguments import CliCommand, Group
from openmodality.cli.terminal.lazy import CommandEntry, LazyCommand, import_command
from openmodality.cli.terminal.log import DEBUG_OPTIONS, VERBOSE_OPTIONS
from openmodality.value_class import dataclass


class PathKind(StrEnum):
    """What of the file system a value may be."""

    NONE = ""
    FILE = "file"
    FOLDER = "folder"


_PATHS: Final = {"FILE": PathKind.FILE, "PATH": PathKind.FILE, "DEVICE": PathKind.FILE, "DIR": PathKind.FOLDER}
"""By the name of the value on the help page."""


@dataclass(frozen=True, slots=True)
class ShellOption:
    """An option, or what a word of a command may be: then it has no names."""

    names: tuple[str, ...]
    summary: str
    takes_value: bool = False
    choices: tuple[str, ...] = ()
    path: PathKind = PathKind.NONE


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command or a group: ``words`` are those after the program, ``below`` the commands under it."""

    words: str
    summary: str
    below: tuple[tuple[str, str], ...] = ()
    options: tuple[ShellOption, ...] = ()
    arguments: tuple[ShellOption, ...] = ()

    @property
    def step(self) -> str:
        """The last word behind those before it, as ``exam/acquire``: how a script finds out where it is."""
        above, _, name = self.words.rpartition(" ")
        return f"{above}/{name}"


EVERYWHERE: Final = (
    ShellOption(VERBOSE_OPTIONS, "Show what happens on each association"),
    ShellOption(DEBUG_OPTIONS, "Show every message, and the traceback of a fault"),
    ShellOption(("--help",), "Show the help page"),
)
"""What every command takes."""
_VERSION: Final = ShellOption(("--version",), "Show the version")


def import_commands() -> dict[str, CliCommand | Group]:
    """All commands and groups by their words, imported."""
    return {words: command for name, entry in COMMANDS.items() for words, command in _walk(name, entry)}


def _walk(words: str, member: object) -> Iterator[tuple[str, CliCommand | Group]]:
    entry = member.entry if isinstance(member, LazyCommand) else member
    command = import_command(entry) if isinstance(entry, CommandEntry) else entry
    if isinstance(command, CliCommand | Group):
        yield words, command
        for name, below in command.commands.items():
            yield from _walk(f"{words} {name}", below)


def make_table() -> list[ShellCommand]:
    """The program and all its commands, as their parsers have them."""
    below = tuple((name, entry.summary) for name, entry in COMMANDS.items())
    program = ShellCommand("", PURPOSE, below, (_VERSION, *EVERYWHERE))
    return [program, *(_read_command(words, command) for words, command in import_commands().items())]


def _read_command(words: str, command: CliCommand | Group) -> ShellCommand:
    below = tuple((name, each.summary) for name, each in command.commands.items())
    if isinstance(command, Group):
        return ShellCommand(words, command.summary, below, EVERYWHERE)
    declared = [_read_action(each) for each in command.parser(words).declared]
    options = tuple(each for each in declared if each.names)
    return ShellCommand(
        words, command.summary, below, (*options, *EVERYWHERE), tuple(each for each in declared if not each.names)
    )


def _read_action(action: argparse.Action) -> ShellOption:
    offered = action.choices or getattr(action.type, "offered", None) or ()
    text = " ".join((action.help or "").split()).partition("[default:")[0].strip()
    return ShellOption(
        tuple(action.option_strings),
        text.partition(". ")[0].rstrip("."),
        action.nargs != 0,
        tuple(map(str, offered)),
        _PATHS.get(str(action.metavar), PathKind.NONE),
    )
