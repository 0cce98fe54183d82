"""The two ends of a transfer as processes: ours, DCMTK's, pynetdicom's, and a bare socket."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from benchmarks.data import cache
from tests.peers.process import free_port, wait_until
from tests.peers.programs import program

Command = Sequence[str]
_ROOT: Final = Path(__file__).parent.parent
_LISTENING_WITHIN_S: Final = 60.0
"""A device on a busy machine takes its time."""
_REST_S: Final = 0.5
_TICKS_AT_REST: Final = 2
"""What its timers use meanwhile."""


@dataclass(frozen=True, slots=True)
class End:
    """A program: its name in the tables and how it is called, as receiver and as sender."""

    name: str
    receive: Callable[[Path, int], Command]
    send: Callable[[Path, int], Command]
    prepare: Callable[[Path, int], Command] | None = None
    """What a sender does with the files before its time is taken."""
    tells_seconds: bool = False
    """Whether the sender prints how long it took, which holds instead of the wall time of its process."""
    count: Callable[[Path], int] | None = None
    """How many instances a receiver that has ended took; without it, files are counted."""


def call_ours(*arguments: str) -> Command:
    """The command line, as it is installed."""
    return (sys.executable, "-c", "from openmodality.cli.main import main; main()", *arguments)


OURS = End(
    "OpenModality",
    lambda folder, port: call_ours("receive", str(folder), "--port", str(port), "--durability", "os"),
    lambda path, port: call_ours("send", f"ANY@127.0.0.1:{port}", str(path)),
)
ONE_AT_A_TIME = replace(
    OURS,
    name="OpenModality, one request open",
    send=lambda path, port: call_ours("send", f"ANY@127.0.0.1:{port}", str(path), "--stop-on-failure"),
)
"""``openmodality send`` with the window of a device, whose statement forbids to have more requests open (ADR 27)."""
DCMTK = End(
    "DCMTK",
    lambda folder, port: (str(program("storescp")), "-od", str(folder), str(port)),
    lambda path, port: (str(program("storescu")), "127.0.0.1", str(port), "--scan-directories", str(path)),
)
PYNETDICOM = End(
    "pynetdicom",
    lambda folder, port: (sys.executable, "-m", "pynetdicom", "storescp", str(port), "-od", str(folder), "-q"),
    lambda path, port: (sys.executable, "-m", "pynetdicom", "storescu", "127.0.0.1", str(port), str(path), "-cx", "-q"),
)
RAW = End(
    "raw socket",
    lambda folder, port: (sys.executable, "-m", "benchmarks.raw", "receive", str(folder), str(port)),
    lambda path, port: (sys.executable, "-m", "benchmarks.raw", "send", str(path), str(port)),
)

BARE = End(
    "bare end",
    lambda folder, port: (sys.executable, "-m", "benchmarks.bare", "receive", str(folder), str(port)),
    lambda path, port: (sys.executable, "-m", "benchmarks.bare", "send", str(path), str(port)),
)


@contextmanager
def device(files: Path) -> Iterator[End]:
    """A device as sender, with these files in its database, for as long as the block lasts."""
    with _folder() as folder:
        call = (sys.executable, "-m", "benchmarks.device")
        subprocess.run((*call, "prepare", str(folder), str(files)), check=True, **_quiet())
        yield End(
            "device",
            OURS.receive,
            send=lambda path, port: (*call, "work", str(folder)),
            prepare=lambda path, port: (*call, "queue", str(folder), str(path), str(port)),
            tells_seconds=True,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One sender process: how long it took, the peak memory of both ends in MB, how many files arrived."""

    seconds: float
    sender_mb: float
    receiver_mb: float
    arrived: int


