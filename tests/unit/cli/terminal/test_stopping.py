"""Being told to stop: at any moment, by a signal or by another thread."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from openmodality.cli.terminal.stopping import Stop

_INTERRUPTED = """
import signal, sys
from openmodality.cli.terminal.stopping import stop_on_signals

number = signal.Signals(int(sys.argv[1]))

def wait(signal_at):
    stop, seen = stop_on_signals(), 0

    def trace(frame, event, _):
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == signal_at:
                signal.raise_signal(number)
        return trace

    sys.settrace(trace)
    try:
        return stop.wait(0.001)
    finally:
        sys.settrace(None)
        wait.steps = seen

wait(0)
print(*(wait(at) for at in range(1, wait.steps + 1)))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_at_each_of_its_steps(number: int) -> None:
    """A handler that takes a lock which the wait holds would leave the process waiting for ever."""
    command = [sys.executable, "-c", _INTERRUPTED, str(int(number))]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    is_set = ended.stdout.split()
    assert len(is_set) > 10
    assert set(is_set[:-5]) == {"True"}  # what it returns is looked up before the last steps


def test_another_thread_ends_a_wait() -> None:
    stop = Stop()
    thread = threading.Thread(target=stop.set)
    thread.start()
    assert stop.wait(30)
    thread.join()


def test_waits_no_longer_than_it_may_and_stays_set() -> None:
    stop = Stop()
    assert not stop.wait(0.001)
    for _ in range(100_000):  # more than a pipe holds
        stop.set()
    assert stop.wait()
    assert stop.wait(0)
