"""A device that works a send job: ``python -m benchmarks.device``.

``prepare`` makes its data folder and imports the files once; ``queue`` puts a send job for files into its queue;
``work`` is the process that is measured: it opens the device, which works its queue, and ends when the job is done.
"""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path
from typing import Final

from benchmarks.sites import UNUSED_PORT, describe_device, describe_peer, save_site
from openmodality import Modality
from openmodality.network.storage.instances import read_instance
from openmodality.store.states import JobState

_LOOK_S: Final = 0.25


def prepare(folder: Path, files: Path) -> None:
    """Make a device in ``folder`` and import the files below ``files``."""
    folder.mkdir(parents=True, exist_ok=True)
    with Modality(_write_site(folder, UNUSED_PORT), works=False) as modality:
        modality.import_files([files])


def queue(folder: Path, path: Path, port: int) -> None:
    """Queue a send job for all files of the folder ``path``, or for one, to an archive at ``port``."""
    identity = read_instance(path if path.is_file() else min(path.iterdir())).identity
    with Modality(_write_site(folder, port), works=False) as modality:
        if path.is_file():
            modality.send(instance=identity.sop_instance_uid)
        else:
            (found,) = modality.studies()
            modality.send(found["StudyInstanceUID"])


def work(folder: Path) -> None:
    """Work the queue until it is empty, and print how many seconds the newest job took, by its row.

    Exit status 1 where it has not sent everything.
    """
    with Modality(folder / "site.toml") as modality:
        pause = threading.Event()
        gc.freeze()  # as the command line does
        while not modality.jobs.idle:  # looked at seldom: who waits for each change takes its share of the time
            pause.wait(_LOOK_S)
        newest = modality.jobs.list(limit=1)[0]
        history = modality.jobs.show(newest.id).history
    if newest.state is not JobState.DONE:
        sys.exit(f"job {newest.id}: {newest.state.value}: {newest.reason}")
    begun = next(change.at for change in history if change.state == JobState.DOING)
    print(history[-1].at - begun)


def _write_site(folder: Path, port: int) -> Path:
    """The device, and the archive that it sends to; nobody listens at its port until a job is queued."""
    return save_site(folder, describe_device(), describe_peer("archive", "ANY", port, services=["storage"]))


if __name__ == "__main__":
    what, where, *more = sys.argv[1:]
    if what == "prepare":
        prepare(Path(where), Path(more[0]))
    elif what == "queue":
        queue(Path(where), Path(more[0]), int(more[1]))
    else:
        work(Path(where))
