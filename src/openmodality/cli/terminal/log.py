"""The log on stderr: the name of an event and the fields that may be seen.

Only our own loggers are shown, and only fields that are allow-listed here: those of others may quote a data set.
Warnings of Python come here too, with their kind and place and without their text, which libraries put values into.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import PurePath
from typing import Final, TextIO

from openmodality.cli.terminal.output import clean_lines

FIELDS: Final = (
    "address", "agenda", "by_s", "calling", "peer", "destination", "command", "status", "reason", "error", "job",
    "kind", "state", "sop_instance_uid", "kept", "place", "configured", "attributes", "character_set",
)  # fmt: skip


_log = logging.getLogger(__name__)


class LineFormatter(logging.Formatter):
    """``openmodality: warning: association.ended address=10.0.0.7 reason='closed by the peer'``; one line an event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; an exception is its type alone, because its text may hold anything."""
        text = f"openmodality: {record.levelname.lower()}: {record.getMessage()}{_fields(record)}"
        if record.exc_info and record.exc_info[0] is not None:
            text += f" exception={record.exc_info[0].__name__}"
        return text


class DebugFormatter(logging.Formatter):
    """The same with time and logger, and with tracebacks."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line and the traceback; the text of an exception may hold anything."""
        return clean_lines(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - a hook of logging
        """The line before the traceback."""
        return super().formatMessage(record) + _fields(record)


def show_log(*, debug: bool) -> None:
    """Write warnings to stderr; with ``debug`` everything."""
    handler = logging.StreamHandler()
    handler.setFormatter(DebugFormatter() if debug else LineFormatter())
    logger = logging.getLogger("openmodality")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    warnings.showwarning = log_warning


def log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning of Python as an event."""
    place = f"{PurePath(filename).name}:{lineno}"
    _log.warning("python.warning", extra={"error": category.__name__, "place": place})


def _fields(record: logging.LogRecord) -> str:
    given = record.__dict__
    return "".join(f" {name}={_shown(given[name])}" for name in FIELDS if given.get(name) is not None)


def _shown(value: object) -> str:
    """As it is where it is one word, else quoted; what a terminal would obey is escaped."""
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
