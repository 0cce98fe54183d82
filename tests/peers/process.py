"""Programs in processes of their own: run to their end, or kept running for the length of a ``with`` block.

Readiness is learned by connecting and never by sleeping; a server that dies while it starts is noticed at once.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from tests.peers.programs import program

HOST: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.02
_NEVER: Final = threading.Event()


@dataclass(frozen=True, slots=True)
class Address:
    """Where an application entity listens."""

    aet: str
    port: int
    host: str = HOST

    def __str__(self) -> str:
        """As the command line takes a peer: ``AETITLE@host:port``."""
        return f"{self.aet}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended: its exit status, and standard output and error together."""

    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Server(Address):
    """A running server of another maker and the folder it works in."""

    folder: Path = Path()
    log: Path = Path()
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """All that the server has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def files(self) -> list[Path]:
        """The finished files in the server's folder, sorted by name."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and path != self.log)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, for programs that cannot take port 0.

    It is below those that a system hands out by itself, and not one of another process of the same run, so that nobody
    takes it before the program does; and no two calls give the same one soon.
    """
    for _ in _PORTS:
        port = next(_NEXT_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise AssertionError("there is no free port")


def own_ports(everybody: range, environment: Mapping[str, str]) -> range:
    """The part that belongs to this process, where pytest-xdist runs the tests in several."""
    count = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return everybody[number % count :: count]


def _from_anywhere(ports: range) -> Iterator[int]:
    """The ports over and over, from a place that another run on this machine hardly begins at."""
    start = random.randrange(len(ports))
    return itertools.cycle([*ports[start:], *ports[:start]])


FREE_PORTS: Final = range(15_000, 32_000)
"""Those that :func:`free_port` gives out."""
_PORTS: Final = own_ports(FREE_PORTS, os.environ)
_NEXT_PORTS: Final = _from_anywhere(_PORTS)


def environment() -> dict[str, str]:
    """The environment for programs of others: without Nagle's delay, with output that does not depend on the place."""
    return {**os.environ, "TCP_NODELAY": "1", "LC_ALL": "C.UTF-8"}


def run(name: str, *arguments: str | Path | int, timeout_s: float = 30.0, cwd: Path | None = None) -> Finished:
    """Run a program of `tests.peers.programs` to its end."""
    done = subprocess.run(
        [program(name), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        env=environment(),
        cwd=cwd,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode("utf-8", errors="replace"))


@contextlib.contextmanager
def running(
    name: str, *arguments: str | Path | int, log: Path, ready: Callable[[], bool], gently: bool = True
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running; the block is entered when ``ready`` says so. At its end the program is asked to stop.

    Not ``gently``: it is killed, for a program that takes seconds to clean up what the test throws away.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program(name), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
    try:
        _wait_until(ready, process, f"{name}, whose output is in {log}")
        yield process
    finally:
        if not gently:
            process.kill()
        stop(process)


def accepts(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, by force where asking does not help."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 10.0, what: str = "the condition") -> None:
    """Wait for something that another thread or process brings about; fails the test when it does not come."""
    _wait_until(condition, None, what, timeout_s)


def _wait_until(
    condition: Callable[[], bool],
    process: subprocess.Popen[bytes] | None,
    what: str,
    timeout_s: float = START_TIMEOUT_S,
) -> None:
    deadline = monotonic() + timeout_s
    while not condition():
        assert monotonic() < deadline, f"gave up after {timeout_s:g} s waiting for {what}"
        _pause(process, what)


def _pause(process: subprocess.Popen[bytes] | None, what: str) -> None:
    """Give way for a moment, and notice at once when the process waited for has died."""
    if process is None:
        _NEVER.wait(_POLL_S)
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(_POLL_S)
        raise AssertionError(f"ended with status {status} while starting: {what}")
