"""MPPS jobs: a performed procedure step is created and ended at the RIS. RF-4.2.4, MR-2.4; PS3.4 Annex F.7.

What is sent is in the row of the step. All jobs of one step share an order, so that N-SET never overtakes N-CREATE
(MR-2.4.3-01). A SOP Instance UID that an SCP assigns holds for it from then on; images refer to the step by that of the
first peer of the site file. The row notes each request before it goes out. Where an answer was lost, or was a warning
that the site takes as a failure, the request is repeated. Then 0111 to N-CREATE, and 0110 "may no longer be updated" to
the final N-SET, mean that the first request has arrived.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openmodality.activities.connection import Connector, find_response_timeout_s
from openmodality.device.site.site import Peer
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.normalized import NormalizedAnswer
from openmodality.dimse.status import StatusCategory
from openmodality.dimse.verdict import Verdict, find_advice
from openmodality.errors import StoreError
from openmodality.jobs.job import Job, NewJob, RetryParameters
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Retry
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.services import mpps
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP
from openmodality.store.data_set_json import from_json
from openmodality.store.database import Database
from openmodality.store.listing.exams import StepRecord, read_step
from openmodality.store.rows.jobs import find_remembered
from openmodality.store.rows.steps import assign_uid
from openmodality.store.states import InstanceResult, JobKind

RETRY_DELAY_S: Final = 300.0
"""Where the site switches off the retry of images: a step left open at the RIS has nobody who would send it again."""


def make_n_create_job(peer: Peer, sop_instance_uid: str) -> NewJob:
    """A job that creates the step at a peer."""
    return _make_job(JobKind.MPPS_CREATE, peer, sop_instance_uid)


def make_n_set_job(peer: Peer, sop_instance_uid: str) -> NewJob:
    """A job that ends the step at a peer."""
    return _make_job(JobKind.MPPS_SET, peer, sop_instance_uid)


def _make_job(kind: JobKind, peer: Peer, sop_instance_uid: str) -> NewJob:
    delay_s = peer.parameters.number("storage.retry_delay_min") * 60 or RETRY_DELAY_S
    return NewJob(
        kind,
        peer.name,
        {"SOPInstanceUID": sop_instance_uid},
        instances=[(MODALITY_PERFORMED_PROCEDURE_STEP, sop_instance_uid)],
        retry=RetryParameters(max_retries=0, delay_s=delay_s),
        unique_key=f"{kind}:{peer.name}:{sop_instance_uid}",
        order_key=f"step:{peer.name}:{sop_instance_uid}",
    )


_SENT: Final = "sent"
_ASSIGNED: Final = "AssignedSOPInstanceUID"
"""Where an N-CREATE job remembers the UID that the peer has given to the step."""
_OPERATIONS: Final = {JobKind.MPPS_CREATE: "N-CREATE", JobKind.MPPS_SET: "N-SET"}


class StepExecutor:
    """Does the jobs of both kinds."""

    def __init__(self, database: Database, connections: Connector) -> None:
        self._database = database
        self._connections = connections

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Send the one request of this job."""
        peer = self._connections.get_peer_of(job)
        step = self._read_step(str(job.parameters["SOPInstanceUID"]))
        outstanding = report.read_outstanding()
        if not outstanding:
            return Done()
        is_repeat = outstanding[0].attempts > 0 or outstanding[0].comment == _SENT
        with self._connections.take_turn("mpps"), self._connections.open("mpps", peer) as association:
            report.note_instance(step.sop_instance_uid, InstanceResult.PENDING, comment=_SENT)
            report.keep()
            is_create = job.kind is JobKind.MPPS_CREATE
            result = self._create(association, peer, step) if is_create else self._set(association, peer, step, job)
            verdict = self._judge(job, peer, result, is_repeat=is_repeat)
            if verdict.must_abort:
                association.abort()
        outcome = _make_outcome(job, peer, result, verdict)
        if is_create and isinstance(outcome, Done) and result.sop_instance_uid != step.sop_instance_uid:
            self._keep_assigned(peer, step.sop_instance_uid, result.sop_instance_uid)
            outcome = replace(outcome, remember={_ASSIGNED: result.sop_instance_uid})
        kept = InstanceResult.SUCCESS if verdict.is_done else InstanceResult.FAILURE
        report.note_instance(step.sop_instance_uid, kept, status=result.status, comment=_describe_outcome(outcome))
        return outcome

    def _create(self, association: Association, peer: Peer, step: StepRecord) -> NormalizedAnswer:
        return mpps.create_step(
            association,
            step.sop_instance_uid,
            from_json(step.n_create),
            timeout_s=find_response_timeout_s(peer, "mpps.create_response_timeout_s"),
        )

    def _set(self, association: Association, peer: Peer, step: StepRecord, job: Job) -> NormalizedAnswer:
        if step.n_set is None:
            raise StoreError("the performed step has not ended, so there is nothing to set")
        return mpps.update_step(
            association,
            self._find_uid(peer, step, job),
            from_json(step.n_set),
            timeout_s=find_response_timeout_s(peer, "mpps.set_response_timeout_s"),
        )

    def _judge(self, job: Job, peer: Peer, result: NormalizedAnswer, *, is_repeat: bool) -> Verdict:
        """A final step that may no longer be updated tells of an earlier request; any other 0110 does not."""
        is_repeat = is_repeat and (job.kind is JobKind.MPPS_CREATE or mpps.is_final_already(result))
        return self._connections.site.judge_of("mpps", _OPERATIONS[job.kind], peer, is_repeat=is_repeat)(result.status)

    def _read_step(self, sop_instance_uid: str) -> StepRecord:
        with self._database.read() as snapshot:
            return read_step(snapshot, sop_instance_uid)

    def _find_uid(self, peer: Peer, step: StepRecord, job: Job) -> str:
        """The UID by which this peer knows the step: what it has assigned at the N-CREATE, else ours."""
        with self._database.read() as snapshot:
            assigned = find_remembered(snapshot, job.order_key or "", _ASSIGNED)
        return assigned or (step.uid if self._is_first(peer) else step.sop_instance_uid)

    def _keep_assigned(self, peer: Peer, sop_instance_uid: str, assigned_uid: str) -> None:
        if self._is_first(peer):
            with self._database.write() as transaction:
                assign_uid(transaction, sop_instance_uid, assigned_uid)

    def _is_first(self, peer: Peer) -> bool:
        """Whether images refer to the steps of this peer."""
        return self._connections.site.peers_for("mpps")[:1] == (peer,)


def _make_outcome(job: Job, peer: Peer, result: NormalizedAnswer, verdict: Verdict) -> JobOutcome:
    if verdict.is_done:
        return Done("" if verdict.category is StatusCategory.SUCCESS else f"with a warning: {verdict.meaning}")
    tags = ", ".join(name_of(tag) for tag in result.tags[:4])
    reason = f"{peer.name} answered {_OPERATIONS[job.kind]} with {verdict.describe()}"
    words = f"{reason}; it objects to {tags}" if tags else reason
    if verdict.category is StatusCategory.WARNING:
        words += (
            f"; {peer.name} probably has the step all the same: set mpps_warning_is_success of [parameters.behaviour]"
            f" for that, and openmodality jobs retry {job.id}"
        )
    else:
        words += f"; {find_advice('mpps', _OPERATIONS[job.kind], result.status)}"
    return Retry(words) if verdict.is_transient else Fail(words)


def _describe_outcome(outcome: JobOutcome) -> str:
    match outcome:
        case Done(comment):
            return comment
        case Retry(reason) | Fail(reason):
            return reason
    return ""
