from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from openmodality.activities.audit import AuditTrail
from openmodality.app import housekeeping
from openmodality.app.housekeeping import Housekeeping, delete_committed
from openmodality.device.site.site import Site
from openmodality.jobs.job import NewJob
from openmodality.jobs.queue import Queue
from openmodality.services.commitment import CommitmentResult, Reference
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore
from openmodality.store.rows.commitments import find_request, insert_request, record_result
from openmodality.store.rows.deletion import Deleted
from openmodality.store.rows.jobs import change_state
from openmodality.store.states import JobKind, JobState
from tests.peers.objects import mr_series

PATIENT = "Doe^Jane"


def test_what_is_committed_and_needed_by_no_job_is_deleted(store: LocalStore, tmp_path: Path) -> None:
    committed, other = mr_series(tmp_path / "in", 2, rows=4, columns=4)
    for path in (committed, other):
        store.add_file(path)
    reference = Reference("1.2.840.10008.5.1.4.1.1.4", committed.stem)
    with store.write() as transaction:
        pair = (reference.sop_class_uid, reference.sop_instance_uid)
        job = Queue(store.database).enqueue(transaction, NewJob(JobKind.COMMIT, "PACS", instances=[pair]))
        insert_request(transaction, "1.9", "PACS", job.id, [reference])
    assert delete_committed(store) == 0  # the archive has not answered
    with store.write() as transaction:
        request = find_request(transaction, "1.9")
        assert request is not None
        record_result(transaction, request, CommitmentResult("1.9", (reference,)))
    assert delete_committed(store) == 0  # the job is not done
    with store.write() as transaction:
        change_state(transaction, job.id, JobState.DONE)
    assert delete_committed(store) == 1
    assert (store.files.path(committed.stem).exists(), store.files.path(other.stem).exists()) == (False, True)
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 1


def test_an_instance_with_a_fault_keeps_no_other_from_its_deletion(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def fail_at_first(store: LocalStore, level: Level, uid: str, tell: object) -> Deleted:
        asked.append(uid)
        if uid == "1.1":
            raise KeyError(PATIENT)
        return Deleted(0, 0, 0, 1)

    monkeypatch.setattr(housekeeping, "read_unneeded", lambda snapshot: ["1.1", "1.2"])
    monkeypatch.setattr(housekeeping, "delete_entity", fail_at_first)
    assert delete_committed(store) == 1
    assert asked == ["1.1", "1.2"]
    (record,) = caplog.records
    assert (record.message, vars(record)["error"]) == ("housekeeping.not_deleted", "KeyError")
    assert "Doe" not in str(vars(record))


def test_a_fault_does_not_end_the_thread(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks, again = iter([KeyError("Doe^Jane")]), threading.Event()

    def look(store: LocalStore, tell: object) -> int:
        for error in looks:
            raise error
        again.set()
        return 0

    monkeypatch.setattr(housekeeping, "delete_committed", look)
    monkeypatch.setattr(housekeeping, "_RETRY_S", 0.001)
    with Housekeeping(store, cast("Site", None), cast(AuditTrail, SimpleNamespace(note_deleted=None))):
        assert again.wait(10)
    assert [(record.message, vars(record)["error"]) for record in caplog.records] == [
        ("housekeeping.crashed", "KeyError")
    ]
