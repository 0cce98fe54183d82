"""Puts transfers on record: those of send jobs and of retrieves by peers, and what peers store here.

One message for each association and study, not for each instance. What is sent is on record before the first instance
leaves; what comes is on record with its first instance in the index, and again with the counts when the association
ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from openmodality.activities.audit import AuditTrail
from openmodality.audit.events import Partner, tell_transfer_begun, tell_transferred
from openmodality.audit.subjects import StudySubject
from openmodality.dimse.channel import Channel, Message, PeerInfo
from openmodality.dimse.service import Response, Service
from openmodality.network.association import Association
from openmodality.network.storage.sent import Sent
from openmodality.query.moving import SubOperation, Transfer
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.dimse import CommandField
from openmodality.store.files.indexed_attributes import IndexedValues
from openmodality.store.local import LocalStore


class SendingTrail:
    """One run of a send job: a context manager that puts on record at its end what was sent."""

    def __init__(self, trail: AuditTrail | None, partner: Partner) -> None:
        self._trail = trail
        self._partner = partner
        self._has_begun = False
        self._sent: list[str] = []
        self._failed: list[str] = []

    def watch(
        self, associate: Callable[[AssociationPlan], Association], sop_instance_uids: Sequence[str]
    ) -> Callable[[AssociationPlan], Association]:
        """A function that opens an association, and puts the run on record before anything goes over it."""

        def associate_and_tell(plan: AssociationPlan) -> Association:
            association = associate(plan)
            try:
                self.begin(sop_instance_uids)
            except BaseException:
                association.abort()
                raise
            return association

        return associate_and_tell

    def note(self, results: Iterator[Sent]) -> Iterator[Sent]:
        """Pass the results on, and remember what became of each instance."""
        for sent in results:
            if sent.was_offered or sent.is_stored:
                self.note_one(sent.instance.identity.sop_instance_uid, is_stored=sent.is_stored)
            yield sent

    def note_one(self, sop_instance_uid: str, *, is_stored: bool) -> None:
        """Remember what became of an instance."""
        (self._sent if is_stored else self._failed).append(sop_instance_uid)

    def begin(self, sop_instance_uids: Sequence[str]) -> None:
        """Instances are about to leave: on record once for the run. Raises :class:`StoreError` where it cannot be."""
        if self._trail is not None and not self._has_begun:
            self._trail.begin_sending(self._partner, sop_instance_uids)
        self._has_begun = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._trail is not None and self._has_begun and (self._sent or self._failed):
            self._trail.end_sending(self._partner, self._sent, self._failed)


class TransferTrail:
    """Fulfils :class:`openmodality.query.moving.Transfer`: puts the retrieve of a peer on record."""

    def __init__(self, transfer: Transfer, trail: AuditTrail, partner: Partner) -> None:
        self._transfer = transfer
        self._trail = trail
        self._partner = partner

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        """The instances that match."""
        return self._transfer.sop_instance_uids

    @property
    def reason(self) -> str:
        """Why instances failed."""
        return self._transfer.reason

    def perform(self) -> Iterator[tuple[str, SubOperation] | None]:
        """Send one instance after the other, as the transfer does."""
        uids = self.sop_instance_uids
        self._trail.begin_sending(self._partner, uids)
        sent = list[str]()
        try:
            for result in self._transfer.perform():
                if result is not None and result[1] is not SubOperation.FAILED:
                    sent.append(result[0])
                yield result
        finally:
            arrived = set(sent)
            self._trail.end_sending(self._partner, sent, [uid for uid in uids if uid not in arrived])


class ArrivalTrail:
    """Puts on record what peers store here, by association and study. Each association has a thread and counts."""

    def __init__(self, trail: AuditTrail, store: LocalStore) -> None:
        self._trail = trail
        self._store = store
        self._of_peers: dict[int, dict[str, tuple[StudySubject, Counter[str]]]] = {}

    def note(self, peer: PeerInfo, study_instance_uid: str, sop_class_uid: str, values: IndexedValues) -> None:
        """An instance is about to be stored. The first of a study is on record with its row of the index."""
        studies = self._of_peers.get(id(peer))
        if studies is None:
            return  # no association ends for it: a test, or a way in of our own
        known = studies.get(study_instance_uid)
        if known is None:
            attributes = values.decode_shared()
            subject = StudySubject(
                study_instance_uid,
                attributes["PatientID"],
                attributes["PatientName"],
                attributes["AccessionNumber"],
            )
            known = studies[study_instance_uid] = (subject, Counter())
            message = tell_transfer_begun(self._trail.who, self._find_partner(peer), subject, sends=False)
            self._store.change_later(self._trail.prepare(message))
        known[1][sop_class_uid] += 1

    def watch(self, service: Service) -> Service:
        """A storage service that also puts the end of each association on record on which instances came."""
        store = service.handlers[CommandField.C_STORE_RQ]

        def answer_store(message: Message) -> Response:
            self._await_end(message.channel, message.peer)
            response = store(message)
            assert isinstance(response, Response), "C-STORE has one response"
            return response

        return Service(service.name, service.abstract_syntaxes, {CommandField.C_STORE_RQ: answer_store}, service.as_scp)

    def _await_end(self, channel: Channel, peer: PeerInfo) -> None:
        if not isinstance(channel, Association) or id(peer) in self._of_peers:
            return
        self._of_peers[id(peer)] = {}
        channel.call_at_end(partial(self._tell_end, peer))

    def _tell_end(self, peer: PeerInfo) -> None:
        studies = self._of_peers.pop(id(peer), {})
        partner = self._find_partner(peer)
        for subject, counts in studies.values():
            whole = StudySubject(
                subject.study_instance_uid, subject.patient_id, subject.patient_name, subject.accession_number, counts
            )
            message = tell_transferred(self._trail.who, partner, whole, sends=False)
            self._store.change_later(self._trail.prepare(message))

    def _find_partner(self, peer: PeerInfo) -> Partner:
        """The sender: the peer that called us or, on an association of our own (C-GET), the peer that we called."""
        own = self._trail.node.ae_titles
        calling, called = peer.calling_ae_title.strip(), peer.called_ae_title.strip()
        theirs, ours = (called, calling) if calling in own and called not in own else (calling, called)
        return Partner(theirs, peer.address, ours)
