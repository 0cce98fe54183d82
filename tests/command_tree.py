"""All commands of the command line, imported: groups and those that run something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openmodality.cli.main import COMMANDS
from openmodality.cli.terminal.arguments import CliCommand, Group
from openmodality.cli.terminal.lazy import LazyCommand, import_command


def _walk(name: str, member: object) -> Iterator[tuple[str, CliCommand | Group]]:
    if isinstance(member, LazyCommand):
        member = import_command(member.entry)
    assert isinstance(member, CliCommand | Group)
    yield name, member
    if isinstance(member, Group):
        for each, below in member.commands.items():
            yield from _walk(f"{name} {each}", below)


ALL_COMMANDS: Final = {
    name: command for first, entry in COMMANDS.items() for name, command in _walk(first, LazyCommand(entry))
}
"""By their words, without ``openmodality``."""
LEAVES: Final = {name: command for name, command in ALL_COMMANDS.items() if isinstance(command, CliCommand)}
