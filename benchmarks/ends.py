"""The two ends of a transfer as processes: ours, DCMTK's, pynetdicom's, and a bare socket."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.data import cache
from tests.peers.process import free_port, wait_until

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class End:
    """A program: its name in the tables and how it is called, as receiver and as sender."""

    name: str
    receive: Callable[[Path, int], Command]
    send: Callable[[Path, int], Command]


def _ours(*arguments: str) -> Command:
    return (sys.executable, "-c", "from openmodality.cli.main import main; main()", *arguments)


OURS = End(
    "OpenModality",
    lambda folder, port: _ours("receive", str(folder), "--port", str(port), "--durability", "os"),
    lambda path, port: _ours("send", f"ANY@127.0.0.1:{port}", str(path)),
)
DCMTK = End(
    "DCMTK",
    lambda folder, port: ("storescp", "-od", str(folder), str(port)),
    lambda path, port: ("storescu", "127.0.0.1", str(port), "--scan-directories", str(path)),
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


@dataclass(frozen=True, slots=True)
class Run:
    """One sender process: its wall time, the peak memory of both ends in MB, how many files arrived."""

    seconds: float
    sender_mb: float
    receiver_mb: float
    arrived: int


def transfer(sender: End, receiver: End, path: Path) -> Run:
    """Send everything below ``path`` once, into an empty folder, with fresh processes at both ends."""
    with _folder() as folder:
        port = free_port()
        process = subprocess.Popen(receiver.receive(folder, port), **_quiet())
        try:
            wait_until(lambda: _accepts(port), what=f"{receiver.name} to listen")
            start = perf_counter()
            sending = subprocess.Popen(sender.send(path, port), **_quiet())
            _, status, usage = os.wait4(sending.pid, 0)
            seconds = perf_counter() - start
        finally:
            process.terminate()
            _, _, receiver_usage = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"{sender.name} to {receiver.name} failed")
        arrived = sum(1 for file in folder.rglob("*") if file.is_file())
        return Run(seconds, usage.ru_maxrss / 1024, receiver_usage.ru_maxrss / 1024, arrived)


def timed(command: Command) -> float:
    """Wall time of a whole process, in seconds."""
    start = perf_counter()
    subprocess.run(command, check=True, **_quiet())
    return perf_counter() - start


@contextmanager
def listening(receiver: End) -> Iterator[tuple[int, Path]]:
    """A receiver for as long as the block lasts: its port and its folder."""
    with _folder() as folder:
        port = free_port()
        process = subprocess.Popen(receiver.receive(folder, port), **_quiet())
        try:
            wait_until(lambda: _accepts(port), what=f"{receiver.name} to listen")
            yield port, folder
        finally:
            process.terminate()
            process.wait()


def _quiet() -> dict[str, Any]:
    environment = {**os.environ, "TCP_NODELAY": "1", "PYTHONPATH": f"src{os.pathsep}."}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # start-up is measured as it is after an installation
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=cache()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
