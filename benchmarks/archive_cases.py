"""A device as an archive, beside archives of others: storing, queries, retrieves."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from benchmarks import data
from benchmarks.archives import DCMQRSCP, ORTHANC, STORESCU_TO_DCMQRSCP
from benchmarks.asking import device_with_index, orthanc_with_index, time_find, time_move
from benchmarks.ends import BARE, DCMTK, ONE_AT_A_TIME, OURS, End, transfer
from benchmarks.rows import AtLeast, Row, Shown
from benchmarks.serving import SERVE, SERVE_AS_INSTALLED


class Archive(NamedTuple):
    """Who receives, from which storescu, and the bar for a device beside it."""

    receiver: End
    sender: End
    must: AtLeast


_OTHERS: Final = (
    Archive(ORTHANC, DCMTK, AtLeast(3)),
    Archive(DCMQRSCP, STORESCU_TO_DCMQRSCP, AtLeast(5)),
)
_INSTALLED_FILES: Final = 100
"""Each takes some 40 ms, while one side waits for the acknowledgement of the other (Nagle's algorithm)."""


def received_by_archives(rounds: int) -> list[Row]:
    """What storescu sends to a device and to archives of others; few images with one round.

    First with TCP_NODELAY=1 at both ends, where a bare receiver tells what is possible beside storescu: it looks at
    nothing and waits without sleeping. Then all as installed.
    """
    return [*_receive_tuned(300 if rounds == 1 else 1000, rounds), *_receive_as_installed(rounds)]


def _receive_tuned(count: int, rounds: int) -> list[Row]:
    """Objects per second after start-up: the wall time for all, less that for one."""
    folder = data.series(f"mr-{count}", count, 256, 256)
    one = min(folder.iterdir())
    pairs = [(DCMTK, SERVE), (DCMTK, BARE), *((other.sender, other.receiver) for other in _OTHERS)]
    rates: list[list[float]] = [[] for _ in pairs]
    for _ in range(rounds):
        for column, (sender, receiver) in zip(rates, pairs, strict=True):
            start_up = min(transfer(sender, receiver, one).seconds for _ in range(2))
            column.append((count - 1) / (_take_all(sender, receiver, folder, count) - start_up))
    rows = []
    for name, own, shows in (("serve with its index", rates[0], False), ("a bare receiver", rates[1], True)):
        for other, theirs in zip(_OTHERS, rates[2:], strict=True):
            what = f"{count} x 128 KB, storescu to {name} vs storescu to {other.receiver.name}"
            figures = f"{median(own):.0f}/s vs {median(theirs):.0f}/s"
            rows.append(Row(what, _divide(own, theirs), Shown() if shows else other.must, figures))
    return rows


def _receive_as_installed(rounds: int) -> list[Row]:
    """Wall time of the whole storescu; the device is durable against a power failure, as it is by default."""
    count = _INSTALLED_FILES
    folder = data.series(f"mr-{count}", count, 256, 256)
    pairs = [(DCMTK, SERVE_AS_INSTALLED), *((other.sender, other.receiver) for other in _OTHERS)]
    seconds: list[list[float]] = [[] for _ in pairs]
    for _ in range(rounds):
        for column, (sender, receiver) in zip(seconds, pairs, strict=True):
            column.append(_take_all(sender, receiver, folder, count, tuned=False))
    own, *theirs = seconds
    return [
        Row(
            f"{count} x 128 KB, all as installed, storescu to serve vs storescu to {other.receiver.name}",
            _divide(taken, own),
            other.must,
            f"{median(own):.2f} s vs {median(taken):.2f} s",
        )
        for other, taken in zip(_OTHERS, theirs, strict=True)
    ]


def _take_all(sender: End, receiver: End, folder: Path, count: int, *, tuned: bool = True) -> float:
    """The seconds of a transfer after which everything is there."""
    run = transfer(sender, receiver, folder, tuned=tuned)
    if run.arrived != count:
        raise RuntimeError(f"{receiver.name}: {run.arrived} of {count} files arrived")
    return run.seconds


def _divide(these: list[float], those: list[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(these, those, strict=True))


def queried(rounds: int) -> list[Row]:
    """One study of ten, found by a device and by Orthanc; fewer studies with one round."""
    studies = 5000 if rounds == 1 else 10_000
    with device_with_index(studies) as ours, orthanc_with_index(studies) as theirs:
        for server in (ours, theirs):
            time_find(server, studies)
        taken = [(*time_find(ours, studies), *time_find(theirs, studies)) for _ in range(rounds)]
    own_s, own_cpu_s, other_s, other_cpu_s = zip(*taken, strict=True)
    what, found = (
        f"C-FIND, {studies // 10} matches of {studies} studies, the same client, ours vs Orthanc",
        studies / 10,
    )
    return [
        Row(
            what,
            tuple(other / own for own, other in zip(own_s, other_s, strict=True)),
            AtLeast(5),
            f"{found / median(own_s):.0f}/s vs {found / median(other_s):.0f}/s",
        ),
        Row(
            f"{what}, CPU time of the server",
            tuple(other / own for own, other in zip(own_cpu_s, other_cpu_s, strict=True)),
            Shown(),
            f"{median(own_cpu_s) / found * 1000:.2f} ms vs {median(other_cpu_s) / found * 1000:.2f} ms for each match",
        ),
    ]


def moved(rounds: int) -> list[Row]:
    """Images that a device sends where a C-MOVE asks it to, and our own send of the same files."""
    count = 300 if rounds == 1 else 1000
    folder = data.series(f"mr-{count}", count, 256, 256)
    one = min(folder.iterdir())
    rates: list[tuple[float, float]] = []
    for _ in range(rounds):
        start_up = min(transfer(ONE_AT_A_TIME, OURS, one).seconds for _ in range(2))
        direct = (count - 1) / (transfer(ONE_AT_A_TIME, OURS, folder).seconds - start_up)
        rates.append((count / time_move(folder), direct))
    figures = " vs ".join(f"{median(column):.0f}/s" for column in zip(*rates, strict=True))
    what = f"{count} x 128 KB, C-MOVE by a device vs our send, one request open in both"
    return [Row(what, tuple(own / direct for own, direct in rates), AtLeast(0.8), figures)]
