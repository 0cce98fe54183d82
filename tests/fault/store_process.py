"""A device in a process of its own, made to be killed: stores instances, queues and works jobs, deletes.

What it writes to standard output it has acknowledged before: a line is written when the call has returned.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from openmodality.jobs.job import Job, NewJob
from openmodality.jobs.outcome import Done, JobOutcome
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.jobs.worker import Worker
from openmodality.standard.query_retrieve import Level
from openmodality.store.local import LocalStore, open_store
from openmodality.store.rows.deletion import delete_entity
from openmodality.store.states import InstanceResult, JobKind, Origin
from tests.peers.objects import mr_image

CLASS = "1.2.840.10008.5.1.4.1.1.4"
_PLACE = "1.2.826.0.1.3680043.10.9999999999"
_IN_A_JOB = 8


def say(*words: object) -> None:
    """Acknowledge, in one write that a kill cannot part."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Sends:
    """Says of each instance that it is sent and then reports it."""

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        for instance in report.read_outstanding():
            say("sent", job.id, instance.SOPInstanceUID)
            report.note_instance(instance.SOPInstanceUID, InstanceResult.SUCCESS, status=0)
        return Done()


def contents() -> Iterator[tuple[str, bytes]]:
    """Instances without end, each with another UID of the same length."""
    buffer = BytesIO()
    image = mr_image(rows=32, columns=32, SOPInstanceUID=_PLACE, StudyInstanceUID="1.2.1", SeriesInstanceUID="1.2.1.1")
    image.save_as(buffer, enforce_file_format=True)
    template = buffer.getvalue()
    first = int.from_bytes(os.urandom(4), "big") + 10**9
    for number in range(first, first + 10**6):
        uid = f"{_PLACE[:-10]}{number}"
        yield uid, template.replace(_PLACE.encode(), uid.encode())


def put(store: LocalStore, uid: str, content: bytes) -> None:
    """Store one instance in several writes."""
    say("storing", uid)
    file = store.create(uid, content[:400])
    for start in range(400, len(content), 700):
        file.write(memoryview(content)[start : start + 700])
    stored = store.accept(file, Origin.ACQUIRED)
    say("stored", uid, stored.name)


def main(folder: Path, rounds: int) -> None:
    """Go on for so many rounds; each stores some instances, queues a job for them, and deletes another one."""
    with open_store(folder, durability="os") as store:
        store.recover()
        queue = Queue(store.database)
        worker = Worker(queue, {JobKind.SEND: Sends()})
        worker.start()
        source = contents()
        for _ in range(rounds):
            batch = [next(source) for _ in range(_IN_A_JOB)]
            for uid, content in batch:
                put(store, uid, content)
            with store.write() as connection:
                job = queue.enqueue(
                    connection, NewJob(JobKind.SEND, "PACS", instances=[(CLASS, uid) for uid, _ in batch])
                )
            say("queued", job.id)
            unwanted, content = next(source)
            put(store, unwanted, content)
            say("deleting", unwanted)
            delete_entity(store, Level.IMAGE, unwanted, force=True)
            say("deleted", unwanted)
        worker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
