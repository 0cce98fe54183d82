"""From pixels to images on disk and in archives, and to peers as they are installed."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import data, ingest
from benchmarks.archives import ORTHANC
from benchmarks.ends import BARE, DCMTK, OURS, End, listening, transfer
from benchmarks.rows import AtLeast, AtMost, Row, Shown

_SIDE: Final = 256
_BESIDE_ORTHANC: Final = ((OURS, False), (DCMTK, False), (BARE, True))
"""Senders, and whether both ends have TCP_NODELAY=1."""


def make_images(rounds: int) -> list[Row]:
    """Pixels to images of a device on disk: in a small form with one round, with 1,000 images else."""
    try:
        return [
            *_images_on_disk(rounds),
            *_pixels_to_pacs(200 if rounds == 1 else 1000, rounds),
            *_installed_peers(rounds),
        ]
    finally:
        ingest.remove_written()


def _images_on_disk(rounds: int) -> list[Row]:
    few, many_ = (100, 200) if rounds == 1 else (300, 1000)
    size = "MR images of 256 x 256"
    each = {durability: _rate("each", durability, few, rounds) for durability in ("os", "fsync")}
    bare = _rate("bare", "fsync", few, rounds)
    volume, plain = _rates_by_turns(("volume", "os", many_), ("pydicom", "os", few), rounds)
    synced, together = _rates_by_turns(("volume", "fsync", many_), ("bare-together", "fsync", many_), rounds)
    memory = ingest.measure("iterator", "os", 100 if rounds == 1 else 2000)
    return [
        Row(f"{size}, series.add one by one, os durability, per second", each["os"], AtLeast(500), ""),
        Row(
            f"{size}, series.add one by one, fsync, per second",
            each["fsync"],
            AtLeast(250),
            f"bare {median(bare):.0f}/s",
        ),
        Row(
            "the same as a share of bare create, write, fsync and commit",
            tuple(ours / theirs for ours, theirs in zip(each["fsync"], bare, strict=True)),
            Shown(),
            f"{median(each['fsync']):.0f}/s vs {median(bare):.0f}/s",
        ),
        Row(
            f"{size}, a volume of {many_} in one call, fsync, per second",
            synced,
            AtLeast(600),
            f"bare {median(together):.0f}/s",
        ),
        Row(
            "the same as a share of bare create and write, fsync by 16 threads and one commit",
            tuple(ours / bare for ours, bare in zip(synced, together, strict=True)),
            Shown(),
            f"{median(synced):.0f}/s vs {median(together):.0f}/s",
        ),
        Row(
            "a volume vs one plain data set of pydicom for each image, os durability",
            tuple(ours / theirs for ours, theirs in zip(volume, plain, strict=True)),
            AtLeast(8),
            f"{median(volume):.0f}/s vs {median(plain):.0f}/s",
        ),
        Row("2,000 images of 512 x 512 from an iterator, peak memory, MB", (memory,), AtMost(150), f"{memory:.0f} MB"),
    ]


def make_enhanced(rounds: int) -> list[Row]:
    """Enhanced MR Images: one of 1,000 frames, in a small form with one round."""
    frames = 100 if rounds == 1 else 1000
    try:
        # In turns: what the write of the system costs changes from one minute to the next.
        both = [(_measure("enhanced", frames), _measure("enhanced-bare", frames)) for _ in range(rounds)]
        memory = _rate("enhanced-memory", "fsync", frames, rounds)
    finally:
        ingest.remove_written()
    seconds, bare = tuple(ours for ours, _ in both), tuple(theirs for _, theirs in both)
    what = f"an Enhanced MR Image of {frames} frames of 256 x 256"
    figures = f"{median(seconds):.2f} s for {frames * 0.131:.0f} MB"
    return [
        Row(f"{what}, built and on disk with fsync, CPU seconds", seconds, AtMost(1.0), figures),
        Row(
            "a bare write of its pixels, with fsync, CPU seconds", bare, Shown(), "the system's share of the row above"
        ),
        Row(f"{what}, scaled: peak memory beside the array, times its size", memory, AtMost(2.0), ""),
    ]


def _measure(work: str, frames: int) -> float:
    return ingest.measure(work, "fsync", frames)


def _rate(work: str, durability: str, images: int, rounds: int) -> tuple[float, ...]:
    return tuple(ingest.measure(work, durability, images) for _ in range(rounds))


def _rates_by_turns(
    one: tuple[str, str, int], other: tuple[str, str, int], rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of two works that are compared: what the machine does beside them changes from one minute to the next."""
    pairs = [(ingest.measure(*one), ingest.measure(*other)) for _ in range(rounds)]
    return tuple(ours for ours, _ in pairs), tuple(theirs for _, theirs in pairs)


