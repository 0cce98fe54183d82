"""The command line in this process, for tests of many commands: starting a process for each takes most of the time."""

from __future__ import annotations

import contextlib
import io
import logging
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from openmodality.cli.main import main
from tests.acceptance.command_line import Ended


def openmodality(*arguments: object) -> Ended:
    """Run ``openmodality`` to its end, as :func:`tests.acceptance.command_line.openmodality` does in a process.

    What a hospital in this process warns of meanwhile stands on the command's stderr too.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _process_as_it_was():
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as ended:
            return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command line returns instead of exiting")


def call(words: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run ``openmodality`` in a folder; its exit status, and what it printed on stdout and stderr."""
    with captured(folder) as printed, _process_as_it_was(), pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0), printed.getvalue()


@contextlib.contextmanager
def captured(folder: Path) -> Iterator[io.StringIO]:
    """What is printed, in a folder."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


@contextlib.contextmanager
def _process_as_it_was() -> Iterator[None]:
    """The command line lets the log write to its own stderr, which is gone when it ends, and may listen to signals."""
    logger = logging.getLogger("openmodality")
    handlers, level = list(logger.handlers), logger.level
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    wakeup_fd = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        signal.set_wakeup_fd(wakeup_fd)
        for number, handler in heard.items():
            signal.signal(number, handler)
