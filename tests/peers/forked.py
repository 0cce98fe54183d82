"""Programs of ours in processes of their own, started in a moment: see ``tests.peers.fork_server``."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from typing import IO, Final

ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = ROOT / "src"
COMMAND: Final = "openmodality"
"""What is started by this name is the command line; any other name is that of a module."""
STDERR: Final = 2
"""Where a program writes its errors that has no stream of its own for them."""
_LOCK: Final = threading.Lock()
"""One request at a time."""


class Forked:
    """A process, with the methods of :class:`subprocess.Popen` that tests need. Its streams are text."""

    def __init__(self, words: list[str], fate: int, stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self.args = words
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._fate = os.fdopen(fate, "rb", buffering=0)
        self._said = dict[str, str]()
        self._readers = list[threading.Thread]()
        self.pid = self._read_number()

    def _read_number(self) -> int:
        line = self._fate.readline()
        assert line, "the process that starts programs has died"
        return int(line)

    def poll(self) -> int | None:
        """Its exit status, where it has ended; that of a signal is negative."""
        return self._look(0)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._fate], [], [], seconds)[0]:
            with self._fate:
                self.returncode = self._read_number()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its exit status. Raises :class:`subprocess.TimeoutExpired` where it does not come."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return status

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read what it prints to its end, and wait for that. Raises :class:`subprocess.TimeoutExpired` likewise."""
        until = None if timeout is None else monotonic() + timeout
        if not self._readers:
            self._readers = [threading.Thread(target=self._read, args=(name,)) for name in ("stdout", "stderr")]
            for reader in self._readers:
                reader.start()
        for reader in self._readers:
            reader.join(None if until is None else max(0.0, until - monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.wait(None if until is None else max(0.0, until - monotonic()))
        return self._said.get("stdout", ""), self._said.get("stderr", "")

    def _read(self, name: str) -> None:
        stream: IO[str] | None = getattr(self, name)
        if stream is not None and not stream.closed:
            with stream:
                self._said[name] = stream.read()

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it by force."""
        self.send_signal(signal.SIGKILL)


@cache
def _connect() -> socket.socket:
    """The connection to the process that starts programs. Processes of one run of tests share it; the first begins it.

    It takes connections while the lock is held, and ends under the lock when the last one is closed.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        ours, theirs = socket.socketpair()
        _begin(theirs)
        return ours
    place = Path(tempfile.gettempdir()) / f"openmodality-forks-{run[:16]}"
    ours = socket.socket(socket.AF_UNIX)
    with hold_lock(place):
        try:
            ours.connect(str(place))
        except OSError:
            place.unlink(missing_ok=True)
            theirs = socket.socket(socket.AF_UNIX)
            theirs.bind(str(place))
            theirs.listen()
            ours.connect(str(place))
            _begin(theirs)
    return ours


def find_lock(place: Path) -> Path:
    """The file that is locked."""
    return place.with_suffix(".lock")


@contextmanager
def hold_lock(place: Path) -> Iterator[None]:
    """Be the only one that begins or ends the process whose socket this is."""
    with find_lock(place).open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _begin(theirs: socket.socket) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{_SOURCES}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "error"}
    environment |= {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}  # a process of one thread can be forked
    environment.pop("PYTHONUNBUFFERED", None)  # each program says by itself how it prints
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.fork_server", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    atexit.register(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until nobody has a connection any more."""
    _connect().close()
    process.wait()


def fork(
    name: str,
    *arguments: object,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Forked:
    """Start ``openmodality``, or a module by its name; a stream is a pipe, or goes to a descriptor or to nobody."""
    words = list(map(str, arguments))
    sys.audit("subprocess.Popen", sys.executable, [sys.executable, name, *words], folder, environment)
    asked = {
        "name": name,
        "arguments": words,
        "folder": str(folder or Path.cwd()),
        "environment": dict(os.environ if environment is None else environment),
    }
    fate, told = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    ends = [_open_end(target, nothing) for target in (stdout, stderr)]
    try:
        with _LOCK:
            request = f"{json.dumps(asked)}\n".encode()
            sent = socket.send_fds(_connect(), [request], [nothing, *(end.given for end in ends), told])
            _connect().sendall(request[sent:])
            return Forked(words, fate, *(end.ours for end in ends))
    finally:
        for number in (nothing, told, *(end.given for end in ends if end.ours)):
            os.close(number)


@dataclass(frozen=True, slots=True)
class _End:
    """Where a stream of a program goes, and what we read of it."""

    given: int
    ours: IO[str] | None = None


def _open_end(target: int, nothing: int) -> _End:
    if target == subprocess.DEVNULL:
        return _End(nothing)
    if target != subprocess.PIPE:
        return _End(target)
    ours, given = os.pipe()
    return _End(given, os.fdopen(ours, encoding="utf-8"))