def _pixels_to_pacs(count: int, rounds: int) -> list[Row]:
    """From the end of ``add_volume`` to that of the send job, beside ``openmodality send`` of as many images."""
    folder = data.series(f"mr-{count}", count, _SIDE, _SIDE)
    jobs, commands = [], []
    for _ in range(rounds):
        with listening(OURS) as (port, _):
            jobs.append(ingest.measure("pacs", "os", count, port))
        commands.append(transfer(OURS, OURS, folder).seconds)
    ratios = tuple(job / command for job, command in zip(jobs, commands, strict=True))
    what = f"{count} slices from the end of add_volume to that of their send job, vs openmodality send"
    return [Row(what, ratios, AtMost(1.3), f"{median(jobs):.2f} s vs {median(commands):.2f} s")]


def _installed_peers(rounds: int) -> list[Row]:
    """Programs of others as they are installed: without TCP_NODELAY."""
    count = 100 if rounds == 1 else 1000
    return [*_installed_dcmtk(count, min(rounds, 2)), *_installed_orthanc(max(count // 5, 50), min(rounds, 2))]


def _installed_orthanc(count: int, rounds: int) -> list[Row]:
    """By turns: what one of them costs changes with what the disk did for those before it."""
    folder = data.series(f"mr-{count}", count, _SIDE, _SIDE)
    taken = [
        [_send_to_orthanc(sender, folder, count, tuned=tuned) for sender, tuned in _BESIDE_ORTHANC]
        for _ in range(rounds)
    ]
    ours, theirs, bare = zip(*taken, strict=True)
    what = f"{count} x 128 KB to Orthanc, ours vs"
    return [
        Row(
            f"{what} storescu, all as installed, whole processes",
            tuple(other / own for own, other in zip(ours, theirs, strict=True)),
            AtLeast(10),
            f"{median(ours):.2f} s vs {median(theirs):.2f} s",
        ),
        Row(
            f"{what} a bare end with TCP_NODELAY=1 at both ends, which has Orthanc's own time alone",
            tuple(own / least for own, least in zip(ours, bare, strict=True)),
            Shown(),
            f"{median(ours):.2f} s vs {median(bare):.2f} s",
        ),
    ]


def _send_to_orthanc(sender: End, folder: Path, count: int, *, tuned: bool) -> float:
    run = transfer(sender, ORTHANC, folder, tuned=tuned)
    if run.arrived != count:
        raise RuntimeError(f"{sender.name}: {run.arrived} of {count} images arrived at Orthanc")
    return run.seconds


def _installed_dcmtk(count: int, rounds: int) -> list[Row]:
    folder = data.series(f"mr-{count}", count, _SIDE, _SIDE)
    theirs = [transfer(DCMTK, DCMTK, folder, tuned=False).seconds for _ in range(rounds)]
    return [
        Row(
            f"{count} x 128 KB, {what}, vs storescu to storescp, all as installed, whole processes",
            tuple(other / transfer(sender, receiver, folder, tuned=False).seconds for other in theirs),
            AtLeast(must),
            f"{median(theirs):.1f} s for theirs",
        )
        for what, sender, receiver, must in (
            ("ours to storescp", OURS, DCMTK, 20),
            ("storescu to ours", DCMTK, OURS, 20),
        )
    ]
