"""Commands that are imported when they are called, so that each one loads what it needs and nothing else."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence
from typing import Final

from openmodality.cli.terminal.arguments import CliCommand, Group
from openmodality.value_class import value_class

_OBJECTS_BEFORE_A_LOOK: Final = 20_000
"""A list of thousands of data sets is no garbage; with Python's 700 a quarter of the time went into looking."""


@value_class
class CommandEntry:
    """Where a command is (``name`` in its module) and what it is for."""

    module: str
    summary: str
    name: str = "command"


class LazyCommand:
    """A command that is imported when it is called. ``owns_process``: the process runs nothing else."""

    def __init__(self, entry: CommandEntry, *, owns_process: bool = False) -> None:
        self.summary = entry.summary
        self.entry = entry
        self._owns_process = owns_process

    def __call__(self, name: str, words: Sequence[str]) -> int:
        return import_command(self.entry, owns_process=self._owns_process)(name, words)


def import_command(entry: CommandEntry, *, owns_process: bool = False) -> CliCommand | Group:
    """A command, with all that it needs; none of that is garbage, so it is not looked through, now or at the end."""
    collects = gc.isenabled()
    gc.disable()
    try:
        command: CliCommand | Group = getattr(importlib.import_module(entry.module), entry.name)
    finally:
        if owns_process:
            gc.freeze()
            gc.set_threshold(_OBJECTS_BEFORE_A_LOOK, *gc.get_threshold()[1:])
        if collects:
            gc.enable()
    return command
