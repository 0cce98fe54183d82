"""Runs the commands of a user, one at a time, in a thread of its own.

Rules. Commands run in the order in which they were queued. Where the queue is full, the caller waits; nothing is lost.
A command that awaits quiet is queued after a time without a new postponement, behind all others. A command has a
session of its own, so that Ctrl-C at a terminal ends only us; what it prints goes to stderr. At the end all queued
commands are run. One that then takes too long is ended, and those behind it are reported as not run.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final, NamedTuple

from openmodality.cli.terminal.output import say
from openmodality.counted import format_count

MAX_QUEUED: Final = 1000
PATIENCE_S: Final = 60.0
"""How long one command may run at the end."""
_KILL_S: Final = 2.0
"""How long a command that is told to end has before it is killed; and as long again is waited for that."""
_LOOK_S: Final = 0.1
_STDERR: Final = 2
_NOT_RUN: Final = "is not run"


class Work(NamedTuple):
    """A command, what it is for (its last argument), and variables of its environment."""

    option: str
    words: tuple[str, ...]
    argument: str
    environment: Mapping[str, str]

    @property
    def command(self) -> str:
        """The command as it is typed, without its argument."""
        return shlex.join(self.words)


class FailedCommand(NamedTuple):
    """A command that has failed, or was not run; ``status`` is its exit status, where it has one."""

    work: Work
    reason: str
    status: int | None = None


class CommandRunner:
    """The queue and its thread; ``report`` is called in that thread."""

    def __init__(
        self,
        report: Callable[[FailedCommand], object],
        *,
        quiet_s: float,
        max_queued: int = MAX_QUEUED,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._report = report
        self._quiet_s = quiet_s
        self._max_queued = max_queued
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._queue: deque[Work] = deque()
        self._awaiting_quiet: dict[str, tuple[float, Work]] = {}
        self._blocked = 0
        self._is_unbounded = self._is_finishing = self._is_given_up = False
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._thread = threading.Thread(target=self._run_all, name="commands", daemon=True)
        self._thread.start()

    def queue(self, work: Work) -> None:
        """Run it after the others; waits where the queue is full."""
        with self._changed:
            self._blocked += 1
            self._changed.wait_for(lambda: len(self._queue) < self._max_queued or self._is_unbounded)
            self._blocked -= 1
            is_late = not self._thread.is_alive()
            if not is_late:
                self._queue.append(work)
            self._changed.notify_all()
        if is_late:
            self._report(FailedCommand(work, _NOT_RUN))

    def queue_when_quiet(self, key: str, work: Work) -> None:
        """Queue it after a time in which nothing came under this key; of several only the last is queued."""
        with self._changed:
            self._awaiting_quiet[key] = (monotonic() + self._quiet_s, work)
            self._changed.notify_all()

    def postpone(self, key: str) -> None:
        """Begin the wait anew for the command under this key, if there is one."""
        with self._changed:
            if key in self._awaiting_quiet:
                self._awaiting_quiet[key] = (monotonic() + self._quiet_s, self._awaiting_quiet[key][1])

    def lift_bound(self) -> None:
        """Let callers queue without waiting for room, because this process is about to end."""
        with self._changed:
            self._is_unbounded = True
            self._changed.notify_all()

    def finish(self, is_urgent: Callable[[], bool] = lambda: False) -> None:
        """Run what is queued and what awaits quiet, and end; a command that takes too long is ended.

        So is the one that runs when ``is_urgent`` says so. What is not run then is reported.
        """
        self.lift_bound()
        with self._changed:
            self._is_finishing = True
            left = len(self._queue) + len(self._awaiting_quiet) + (self._process is not None)
            self._changed.notify_all()
        if left:
            say(f"finishing {format_count(left, 'command')}; Ctrl-C ends what runs")
        finishing_s = monotonic()
        while self._thread.is_alive():
            self._thread.join(_LOOK_S)
            now_s = monotonic()
            process = self._process
            if is_urgent() or (process and now_s - max(finishing_s, self._began_s) > self._patience_s):
                self._give_up()
                break
        for work in (*self._queue, *(work for _, work in self._awaiting_quiet.values())):
            self._report(FailedCommand(work, _NOT_RUN))

    def _give_up(self) -> None:
        """End the command that runs, by force if need be, and run no other."""
        with self._changed:
            self._is_given_up = True
            self._changed.notify_all()
        for number in (signal.SIGTERM, signal.SIGKILL):
            process = self._process
            if process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            self._thread.join(_KILL_S)
            if not self._thread.is_alive():
                return

    def _run_all(self) -> None:
        while (work := self._take_next()) is not None:
            failure = self._run(work)
            if failure is not None:
                self._report(failure)

    def _take_next(self) -> Work | None:
        """Wait for the next command; ``None`` where no other is to be run."""
        with self._changed:
            while not self._is_given_up:
                self._queue_what_is_quiet()
                if self._queue:
                    self._changed.notify_all()
                    return self._queue.popleft()
                if self._is_finishing and not self._blocked:
                    return None
                due = min((due_s for due_s, _ in self._awaiting_quiet.values()), default=None)
                self._changed.wait(None if due is None or self._blocked else max(due - monotonic(), 0))
            return None

    def _queue_what_is_quiet(self) -> None:
        if self._blocked:
            return  # what waits for room may be of the same key, and comes first
        now_s = monotonic()
        for key, (due_s, work) in list(self._awaiting_quiet.items()):
            if self._is_finishing or due_s <= now_s:
                del self._awaiting_quiet[key]
                self._queue.append(work)

    def _run(self, work: Work) -> FailedCommand | None:
        self._began_s = monotonic()
        try:
            process = subprocess.Popen(
                [*work.words, work.argument],
                stdin=subprocess.DEVNULL,
                stdout=_STDERR,
                env={**os.environ, **work.environment},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in a word or in a variable
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
            return FailedCommand(work, f"cannot be started: {why}")
        self._process = process
        status = process.wait()
        self._process = None
        if status == 0:
            return None
        if self._is_given_up:
            return FailedCommand(work, "was ended, because it still ran at the stop")
        if status < 0:
            return FailedCommand(work, f"was ended by signal {-status}")
        return FailedCommand(work, f"ended with status {status}", status)
