"""The line of progress."""

from __future__ import annotations

import io
import sys

import pytest

from openmodality.cli.terminal import progress
from openmodality.cli.terminal.progress import ProgressLine, StatusLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


def test_text_says_what_is_done_how_fast_and_what_remains(clock: Clock) -> None:
    line = ProgressLine("sent", 4, 40_000_000)
    clock.now += 2
    line.advance(10_000_000)
    line.advance(10_000_000, ok=False)
    assert line.text() == "sent 2 of 4 files, 1 failed, 10.0 MB/s, 2 s left"
    assert (line.count, line.failed, line.length_bytes, line.seconds) == (2, 1, 20_000_000, 2)


def test_without_a_total_nothing_is_said_of_it(clock: Clock) -> None:
    line = ProgressLine("received")
    assert line.text() == "received 0 files, 0.0 MB/s"
    clock.now += 1
    line.advance(1_000_000)
    assert line.text() == "received 1 files, 1.0 MB/s"


def test_a_terminal_gets_one_line_ten_times_a_second(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    line = ProgressLine("sent", 3)
    for _ in range(3):
        line.advance(0)
    clock.now += 0.2
    line.advance(0)
    line.clear()
    line.clear()
    assert terminal.getvalue() == "\r\x1b[Ksent 1 of 3 files, 0.0 MB/s\r\x1b[Ksent 4 of 3 files, 0.0 MB/s\r\x1b[K"


def test_what_a_peer_said_does_nothing_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    StatusLine().show("job 1 waiting: \x1b[31mred\nforged")
    assert terminal.getvalue() == "\r\x1b[Kjob 1 waiting: \ufffd[31mred\ufffdforged"


def test_a_log_file_gets_none(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine("sent", 3)
    line.advance(1)
    line.clear()
    assert capsys.readouterr().err == ""
