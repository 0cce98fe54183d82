"""Keeps the last lines of the log for service staff, as the front that logs has formatted them."""

from __future__ import annotations

import logging
from collections import deque
from typing import Final

from openmodality.value_class import dataclass

_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log."""

    at: float
    level: str
    text: str


class KeptLog(logging.Handler):
    """Keeps the last lines that the logger of the product lets through.

    They are texts by ``formatter``, which shows only what may be seen: values of patients are in no log.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._lines: deque[LogLine] = deque(maxlen=_MOST)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.append(LogLine(record.created, record.levelname.lower(), self.format(record)))

    def list_lines(self) -> list[LogLine]:
        """The lines, newest first."""
        self.acquire()
        try:
            return list(reversed(self._lines))
        finally:
            self.release()
