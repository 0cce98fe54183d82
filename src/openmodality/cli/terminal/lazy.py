"""Commands that are imported when they are called, so that each one loads what it needs and nothing else."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

from openmodality.cli.terminal.arguments import CliCommand, Group
from openmodality.value_class import value_class

_OBJECTS_BEFORE_A_LOOK: Final = (20_000, 10, 10)
"""A list of thousands of data sets is no garbage; with Python's 700 a quarter of the time went into looking.

A process in which this holds runs one command and nothing else.
"""
_NEVER_USED: Final = ("requests",)
"""What pydicom imports, where it is installed, to download files for its own tests."""


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
    if owns_process:
        hide_unused(sys.modules)
        gc.set_threshold(*_OBJECTS_BEFORE_A_LOOK)
    with loading():
        command: CliCommand | Group = getattr(importlib.import_module(entry.module), entry.name)
    return command


def hide_unused(modules: dict[str, ModuleType]) -> None:
    """Let imports of what no command uses fail, as Python does where a module is ``None``. pydicom does without it."""
    for name in _NEVER_USED:
        modules.setdefault(name, cast(ModuleType, None))


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage meanwhile, nor later in what was imported where the process runs one command."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_threshold() == _OBJECTS_BEFORE_A_LOOK:
            gc.freeze()
        if collects:
            gc.enable()
