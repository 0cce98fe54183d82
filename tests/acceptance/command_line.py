"""The command line as a user has it: a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.peers.forked import COMMAND, Forked, fork
from tests.peers.process import Address, wait_until

SOURCES = Path(__file__).parents[2] / "src"


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def error_line(self) -> str:
        """The one line on stderr; fails where there are more, or a traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]

    @property
    def json(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of what ``--json`` printed."""
        found: list[dict[str, Any]] = self.json["items"]
        return found

    @property
    def item(self) -> dict[str, Any]:
        """The only item of what ``--json`` printed."""
        (only,) = self.items
        return only


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONWARNINGS": "error", "LC_ALL": "C.UTF-8"}


def start(*arguments: object, stderr: int = subprocess.PIPE) -> Forked:
    """Start ``openmodality`` with these arguments; ``stderr`` may be a terminal's descriptor."""
    return fork(COMMAND, *arguments, stderr=stderr, environment=_environment())


def finish(process: Forked, timeout_s: float = 30.0) -> Ended:
    """Wait for the end of a command."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()  # its pipes are closed; else a later test would be blamed for them
        raise
    return Ended(process.wait(), out, err)


def openmodality(*arguments: object, timeout_s: float = 30.0) -> Ended:
    """Run ``openmodality`` to its end."""
    return finish(start(*arguments), timeout_s)


@dataclass(slots=True)
class Receiving:
    """``openmodality receive``, running."""

    folder: Path
    process: Forked
    address: Address
    ended: list[Ended] = field(default_factory=list)

    def files(self) -> list[Path]:
        """What has its final name."""
        return sorted(self.folder.glob("*.dcm"))

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        """End it by a signal."""
        self.process.send_signal(number)
        self.ended.append(finish(self.process))
        return self.ended[-1]


@contextlib.contextmanager
def receiving(folder: Path, *options: object, aet: str = "RECEIVER") -> Iterator[Receiving]:
    """``openmodality receive`` on a free port, entered when it listens; ended by SIGTERM where the test has not."""
    process = start("receive", folder, "--port", 0, "--host", "127.0.0.1", *options)
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.match(r"listening on port (\d+), files go to ", line)
    if found is None:
        ended = finish(process)
        raise AssertionError(f"receive ended with {ended.status}: {line}{ended.err}")
    running = Receiving(folder, process, Address(aet, int(found[1])))
    try:
        yield running
    finally:
        if not running.ended:
            running.stop()


def wait_for_files(running: Receiving, count: int) -> None:
    """Wait until so many files have their final name."""
    wait_until(lambda: len(running.files()) >= count, what=f"{count} files in {running.folder}")


@contextlib.contextmanager
def serving(site: Path) -> Iterator[Forked]:
    """``openmodality serve``, entered when it listens; ended by SIGTERM, which must be a clean end."""
    process = start("serve", "-c", site)
    assert process.stderr is not None
    lines: list[str] = []
    while "Ctrl-C stops" not in "".join(lines[-1:]):
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        ended = finish(process)
        assert ended.status == 0, ended.err
