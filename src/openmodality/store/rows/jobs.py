"""Rows of ``jobs`` and ``job_instances``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from openmodality.store.schema import job_instances, jobs
from openmodality.store.transaction import Snapshot

_AT_ONCE = 500


def uids_in_send_jobs(snapshot: Snapshot, destination: str, uids: Sequence[str]) -> set[str]:
    """Those of the instances that are in a send job to the destination, whatever its state."""
    columns = job_instances.c
    sending = select(jobs.c.id).where(jobs.c.kind == "send", jobs.c.destination == destination)
    queued: set[str] = set()
    for start in range(0, len(uids), _AT_ONCE):
        part = columns.SOPInstanceUID.in_(uids[start : start + _AT_ONCE])
        queued.update(
            snapshot.execute(select(columns.SOPInstanceUID).where(part, columns.job_id.in_(sending))).scalars()
        )
    return queued
