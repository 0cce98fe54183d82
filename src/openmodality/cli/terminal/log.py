"""The log on stderr: the name of an event and the fields that may be seen.

Only our own loggers are shown, and only fields that are allow-listed here: those of others may quote a data set.
Warnings of Python come here too, with their kind and place and without their text, which libraries put values into.
"""

from __future__ import annotations

import logging
import warnings
from typing import Final, TextIO

from openmodality.cli.terminal.output import clean_lines

FIELDS: Final = (
    "address", "agenda", "by_s", "calling", "called", "peer", "destination", "context", "abstract_syntax",
    "transfer_syntaxes", "result", "we_are", "contexts", "max_pdu_length", "max_pdu_sent", "max_pdu_received",
    "implementation", "command", "message_id", "status", "reason", "error", "job", "kind", "state", "sop_class",
    "sop_instance_uid", "kept", "place", "configured", "attributes", "character_set", "exam", "folder", "source",
    "file", "notice", "request", "event", "info", "object", "keywords", "row",
)  # fmt: skip
_SAID_BY_COMMANDS: Final = frozenset(
    ("image.attributes_left_out", "image.attributes_overridden", "image.attributes_unstated")
)
"""Events for programs: a command says the same in words."""
VERBOSE_OPTIONS: Final = ("-v", "--verbose")
DEBUG_OPTIONS: Final = ("-d", "--debug")

_log = logging.getLogger(__name__)


class EventFormatter(logging.Formatter):
    """``association.ended address=10.0.0.7 reason='closed by the peer'``; one line an event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; an exception is its type alone, because its text may hold anything."""
        text = f"{record.getMessage()}{_fields(record)}"
        if record.exc_info and record.exc_info[0] is not None:
            text += f" exception={record.exc_info[0].__name__}"
        return text


class LineFormatter(EventFormatter):
    """The same as a command says it, with its level: ``openmodality: warning: association.ended ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return f"openmodality: {record.levelname.lower()}: {super().format(record)}"


class DebugFormatter(logging.Formatter):
    """The same with time and logger, and with tracebacks."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line and the traceback; the text of an exception may hold anything.

        A fault that is logged without its text brings its traceback as the field ``trace``.
        """
        trace = record.__dict__.get("trace")
        text = super().format(record) + (f"\n{str(trace).rstrip()}" if trace else "")
        return clean_lines(text)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - a hook of logging
        """The line before the traceback."""
        return super().formatMessage(record) + _fields(record)


def take_level(words: list[str]) -> int:
    """Take the options of the log out of the words of a command line; the level that they ask for."""
    end = words.index("--") if "--" in words else len(words)
    options, rest = words[:end], words[end:]
    words[:] = [word for word in options if word not in (*VERBOSE_OPTIONS, *DEBUG_OPTIONS)] + rest
    if any(word in DEBUG_OPTIONS for word in options):
        return logging.DEBUG
    return logging.INFO if any(word in VERBOSE_OPTIONS for word in options) else logging.WARNING


def show_log(level: int) -> None:
    """Write what is of this level or above to stderr, Python's warnings too."""
    handler = logging.StreamHandler()
    handler.setFormatter(DebugFormatter() if level <= logging.DEBUG else LineFormatter())
    handler.addFilter(lambda record: record.msg not in _SAID_BY_COMMANDS)
    logger = logging.getLogger("openmodality")
    logger.addHandler(handler)
    logger.setLevel(level)
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
    place = f"{filename.rpartition('/')[2]}:{lineno}"
    _log.warning("python.warning", extra={"error": category.__name__, "place": place})


def _fields(record: logging.LogRecord) -> str:
    given = record.__dict__
    return "".join(f" {name}={_show(given[name])}" for name in FIELDS if given.get(name) is not None)


def _show(value: object) -> str:
    """As it is where it is one word, else quoted; what a terminal would obey is escaped."""
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