def transfer(sender: End, receiver: End, path: Path, *, tuned: bool = True) -> Run:
    """Send everything below ``path`` once, into an empty folder, with fresh processes at both ends.

    Without ``tuned`` DCMTK's programs run as they are installed, with Nagle's algorithm on.

    Memory is the highest resident size that the system counts for the program itself (VmHWM): a child's own usage
    figures would begin with the size of this process, from which it was forked.
    """
    with _folder() as folder:
        port = free_port()
        process = subprocess.Popen(receiver.receive(folder, port), **_quiet(tuned=tuned))
        try:
            _wait_until_ready(process.pid, port, receiver.name)
            if sender.prepare is not None:
                subprocess.run(sender.prepare(path, port), check=True, **_quiet())
            start = perf_counter()
            sending = subprocess.Popen(sender.send(path, port), **_quiet(tuned=tuned) | {"stdout": subprocess.PIPE})
            peak = _Peak(sending.pid)
            told, _ = sending.communicate()
            seconds = perf_counter() - start
            receiver_mb = _peak_mb(process.pid)
        finally:
            process.terminate()
            process.wait()
        if sending.returncode:
            raise RuntimeError(f"{sender.name} to {receiver.name} failed")
        if sender.tells_seconds:
            seconds = float(told)
        arrived = receiver.count(folder) if receiver.count is not None else _count_files(folder)
        return Run(seconds, peak.megabytes, receiver_mb, arrived)


def _count_files(folder: Path) -> int:
    return sum(1 for file in folder.rglob("*") if file.is_file() and file.suffix != ".part")


class _Peak:
    """Looks at a process four times a second until it ends."""

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while (seen := _peak_mb(self._pid)) > 0:
            self.megabytes = max(self.megabytes, seen)
            pause.wait(0.25)


def _peak_mb(pid: int) -> float:
    """VmHWM of a process in MB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def timed(command: Command, *, tuned: bool = True) -> float:
    """Wall time of a whole process, in seconds; ``tuned`` as :func:`transfer` has it."""
    start = perf_counter()
    subprocess.run(command, check=True, **_quiet(tuned=tuned))
    return perf_counter() - start


def take_cpu_time(command: Command, cwd: Path) -> float:
    """CPU time of a whole process, in seconds."""
    process = subprocess.Popen(command, cwd=cwd, **_quiet())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return used.ru_utime + used.ru_stime


def _wait_until_ready(pid: int, port: int, name: str) -> None:
    """Wait until a program listens and rests: a device listens at once, and loads its console behind that."""
    wait_until(lambda: is_accepting(port), what=f"{name} to listen", timeout_s=_LISTENING_WITHIN_S)
    rest = _Rest(pid)
    wait_until(rest.has_come, what=f"{name} to rest", timeout_s=_LISTENING_WITHIN_S)


class _Rest:
    """Whether a process has used next to no CPU time for a while."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._since, self._used = perf_counter(), count_ticks(pid)

    def has_come(self) -> bool:
        """Look anew; the time begins again whenever the process has worked."""
        used = count_ticks(self._pid)
        if used - self._used > _TICKS_AT_REST:
            self._since, self._used = perf_counter(), used
        return perf_counter() - self._since > _REST_S


def count_ticks(pid: int) -> int:
    """The CPU time of a process in the system's ticks, a hundredth of a second each."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def start_quietly(command: Command, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """A process whose output nobody reads."""
    return subprocess.Popen(command, cwd=cwd, **_quiet())


@contextmanager
def running(command: Command, port: int, *, cwd: Path | None = None) -> Iterator[int]:
    """A process that listens at a port, for as long as the block lasts: its number."""
    process = start_quietly(command, cwd)
    try:
        _wait_until_ready(process.pid, port, command[0])
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def listening(receiver: End) -> Iterator[tuple[int, Path]]:
    """A receiver for as long as the block lasts: its port and its folder."""
    with _folder() as folder:
        port = free_port()
        process = subprocess.Popen(receiver.receive(folder, port), **_quiet())
        try:
            _wait_until_ready(process.pid, port, receiver.name)
            yield port, folder
        finally:
            process.terminate()
            process.wait()


def _quiet(*, tuned: bool = True) -> dict[str, Any]:
    environment = {**os.environ, "TCP_NODELAY": "1", "PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"}
    if not tuned:
        del environment["TCP_NODELAY"]
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # start-up is measured as it is after an installation
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=cache()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def is_accepting(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
