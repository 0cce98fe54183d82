"""Shows a demonstration: lines with the time, and on a terminal a bar for what is under way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from openmodality.cli.terminal.output import clean

_INDENT: Final = "  "


class PlainDisplay:
    """Lines only, for a file or a pipe: one when something that counts is complete."""

    def __init__(self) -> None:
        self._said = ("", 0)

    def say(self, text: str) -> None:
        """Something has been done."""
        print(f"{datetime.now():%H:%M:%S}  {clean(text)}", flush=True)

    def progress(self, what: str, done: int, total: int) -> None:
        """Something counts up."""
        if done == total and self._said != (what, total):
            self._said = (what, total)
            self.say(f"{what}: {done} of {total}")


class NoDisplay:
    """Nothing, for a program that needs the result only."""

    def say(self, text: str) -> None:
        """Nothing is shown."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing is shown."""


class TerminalDisplay:
    """Bars while something is under way; a line stays when it is complete."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None
        self._what = ""
        self._said = ("", 0)

    def say(self, text: str) -> None:
        """Something has been done."""
        line = Text(f"{datetime.now():%H:%M:%S}{_INDENT}", style="dim")
        self._console.print(line.append(clean(text), style="not dim"), highlight=False)

    def progress(self, what: str, done: int, total: int) -> None:
        """Something counts up."""
        if self._said == (what, total):
            return
        if what != self._what:
            self._end()
            self._what = what
            self._task = self._progress.add_task(clean(what), total=total)
        if self._task is not None:
            self._progress.update(self._task, completed=done)
        if done == total and self._task is not None:
            self._end()
            self._said = (what, total)
            self.say(f"{what}: {done} of {total}")

    def _end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


@contextmanager
def display(*, quiet: bool = False) -> Iterator[PlainDisplay | TerminalDisplay | NoDisplay]:
    """What suits standard output."""
    if quiet:
        yield NoDisplay()
        return
    if not sys.stdout.isatty():
        yield PlainDisplay()
        return
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield TerminalDisplay(console, progress)
