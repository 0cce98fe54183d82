"""Queues what a person sends, retrieves or asks an archive to keep, beside the jobs of exams (MR-2.1.3-02)."""

from __future__ import annotations

from openmodality.activities.retrieve import Wanted
from openmodality.activities.retrieve_job import make_retrieve_job
from openmodality.app.local_data import LocalData
from openmodality.device.site.site import Site
from openmodality.errors import UsageError
from openmodality.exam.delivery import Delivery
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue
from openmodality.network.entity import normalize_ae_title
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import find_instances_without_exam


class ByHand:
    """Queues what a person chooses here or in an archive: a study, a series or an instance, each by its UID."""

    def __init__(self, site: Site, store: LocalStore, data: LocalData, delivery: Delivery, queue: Queue) -> None:
        self._site = site
        self._store = store
        self._data = data
        self._delivery = delivery
        self._queue = queue

    def send(self, peer: str | None, study: str, series: str, instance: str) -> list[Job]:
        """Queue it for a peer; where that commits automatically, the request for that comes after."""
        target = self._site.choose_peer("storage", peer)
        pairs = self._list_chosen(study, series, instance)
        with self._store.write() as transaction:
            return self._delivery.send(transaction, target, self._delivery.choose_form(transaction, target, pairs))

    def retrieve(self, peer: str | None, wanted: Wanted, destination: str) -> Job:
        """Queue a retrieve. Raises :class:`ConfigurationError` for a destination that is no AE title."""
        source = self._site.choose_peer("retrieve", peer)
        title = normalize_ae_title(destination) if destination else ""
        with self._queue.database.write() as transaction:
            return self._queue.enqueue(transaction, make_retrieve_job(source.name, wanted, title))

    def commit(self, peer: str | None, study: str, series: str, instance: str) -> Job:
        """Queue a request for storage commitment. Raises :class:`UsageError` where the peer does not commit."""
        target = self._site.choose_peer("storage_commitment", peer)
        if target.is_web:
            raise UsageError(
                f"{target.name} is reached over DICOMweb, which has no storage commitment",
                advice="ask an archive that this device reaches by an association",
            )
        if not self._delivery.may_commit(target):
            raise UsageError(f"peer {target.name} is not configured for storage commitment")
        pairs = self._list_chosen(study, series, instance)
        with self._store.write() as transaction:
            return self._delivery.commit(transaction, target, pairs)

    def count_without_exam(self) -> int:
        """How many instances are known by their files alone, and are in no exam and in no send job."""
        with self._store.read() as snapshot:
            return sum(map(len, find_instances_without_exam(snapshot).values()))

    def send_without_exam(self, peer: str | None) -> list[Job]:
        """Queue those instances for a peer, study by study."""
        target = self._site.choose_peer("storage", peer)
        with self._store.write() as transaction:
            found = find_instances_without_exam(transaction)
            queued = [self._delivery.send(transaction, target, pairs) for pairs in found.values()]
        return [job for jobs in queued for job in jobs]

    def _list_chosen(self, study: str, series: str, instance: str) -> list[tuple[str, str]]:
        """SOP Class UID and SOP Instance UID of what is chosen."""
        return [(each.SOPClassUID, each.SOPInstanceUID) for each in self._data.references(study, series, instance)]
