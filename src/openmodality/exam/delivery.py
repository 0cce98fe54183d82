"""What was made goes to the archives: send jobs and, where the archive is configured so, commitment after them.

Queueing the same again queues only what is in no send job yet, so that it can be repeated after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from openmodality.activities.commit import commit_job
from openmodality.activities.send import send_job
from openmodality.device.site.site import Peer, Site
from openmodality.jobs.job import Job, Kind
from openmodality.jobs.queue import Queue
from openmodality.store.rows.exams import ExamRecord
from openmodality.store.rows.index_queries import InstanceReference, Level, instance_references
from openmodality.store.schema import job_instances, jobs

_AT_ONCE: Final = 500


class Delivery:
    """Queues send and commit jobs of one device."""

    def __init__(self, site: Site, queue: Queue) -> None:
        self._site = site
        self._queue = queue

    def deliver(self, connection: Connection, exam: ExamRecord) -> list[Job]:
        """Queue what an exam has made and what is in no send job yet, to every archive of the site."""
        made = produced(connection, exam)
        queued = []
        for archive in self._site.peers_for("storage"):
            sent = _in_send_jobs(connection, archive.name, [each.SOPInstanceUID for each in made])
            fresh = [(each.SOPClassUID, each.SOPInstanceUID) for each in made if each.SOPInstanceUID not in sent]
            queued += self.send(connection, archive, fresh)
        return queued

    def send(self, connection: Connection, peer: Peer, instances: Sequence[tuple[str, str]]) -> list[Job]:
        """Queue instances for a peer; where it commits automatically, the request for that comes after."""
        if not instances:
            return []
        sending = self._queue.enqueue(connection, send_job(peer, instances))
        if not (peer.automatic_commitment and self.may_commit(peer)):
            return [sending]
        return [sending, self._queue.enqueue(connection, commit_job(peer, instances, after=[sending.id]))]

    def commit(self, connection: Connection, peer: Peer, instances: Sequence[tuple[str, str]]) -> Job:
        """Queue a request for commitment, whether the instances were sent or not (MR-2.1.3-02)."""
        return self._queue.enqueue(connection, commit_job(peer, instances))

    def may_commit(self, peer: Peer) -> bool:
        """Whether the peer commits storage and the device asks for it."""
        return peer.offers("storage_commitment") and bool(self._site.proposed("storage_commitment", peer))


def produced(connection: Connection, exam: ExamRecord) -> list[InstanceReference]:
    """The instances of the series of an exam."""
    uids = [series.series_instance_uid for series in exam.series]
    if not uids:
        return []
    found = []
    for start in range(0, len(uids), _AT_ONCE):
        keys = {"SeriesInstanceUID": "\\".join(uids[start : start + _AT_ONCE])}
        found += instance_references(connection, Level.IMAGE, keys)
    return found


def _in_send_jobs(connection: Connection, destination: str, uids: Sequence[str]) -> set[str]:
    columns = job_instances.c
    sending = select(jobs.c.id).where(jobs.c.kind == Kind.SEND, jobs.c.destination == destination)
    found: set[str] = set()
    for start in range(0, len(uids), _AT_ONCE):
        part = columns.SOPInstanceUID.in_(uids[start : start + _AT_ONCE])
        found.update(
            connection.execute(select(columns.SOPInstanceUID).where(part, columns.job_id.in_(sending))).scalars()
        )
    return found
