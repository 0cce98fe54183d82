"""A device that kills itself at a chosen moment; ``tests.peers.forked`` starts it.

``take SITE FOLDER POINT`` takes files out of FOLDER into the first exam; ``complete SITE EXAM POINT`` completes an
exam, ``enhance`` adds an enhanced image to it, ``work`` does the jobs that there are. At the POINT-th moment at which
something becomes lasting (a file gets or loses a name, a transaction is committed: before it and after it) the device
sends itself SIGKILL; at none where POINT is 0.
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy.engine import Connection

from openmodality import Modality
from openmodality.acquisition.drop_folder import DropFolder, FolderState
from openmodality.acquisition.drop_folder import log as drop_log
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.store.files.instance_file import InstanceFile


class Moments:
    """Counts the moments and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def pass_one(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self.pass_one()
            result = inner(*arguments, **named)
            self.pass_one()
            return result

        setattr(owner, name, watched)


def main() -> None:
    command, site, argument, point = sys.argv[1:]
    drop_log.disabled = True
    with Modality(pathlib.Path(site), works=command == "work") as modality:
        moments = Moments(int(point))
        for owner, name in (
            (os, "link"),
            (os, "unlink"),
            (pathlib.Path, "rename"),
            (InstanceFile, "complete"),
            (Connection, "_commit_impl"),
        ):
            moments.watch(owner, name)
        if command == "take":
            _take(modality, pathlib.Path(argument))
        elif command == "enhance":
            _enhance(modality, int(argument))
        elif command == "work":
            modality.wait_until_idle(60)
        else:
            modality.find_exam(int(argument)).complete()


def _take(modality: Modality, folder: pathlib.Path) -> None:
    exam = modality.find_exam(1)

    def take(arrival: Any) -> None:
        exam.take(arrival)

    drop, state = DropFolder(folder, take, settle_s=0), FolderState()
    for _ in range(2):  # a file is complete when it looks the same twice
        state = drop.step(state, time.monotonic())


def _enhance(modality: Modality, exam: int) -> None:
    series = modality.find_exam(exam).series("dwi", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
    values = np.arange(3 * 16 * 12, dtype=np.uint16).reshape(3, 16, 12)
    series.add_volume(values, np.diag([1.0, 1.0, 2.0, 1.0]), space="LPS", axes="kji")


if __name__ == "__main__":
    main()
