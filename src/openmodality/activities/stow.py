"""Send jobs to peers that are reached over DICOMweb (STOW-RS, PS3.18 10.5).

Rules. Instances go as they are stored, some in each request, streamed; the length is known before, since not every
server takes a body without one. Each instance counts by what the answer says of it: stored, stored with a warning,
failed with a reason, which is a status of C-STORE and is judged as one. An instance that the answer does not name is
not stored, whatever its status says. What may pass is tried again by the same job, as with ``activities.send``; what
the peer refused for good waits for a person. There is no storage commitment over DICOMweb. The audit trail is told
before the first instance leaves, and of what became of all, as with associations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openmodality.activities.audit_transfers import SendingTrail
from openmodality.activities.connection import Connector
from openmodality.activities.send import make_reader
from openmodality.activities.send_failures import SendFailures, list_to_try, note_unreadable
from openmodality.activities.stow_answer import StowResult, read_stow_answer
from openmodality.activities.web_peer import describe_web_status, make_web_headers, open_web_peer
from openmodality.buffer import Buffer
from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Peer, Site
from openmodality.dimse.outgoing import KnownLength, list_chunks
from openmodality.dimse.verdict import Judge
from openmodality.encoding.multipart import make_boundary, write_end, write_part_head
from openmodality.encoding.part10 import encode_file_head
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.outcome import Continue, JobOutcome
from openmodality.jobs.policy import is_peer_away
from openmodality.jobs.report import Executor, JobReport
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import Decompress
from openmodality.network.web_client import WebAnswer, WebConnection
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import InstanceResult
from openmodality.value_class import dataclass

BATCH_INSTANCES: Final = 20
BATCH_BYTES: Final = 32 * 1024 * 1024
"""How much goes in one request, but for a single instance that is larger. What became of it is known at its end."""

_PART_HEADERS: Final = {"Content-Type": "application/dicom"}
"""Without a transfer syntax, which each file says itself: Orthanc 1.7 passes over parts whose type has parameters."""
_PER_INSTANCE: Final = frozenset((200, 202, 409))
"""Statuses whose answer says what became of each instance."""
_MAY_PASS: Final = frozenset((408, 425, 429, 500, 502, 503, 504, 507))
_TOO_MUCH: Final = 413


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """An instance on its way: in which transfer syntax, its head, and how long both are together."""

    instance: FileInstance
    transfer_syntax: str
    head: bytes
    length: int

    @property
    def uid(self) -> str:
        return self.instance.identity.sop_instance_uid


class StowExecutor:
    """Does the send jobs to peers of DICOMweb."""

    def __init__(self, files: InstanceFiles, connections: Connector, decompress: Decompress | None = None) -> None:
        self._files = files
        self._site = connections.site
        self._connections = connections
        self._decompress = decompress

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Send what has no success yet, a batch at a time."""
        peer, failures = self._connections.get_peer_of(job), SendFailures()
        judge = self._site.judge_of("storage", "C-STORE", peer)
        wanted = list(list_to_try(report.read_outstanding(), judge, failures))
        trail = SendingTrail(self._connections.trail, self._connections.make_partner("storage", peer))
        run = _Run(self, peer, judge, (report, failures), trail, [each.SOPInstanceUID for each in wanted])
        headers = make_web_headers(self._site, peer)
        with trail, open_web_peer(self._site, peer) as connection:
            for batch in _make_batches(self._prepare(wanted, peer, report, failures)):
                if report.stop_requested:
                    return Continue()
                if not run.send(connection, headers, batch):
                    break
        return failures.decide(peer)

    def _prepare(
        self, wanted: Iterable[JobInstance], peer: Peer, report: JobReport, failures: SendFailures
    ) -> Iterator[_Outgoing]:
        """The instances with their lengths; one that cannot be read is noted as failed."""
        for each in wanted:
            try:
                yield self._measure(read_instance(self._files.path(each.SOPInstanceUID)), peer)
            except ObjectInvalid as error:
                note_unreadable(each.SOPInstanceUID, error, report, failures)

    def _measure(self, instance: FileInstance, peer: Peer) -> _Outgoing:
        syntax = _choose_syntax(instance.transfer_syntax, [str(uid) for uid in peer.transfer_syntaxes])
        identity, (class_uid, version_name) = instance.identity, find_identity(self._site)
        head = encode_file_head(identity.sop_class_uid, identity.sop_instance_uid, syntax, class_uid, version_name)
        with make_reader(self._site, self._decompress).data_set(instance, syntax) as data:
            length = data.length_bytes if isinstance(data, KnownLength) else sum(map(len, list_chunks(data)))
        return _Outgoing(instance, syntax, head, len(head) + length)

    def note_failure(self, peer: Peer, error: OpenModalityError) -> None:
        """Put on record that a peer and this device do not trust each other, where that is what has failed."""
        self._connections.note_failure(peer, error)

    def count(self, peer: Peer, sent: _Outgoing, result: StowResult) -> None:
        """Count what a peer has said of an instance, as the answer of an association is counted."""
        traffic = self._connections.traffic
        traffic.note_answer("storage", peer.name, result.status)
        if result.is_stored:
            traffic.note_sent(peer.name, sent.length - len(sent.head))

    def write(self, batch: Sequence[_Outgoing], boundary: str) -> Iterator[Buffer]:
        """The body of a request. Raises :class:`ObjectInvalid` where a file is other than it was."""
        for each in batch:
            yield write_part_head(_PART_HEADERS, boundary)
            yield each.head
            left = each.length - len(each.head)
            with make_reader(self._site, self._decompress).data_set(each.instance, each.transfer_syntax) as data:
                for piece in list_chunks(data):
                    left -= len(piece)
                    yield piece
            if left:
                raise ObjectInvalid(f"{each.instance.path}: changed while it was sent")
            yield b"\r\n"
        yield write_end(boundary)


