"""The command line in this process, for tests of many commands: starting a process for each takes most of the time."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from openmodality.cli.main import main


def call(words: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run ``openmodality`` in a folder; its exit status, and what it printed on stdout and stderr."""
    with captured(folder) as printed, _log_as_it_was(), pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0), printed.getvalue()


@contextlib.contextmanager
def captured(folder: Path) -> Iterator[io.StringIO]:
    """What is printed, in a folder."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


@contextlib.contextmanager
def _log_as_it_was() -> Iterator[None]:
    """The command line lets the log write to its own stderr, which is gone when it ends."""
    logger = logging.getLogger("openmodality")
    handlers, level = list(logger.handlers), logger.level
    try:
        yield
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
