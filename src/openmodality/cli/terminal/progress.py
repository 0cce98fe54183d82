"""One line of progress for long work: files, MB/s, what remains. Only on a terminal; a log file gets none."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Final

from openmodality.cli.terminal.output import clean

_EVERY_S: Final = 0.1
_MB: Final = 1_000_000


class ProgressLine:
    """Rewrites one line on stderr; ``total`` is the number of files, 0 when it is not known."""

    def __init__(self, verb: str, total: int = 0, total_bytes: int = 0) -> None:
        self.count = 0
        self.failed = 0
        self.length_bytes = 0
        self._verb = verb
        self._total = total
        self._total_bytes = total_bytes
        self._start = monotonic()
        self._line = StatusLine()

    def advance(self, length_bytes: int, *, ok: bool = True) -> None:
        """One more file is dealt with."""
        self.count += 1
        self.failed += not ok
        self.length_bytes += length_bytes
        if self._line.is_due:
            self._line.show(self.text())

    def clear(self) -> None:
        """Remove the line, before something else is printed."""
        self._line.clear()

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return monotonic() - self._start

    def text(self) -> str:
        """``sent 12 of 100 files, 34.5 MB/s, 3 s left``."""
        rate = self.length_bytes / max(self.seconds, 1e-6)
        of = f" of {self._total}" if self._total else ""
        failed = f", {self.failed} failed" if self.failed else ""
        text = f"{self._verb} {self.count}{of} files{failed}, {rate / _MB:.1f} MB/s"
        if self._total_bytes and rate:
            text += f", {max(self._total_bytes - self.length_bytes, 0) / rate:.0f} s left"
        return text


class StatusLine:
    """A line on stderr that is rewritten; only on a terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._is_shown = False
        self._shown_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether a text would be shown now: on a terminal, ten times a second."""
        return self._is_terminal and monotonic() - self._shown_at >= _EVERY_S

    def show(self, text: str) -> None:
        """Put the text there, if it is time for another one."""
        if self.is_due:
            self._shown_at = monotonic()
            self._is_shown = True
            sys.stderr.write(f"\r\x1b[K{clean(text)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line, before something else is printed."""
        if self._is_shown:
            self._is_shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