def _choose_syntax(stored: str, wanted: Sequence[str]) -> str:
    """As it is stored, unless the peer is to get others only."""
    if not wanted or stored in wanted:
        return stored
    return next((uid for uid in wanted if uid in UNCOMPRESSED), stored)


def _make_batches(prepared: Iterable[_Outgoing]) -> Iterator[list[_Outgoing]]:
    batch: list[_Outgoing] = []
    size = 0
    for each in prepared:
        if batch and (len(batch) == BATCH_INSTANCES or size + each.length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.length
    if batch:
        yield batch


class SendByPeer:
    """Does send jobs in the way in which their peer is reached: by associations, or over DICOMweb."""

    def __init__(self, site: Site, by_association: Executor, over_web: Executor) -> None:
        self._site = site
        self._by_association = by_association
        self._over_web = over_web

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Do the job; one whose peer the site has no longer fails as any other does."""
        peer = self._site.peers.get(job.destination)
        executor = self._over_web if peer is not None and peer.is_web else self._by_association
        return executor.run(job, report)


class _Run:
    """One run of a job: requests, and what their answers say."""

    def __init__(
        self,
        executor: StowExecutor,
        peer: Peer,
        judge: Judge,
        notes: tuple[JobReport, SendFailures],
        trail: SendingTrail,
        uids: Sequence[str],
    ) -> None:
        self._executor = executor
        self._peer = peer
        self._judge = judge
        self._report, self._failures = notes
        self._trail = trail
        self._uids = uids

    def send(self, connection: WebConnection, headers: dict[str, str], batch: Sequence[_Outgoing]) -> bool:
        """Send a batch and note its results; returns whether the next batch makes sense."""
        boundary = make_boundary()
        parts = sum(len(write_part_head(_PART_HEADERS, boundary)) + each.length + 2 for each in batch)
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        body = self._write(batch, boundary)
        length = parts + len(write_end(boundary))
        try:
            answer = connection.ask("POST", "/studies", {**headers, "Content-Type": kind}, body, length)
        except OpenModalityError as error:
            return self._note_lost(batch, error)
        if answer.status == _TOO_MUCH and len(batch) > 1:
            middle = len(batch) // 2
            return self.send(connection, headers, batch[:middle]) and self.send(connection, headers, batch[middle:])
        if answer.status in _PER_INSTANCE:
            self._note_each(batch, answer)
            return True
        return self._note_refused(batch, answer)

    def _write(self, batch: Sequence[_Outgoing], boundary: str) -> Iterator[Buffer]:
        """The body of a request. It is put on record when the peer is reached, before the first byte leaves."""
        self._trail.begin(self._uids)
        yield from self._executor.write(batch, boundary)

    def _note_failed(self, uid: str, reason: str, status: int | None = None) -> None:
        self._report.note_instance(uid, InstanceResult.FAILURE, status=status, comment=reason)
        self._trail.note_one(uid, is_stored=False)

    def _note_lost(self, batch: Sequence[_Outgoing], error: OpenModalityError) -> bool:
        """Note that the outcome of the batch is unknown: it is offered again, and a peer that has it says so."""
        for each in batch:
            self._note_failed(each.uid, error.message)
        self._executor.note_failure(self._peer, error)
        is_own = isinstance(error, ObjectInvalid)
        is_lost = not is_own and is_peer_away(error)
        self._failures.add(error.message, count=len(batch), may_pass=True, is_peer_away=is_lost)
        self._failures.note_error(error.message, error)
        return False

    def _note_refused(self, batch: Sequence[_Outgoing], answer: WebAnswer) -> bool:
        """Note that the whole request was refused. The next one would be as well, unless this one was too large."""
        reason = f"the peer answered {describe_web_status(answer)}"
        for each in batch:
            self._note_failed(each.uid, reason)
        may_pass = answer.status in _MAY_PASS
        self._failures.add(reason, count=len(batch), may_pass=may_pass, is_peer_away=answer.status == 503)
        return answer.status == _TOO_MUCH

    def _note_each(self, batch: Sequence[_Outgoing], answer: WebAnswer) -> None:
        results = read_stow_answer(answer.body)
        for each in batch:
            result = results.get(each.uid)
            if result is None:
                reason = f"the peer answered {answer.status} and did not say what became of it"
                self._note_failed(each.uid, reason)
                self._failures.add(reason, may_pass=answer.status != 409)
            else:
                self._executor.count(self._peer, each, result)
                self._note_one(each.uid, result)

    def _note_one(self, uid: str, result: StowResult) -> None:
        verdict = self._judge(result.status)
        if result.is_stored:
            words = f"status {verdict.describe()}" if result.status else ""
            kind = InstanceResult.WARNING if result.status else InstanceResult.SUCCESS
            self._report.note_instance(uid, kind, status=result.status, comment=words)
            self._trail.note_one(uid, is_stored=True)
            return
        reason = f"status {verdict.describe()}"
        self._note_failed(uid, reason, result.status)
        self._failures.add(reason, may_pass=verdict.is_transient)
        self._failures.note_refusal(reason, result.status)
