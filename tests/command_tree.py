"""All commands of the command line, imported: groups and those that run something."""

from __future__ import annotations

from typing import Final

from openmodality.cli.shell.table import import_commands
from openmodality.cli.terminal.arguments import CliCommand

ALL_COMMANDS: Final = import_commands()
"""By their words, without ``openmodality``."""
LEAVES: Final = {name: command for name, command in ALL_COMMANDS.items() if isinstance(command, CliCommand)}
