"""Runs of an x-ray detector from pixels to images on disk: ``python -m benchmarks runs``.

``python -m benchmarks.runs DURABILITY FRAMES`` is one process that is measured: it stores runs of 1024 x 1024
frames of 12 bits, each with its exposure, and writes as many files with nothing but their pixels in between, so that
both meet the same machine. It prints the images and the files that it made in a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import cache
from benchmarks.ingest import make_folder, remove_written
from benchmarks.rows import AtLeast, Row
from benchmarks.sites import describe_device, save_site
from openmodality import IrradiationEvent, Modality
from openmodality.exam.series import Series
from openmodality.store.files.instance_file import sync_directory

_PATIENT: Final = {"PatientID": "1", "PatientName": "DOE^JANE"}
_SIDE: Final = 1024
_FRAMES_OF_A_RUN: Final = 10


def measure(durability: str, frames: int) -> tuple[float, float]:
    """Images and bare files a second, by a process of its own."""
    command = (sys.executable, "-m", "benchmarks.runs", durability, str(frames))
    environment = {**os.environ, "PYTHONPATH": f"src{os.pathsep}."}
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    images, files = map(float, ended.stdout.split())
    return images, files


def make_rows(rounds: int) -> list[Row]:
    """One row for each durability."""
    rows = []
    try:
        for durability in ("os", "fsync"):
            measured = [measure(durability, 50 if rounds == 1 else 200) for _ in range(rounds)]
            images, files = (median(each[side] for each in measured) for side in (0, 1))
            what = f"RF frames of {_SIDE} x {_SIDE} from pixels to disk, {durability} durability, vs bare files"
            figures = f"{images:.0f}/s vs {files:.0f}/s"
            rows.append(Row(what, tuple(ours / bare for ours, bare in measured), AtLeast(0.6), figures))
    finally:
        remove_written()
    return rows


def _store_run(series: Series, frames: NDArray[np.uint16]) -> None:
    event = IrradiationEvent(
        RadiationSetting="SC", KVP=80, XRayTubeCurrent=40, PulseRate=15, PulseWidth=8,
        IrradiationDuration=len(frames) / 15, ImageAndFluoroscopyAreaDoseProduct=1.5, DistanceSourceToDetector=1100,
    )  # fmt: skip
    series.add(frames, irradiation=event)


def _write_files(folder: Path, frames: NDArray[np.uint16], number: int, *, is_synced: bool) -> None:
    for index, frame in enumerate(frames):
        with (folder / f"{number}-{index}").open("wb", buffering=0) as file:
            file.write(frame.data)
            if is_synced:
                os.fsync(file.fileno())
    if is_synced:
        sync_directory(str(folder))


def _run(durability: str, frames: int) -> tuple[float, float]:
    folder, bare = make_folder(), make_folder()
    save_site(folder, describe_device(profile="rf", durability=durability))
    pixels = np.random.default_rng(1).integers(0, 4096, (_FRAMES_OF_A_RUN, _SIDE, _SIDE), dtype=np.uint16)
    runs, seconds = frames // _FRAMES_OF_A_RUN, [0.0, 0.0]
    with Modality(folder / "site.toml", works=False) as device, device.exam(patient=_PATIENT) as exam:
        series = exam.series("SWALLOW", modality="RF")
        for number in range(runs + 1):
            start = perf_counter()
            _store_run(series, pixels)
            stored = perf_counter()
            _write_files(bare, pixels, number, is_synced=durability == "fsync")
            ended = perf_counter()
            if number:  # the first run warms both
                seconds[0] += stored - start
                seconds[1] += ended - stored
    made = runs * _FRAMES_OF_A_RUN
    return made / seconds[0], made / seconds[1]


if __name__ == "__main__":
    cache().mkdir(exist_ok=True)
    print(*_run(sys.argv[1], int(sys.argv[2])))
