"""kill -9 at any moment: what was acknowledged is there, nothing half is there, and every job comes to its end."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.jobs.listing import list_jobs, read_instances
from openmodality.jobs.queue import Queue
from openmodality.jobs.worker import Worker
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import count, instance_references
from openmodality.store.local import LocalStore, open_store
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.fault.store_process import Sends
from tests.peers.forked import STDERR, fork

KILLS = {False: 6, True: 100}
"""How often the process is killed: in the suite, in a soak."""


def run_and_kill(folder: Path, lines: int) -> list[list[str]]:
    """Let the device run until it has said so many lines, kill it, and return all that it said."""
    process = fork("tests.fault.store_process", folder, 1_000_000, stderr=STDERR)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [line.split() for line in said if line.endswith("\n")]


def uids_in(store: LocalStore) -> set[str]:
    with store.read() as connection:
        return {found.SOPInstanceUID for found in instance_references(connection, Level.PATIENT, {})}


@pytest.mark.timeout(120)
def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path, soak: bool) -> None:
    chance = random.Random(7)
    said: dict[str, set[str]] = defaultdict(set)
    for _ in range(KILLS[soak]):
        for words in run_and_kill(tmp_path, chance.randint(1, 120)):
            said[words[0]].add(words[1])
    with open_store(tmp_path, durability="os") as store:
        store.recover()
        there = uids_in(store)
        assert said["stored"] - said["deleting"] <= there
        assert not there & said["deleted"]
        assert there <= said["storing"]
        on_disk = {uid for bucket in store.files.buckets() for uid in store.files.uids(bucket)}
        assert on_disk == there
        assert [path for path in (store.files.root / ".incoming").rglob("*") if path.is_file()] == []
        assert all(len(dcmread(store.files.path(uid)).PixelData) == 32 * 32 * 2 for uid in sorted(there)[::7])
        assert len(said["stored"]) > 50
        finish_jobs(store, said["queued"], there)


def finish_jobs(store: LocalStore, queued: set[str], there: set[str]) -> None:
    """Every job that was queued is known and can be brought to its end."""
    queue = Queue(store.database)
    worker = Worker(queue, {JobKind.SEND: Sends()})
    worker.start()
    while True:
        seen = store.database.changed.count
        with store.read() as connection:
            jobs = list_jobs(connection)
        if all(job.state is JobState.DONE for job in jobs):
            break
        assert store.database.changed.wait(seen, 30.0) != seen
    assert worker.stop()
    assert queued <= {str(job.id) for job in jobs}
    with store.read() as connection:
        results = [instance for job in jobs for instance in read_instances(connection, job.id)]
        assert count(connection, Level.IMAGE) == len(there)
    assert {instance.result for instance in results} == {InstanceResult.SUCCESS}
    assert {instance.SOPInstanceUID for instance in results} <= there
