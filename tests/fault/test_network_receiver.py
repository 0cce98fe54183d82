"""``openmodality receive`` in a process of its own: a disk that fills up, and kill -9 at any moment."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

import openmodality
from openmodality.errors import OpenModalityError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.storage import InstanceIdentity, StoreResult, store
from openmodality.upper_layer.negotiation import ContextProposal
from tests.fault.wire import IMPLICIT, MR, data_set_of, image
from tests.peers.process import HOST

SOURCE = Path(openmodality.__file__).parents[1]
COMMAND = [sys.executable, "-c", "from openmodality.cli.main import main; main()", "receive"]
KILLS = {False: 8, True: 200}
"""How often the receiver is killed: in the suite, in a soak."""
PROPOSALS = [ContextProposal(MR, (IMPLICIT,))]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiving process and its address."""

    process: subprocess.Popen[str]
    remote: RemoteAE


@contextmanager
def receiving(folder: Path, limit: Callable[[], None] | None = None) -> Iterator[Receiver]:
    """Keep ``openmodality receive`` running; ``limit`` is called in the new process."""
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--port", "0", "--host", HOST],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert said.startswith("listening on port "), said
        yield Receiver(process, RemoteAE("RECEIVER", HOST, int(said.split()[3].strip(","))))
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def send(remote: RemoteAE, uids: Iterator[str], size: Callable[[], int]) -> Iterator[tuple[str, StoreResult]]:
    """Store one instance after another over one association; yields what was answered."""
    with associate(remote, LocalAE("SENDER"), PROPOSALS) as association:
        for uid in uids:
            data = image(uid, size())
            yield uid, store(association, association.contexts[0], InstanceIdentity(MR, uid), data)


def stored(folder: Path) -> dict[str, bytes]:
    """Data sets of the files under their final names."""
    return {path.stem: data_set_of(path.read_bytes()) for path in folder.glob("*.dcm")}


def temporary(folder: Path) -> list[Path]:
    """Files that are not under a final name."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".dcm"]


def test_a_disk_that_is_full_refuses_one_instance_and_takes_the_next(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    sizes = iter([1_000_000, 100_000, 300_000, 1_000])
    with receiving(tmp_path, limit) as receiver:
        results = dict(send(receiver.remote, iter(["1.2.1", "1.2.2", "1.2.3", "1.2.4"]), lambda: next(sizes)))
        assert [result.status for result in results.values()] == [0xA700, 0, 0xA700, 0]
        assert results["1.2.1"].comment == "cannot write an instance file: File too large"
        assert stored(tmp_path) == {"1.2.2": image("1.2.2", 100_000), "1.2.4": image("1.2.4", 1_000)}
        assert temporary(tmp_path) == []


@pytest.mark.timeout(120)
def test_kill_9_loses_nothing_that_was_answered_and_leaves_nothing_half_written(tmp_path: Path, soak: bool) -> None:
    chance, numbers = random.Random(3), count(1)
    uids = (f"1.2.826.0.1.{number}" for number in numbers)
    answered: set[str] = set()
    interrupted = 0
    for kill in range(KILLS[soak]):
        with receiving(tmp_path) as receiver:
            killer = threading.Timer(chance.uniform(0.001, 0.08), receiver.process.kill)
            if kill % 2:
                killer.start()  # it may fall into the handshake; the others come after the first answer
            try:
                for uid, result in send(receiver.remote, uids, lambda: 2 * chance.randrange(100, 300_000)):
                    assert result.status == 0
                    answered.add(uid)
                    if killer.ident is None:
                        killer.start()
            except OpenModalityError:
                interrupted += 1
            killer.join()
    assert interrupted == KILLS[soak]
    left_behind = len(temporary(tmp_path))
    with receiving(tmp_path):
        assert temporary(tmp_path) == [], f"{left_behind} were left by the kills"
    found = stored(tmp_path)
    assert answered <= found.keys()
    assert answered, "no process lived long enough to answer"
    for uid, data in found.items():
        pixels = int.from_bytes(data[data.index(b"\xe0\x7f\x10\0") + 4 :][:4], "little")
        assert data == image(uid, pixels), "a file under its final name is not what was sent"
