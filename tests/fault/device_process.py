"""A device in a process of its own, for tests that kill it; ``tests.peers.forked`` starts it.

``run SITE SEED ACKED`` examines patients without end until it is killed; ``finish SITE SEED ACKED`` ends what is open,
waits until the queue is empty and exits; ``rooms SITE SEED ACKED`` ends SEED exams, open at once, and does the same
then. ACKED is the file to which the SOP Instance UID of an image goes as soon as the device has said that the image is
safe.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from openmodality import Modality
from openmodality.exam.series import Series
from openmodality.exam.session import Exam
from openmodality.store.states import JobState
from tests.devices import add_image, quick_source

_ENDING = ("IN PROGRESS", "REGISTERED")


def main() -> None:
    command, site, seed, acked = sys.argv[1:]
    sys.exit(_device(command, Path(site), int(seed), Path(acked)))


def _device(command: str, site: Path, seed: int, acked: Path) -> int:
    chance = random.Random(seed)
    with Modality(site) as modality, acked.open("ab", buffering=0) as file:
        modality.serve()
        for record in modality.exams(*_ENDING):
            _end(modality.find_exam(record.id))
        if command == "rooms":
            _examine_at_once(modality, seed, file.fileno())
        if command in ("finish", "rooms"):
            idle = modality.wait_until_idle(60)
            failed = [(job.id, job.kind, job.reason) for job in modality.jobs.list() if job.state is not JobState.DONE]
            sys.stderr.write(f"jobs that are not done: {failed}\n")
            return 0 if idle and not failed else 1
        while True:
            _examine(modality, chance, file.fileno())


def _end(exam: Exam) -> None:
    if exam.instances():
        exam.complete()
    else:
        exam.discontinue()


def _examine(modality: Modality, chance: random.Random, acked: int) -> None:
    items = modality.worklist_items() or modality.worklist()
    if items and chance.random() < 0.5:
        exam = modality.start_exam(chance.choice(items))
    else:
        exam = modality.start_exam(patient={"PatientID": f"U{chance.randrange(10**6)}", "PatientName": "Test^Kill"})
    for number in range(chance.randrange(1, 3)):
        if modality.site.profile.name == "rf":
            exam.acquire(quick_source("rf"))
            for instance in exam.instances():
                _acknowledge(acked, instance.SOPInstanceUID)
        else:
            _series(exam.series(f"series {number}"), chance, acked)
    if chance.random() < 0.8:
        exam.complete()
    else:
        exam.discontinue("110513")


def _examine_at_once(modality: Modality, count: int, acked: int) -> None:
    """Exams that are all open before the first of them ends."""
    exams = [
        modality.start_exam(patient={"PatientID": f"U{each}", "PatientName": "Test^Room"}) for each in range(count)
    ]
    for exam in exams:
        if modality.site.profile.name == "rf":
            exam.acquire(quick_source("rf"))
            for instance in exam.instances():
                _acknowledge(acked, instance.SOPInstanceUID)
        else:
            with exam.series("series") as series:
                for number in range(2):
                    _acknowledge(acked, add_image(series, number + 1))
    for exam in exams:
        exam.complete()


def _series(series: Series, chance: random.Random, acked: int) -> None:
    for number in range(chance.randrange(1, 4)):
        _acknowledge(acked, add_image(series, number + 1))
    series.close()


def _acknowledge(acked: int, uid: str) -> None:
    os.write(acked, f"{uid}\n".encode())


if __name__ == "__main__":
    main()
