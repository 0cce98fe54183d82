"""Queues what an exam has made: send jobs to the archives, commitment after them, and prints, as the site says.

Queueing again queues only instances that are in no send job yet, so that it can be repeated after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence

from openmodality.activities.commit_jobs import make_commit_job
from openmodality.activities.enhanced_forms import EnhancedForms, read_forms
from openmodality.activities.film_order import FilmOrder
from openmodality.activities.print import make_print_job
from openmodality.activities.send import make_send_job
from openmodality.device.site.site import Peer, Site
from openmodality.exam.instances import list_instances
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue
from openmodality.objects.site_objects import find_uid_maker
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE, is_image
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.transaction import Snapshot, Transaction


class Delivery:
    """Queues send, commit and print jobs of one device."""

    def __init__(self, site: Site, queue: Queue) -> None:
        self._site = site
        self._queue = queue

    def deliver(self, transaction: Transaction, exam: ExamRecord) -> list[Job]:
        """Queue what an exam has made and what is in no send job yet, to every archive of the site."""
        made = [(each.SOPClassUID, each.SOPInstanceUID) for each in list_instances(transaction, exam)]
        forms = self.read_forms(transaction, made)
        queued = []
        for archive in self._site.peers_for("storage"):
            queued += self.send(transaction, archive, forms.find_waiting(transaction, archive.name, made))
        return queued

    def read_forms(self, snapshot: Snapshot, instances: Sequence[tuple[str, str]]) -> EnhancedForms:
        """The enhanced images with a classic series in the studies of these instances."""
        return read_forms(snapshot, find_uid_maker(self._site), instances)

    def print_automatically(self, transaction: Transaction, instances: Sequence[InstanceReference]) -> list[Job]:
        """Queue the images of a step that was completed for each printer that is to print them (RF-4.1.1-11)."""
        made = [(each.SOPClassUID, each.SOPInstanceUID) for each in instances if is_image(each.SOPClassUID)]
        images = self.read_forms(transaction, made).leave_out_classic(made)
        printers = self._site.automatic_printers if images else ()
        orders = [(printer, FilmOrder(layout=printer.settings.automatic_layout)) for printer in printers]
        return [self._queue.enqueue(transaction, make_print_job(*each, images)) for each in orders]

    def send(self, transaction: Transaction, peer: Peer, instances: Sequence[tuple[str, str]]) -> list[Job]:
        """Queue instances for a peer; where it commits automatically, the request for that comes after.

        Of an acquisition in two forms the enhanced images are queued; the job knows of the others.
        """
        instances = self.read_forms(transaction, instances).leave_out_classic(instances)
        if not instances:
            return []
        sending = self._queue.enqueue(transaction, make_send_job(peer, instances))
        if not (peer.settings.automatic_commitment and self.may_commit(peer)):
            return [sending]
        return [sending, self._queue.enqueue(transaction, make_commit_job(peer, instances, after=[sending.id]))]

    def commit(self, transaction: Transaction, peer: Peer, instances: Sequence[tuple[str, str]]) -> Job:
        """Queue a request for commitment, whether the instances were sent or not (MR-2.1.3-02)."""
        chosen = self.read_forms(transaction, instances).choose_sent(transaction, peer.name, instances)
        return self._queue.enqueue(transaction, make_commit_job(peer, chosen))

    def choose_form(
        self, snapshot: Snapshot, peer: Peer, instances: Sequence[tuple[str, str]]
    ) -> Sequence[tuple[str, str]]:
        """What a person chose for a peer, of an acquisition in two forms the one that the peer has or gets first.

        Raises :class:`UsageError` where only the other form than the peer's was chosen.
        """
        classes = (ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE)
        forms = read_forms(snapshot, find_uid_maker(self._site), instances, classes)
        chosen = forms.choose_sent(snapshot, peer.name, instances) if forms.are_both_in(instances) else instances
        forms.refuse_mixing(snapshot, peer.name, chosen)
        return chosen

    def may_commit(self, peer: Peer) -> bool:
        """Whether the peer commits storage and the device asks for it."""
        return peer.offers("storage_commitment") and bool(self._site.list_proposed("storage_commitment", peer))
