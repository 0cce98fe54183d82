"""Send jobs: instances of the local database to a peer by C-STORE. RF-4.2.1, MR-3.2.3.

Rules. One association for each run, with the presentation contexts that the outstanding instances need and no others.
What a status means is the profile's data, the site's switches and the peer's overrides. A status that is no success
ends the association with A-ABORT where the profile says so (R/F); else the next instance follows (MR), as it does where
the peer takes no such SOP Class (MR-3.2.3.1-03); ``activities.enhanced_fallback`` has the one exception. A run that is
repeated leaves out what has success, and what the peer refused for good until a person retries the job. The job runs
again by itself while any failure may pass. It begins with what it has not offered yet: so an instance for which the
peer ends every association does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import cast

from openmodality.activities.audit_transfers import SendingTrail
from openmodality.activities.connection import Connector, find_response_timeout_s
from openmodality.activities.enhanced_fallback import EnhancedFallback, name_form
from openmodality.activities.send_failures import SendFailures, list_to_try, note_unreadable
from openmodality.device.site.site import Peer, Site
from openmodality.dimse.status import StatusCategory
from openmodality.errors import NoPresentationContext, ObjectInvalid
from openmodality.jobs.job import Job, JobInstance, NewJob, RetryParameters
from openmodality.jobs.outcome import Continue, JobOutcome
from openmodality.jobs.policy import is_peer_away
from openmodality.jobs.report import JobReport
from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import Decompress, InstanceReader
from openmodality.network.storage.sending import send
from openmodality.network.storage.sent import SendOptions, Sent
from openmodality.objects.filter.private_search import KnownPrivateOnly
from openmodality.objects.filter.private_sets import list_exported_sets
from openmodality.objects.private_names import index_vrs
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.dimse import Status
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import InstanceResult, JobKind
from openmodality.upper_layer.negotiation import ContextProposal


def make_send_job(peer: Peer, instances: Sequence[tuple[str, str]], *, after: Sequence[int] = ()) -> NewJob:
    """A job that sends these instances (SOP Class UID, SOP Instance UID) to a peer."""
    return NewJob(JobKind.SEND, peer.name, instances=instances, retry=make_send_retry(peer), after=after)


def make_send_retry(peer: Peer) -> RetryParameters:
    """How send jobs to a peer are repeated (RF-4.4.2-09, RF-4.4.2-10)."""
    delay_s = peer.parameters.number("storage.retry_delay_min") * 60
    return RetryParameters(peer.parameters.integer("storage.retries"), delay_s)


def make_send_options(site: Site, peer: Peer) -> SendOptions:
    """How instances are sent to a peer, for a job as for the sub-operations of a retrieve."""
    return SendOptions(
        transfer_syntaxes=peer.transfer_syntaxes_for("storage"),
        response_timeout_s=find_response_timeout_s(peer, "storage.response_timeout_s"),
        judge=site.judge_of("storage", "C-STORE", peer),
    )


def make_reader(site: Site, decompress: Decompress | None) -> InstanceReader:
    """Reads the instances of this device as they leave it: private attributes that it does not know stay here."""
    vrs = index_vrs(site.profile.private_attributes)
    return InstanceReader(decompress, rewrite=KnownPrivateOnly(list_exported_sets(site), vrs))


def open_planned(connections: Connector, peer: Peer, plan: AssociationPlan) -> Association:
    """Open an association with the contexts of a plan that the profile has for a peer."""
    return connections.open("storage", peer, _list_allowed(plan, connections.site, peer))


class SendExecutor:
    """Does the send jobs."""

    def __init__(
        self,
        files: InstanceFiles,
        connections: Connector,
        decompress: Decompress | None = None,
        fallback: EnhancedFallback | None = None,
    ) -> None:
        self._files = files
        self._fallback = fallback
        self._connections = connections
        self._decompress = decompress

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Send what has no success yet."""
        site = self._connections.site
        peer = self._connections.get_peer_of(job)
        failures = SendFailures()
        trail = SendingTrail(self._connections.trail, self._connections.make_partner("storage", peer))
        judge = site.judge_of("storage", "C-STORE", peer)
        outstanding = report.read_outstanding()
        if self._fallback is not None and self._fallback.change_beforehand(job, peer, outstanding):
            return Continue()
        wanted = list_to_try(outstanding, judge, failures)
        instances = list(self._read_files(wanted, report, failures))
        options, reader = make_send_options(site, peer), make_reader(site, self._decompress)
        uids = [instance.identity.sop_instance_uid for instance in instances]
        associate = trail.watch(partial(open_planned, self._connections, peer), uids)
        sending = cast("Generator[Sent, None, None]", send(associate, instances, reader, options))
        # Closing the results before their end aborts the association (RF-4.2.1.3.1.3).
        with trail, self._connections.take_turn("storage"), closing(sending) as results:
            counted = self._connections.traffic.watch(peer.name, trail.note(results))
            stopped = self._follow(counted, report, failures)
        if stopped:
            return Continue()
        return self._decide(job, peer, report, failures)

    def _decide(self, job: Job, peer: Peer, report: JobReport, failures: SendFailures) -> JobOutcome:
        if self._fallback is None:
            return failures.decide(peer)
        report.keep()
        if self._fallback.change(job, peer, failures.declined):
            return Continue()
        failures.hint = self._fallback.explain(peer, failures.declined)
        return name_form(failures.decide(peer), job.parameters)

    def _read_files(
        self, outstanding: Iterable[JobInstance], report: JobReport, failures: SendFailures
    ) -> Iterator[FileInstance]:
        for instance in outstanding:
            try:
                yield read_instance(self._files.path(instance.SOPInstanceUID))
            except ObjectInvalid as error:
                note_unreadable(instance.SOPInstanceUID, error, report, failures)

    def _follow(self, results: Iterator[Sent], report: JobReport, failures: SendFailures) -> bool:
        """Note each result; returns whether the job is to end although instances are left."""
        for sent in results:
            uid = sent.instance.identity.sop_instance_uid
            if sent.is_stored:
                report.note_instance(uid, _name_success(sent), status=_read_status(sent), comment=_describe_end(sent))
            else:
                reason = _describe_end(sent)
                if sent.was_offered:
                    report.note_instance(uid, InstanceResult.FAILURE, status=_read_status(sent), comment=reason)
                is_peer_lost = sent.error is not None and is_peer_away(sent.error)
                may_pass = self._is_transient(sent)
                failures.add(reason, uid if sent.was_offered else "", may_pass=may_pass, is_peer_away=is_peer_lost)
                failures.note_refusal(reason, _read_status(sent))
                failures.note_error(reason, sent.error)
                if isinstance(sent.error, NoPresentationContext):
                    failures.declined.add(uid)
                if sent.result is not None and sent.result.verdict.must_abort:
                    return False
            if report.stop_requested:
                return True
        return False

    def _is_transient(self, sent: Sent) -> bool:
        """Whether the failure of an instance may pass: a lost association by the profile's table."""
        listed = self._connections.site.is_transient("storage", sent.error) if sent.error is not None else None
        return sent.is_transient if listed is None else listed


def _list_allowed(plan: AssociationPlan, site: Site, peer: Peer) -> list[ContextProposal]:
    """The contexts of a plan that the profile has for this peer."""
    entries = {str(entry.sop_class_uid): entry for entry in site.list_proposed("storage", peer)}
    proposals = []
    for proposal in plan.proposals:
        entry = entries.get(proposal.abstract_syntax)
        if entry is None:
            continue
        wanted = [
            uid for uid in proposal.transfer_syntaxes if uid in entry.transfer_syntaxes or uid not in UNCOMPRESSED
        ]
        proposals.append(
            ContextProposal(proposal.abstract_syntax, tuple(wanted) or tuple(map(str, entry.transfer_syntaxes)))
        )
    if not proposals:
        raise NoPresentationContext(f"this device does not send these SOP Classes to {peer.name}")
    return proposals


def _read_status(sent: Sent) -> int | None:
    return sent.result.status if sent.result else None


def _name_success(sent: Sent) -> InstanceResult:
    is_warning = sent.result is not None and sent.result.verdict.category is not StatusCategory.SUCCESS
    return InstanceResult.WARNING if is_warning else InstanceResult.SUCCESS


def _describe_end(sent: Sent) -> str:
    """The end of a job in words; the peer's Error Comment is left out, because it may hold anything."""
    if sent.result is None:
        return "" if sent.error is None else sent.error.message
    if sent.result.status == Status.SUCCESS:
        return ""
    return f"status {sent.result.verdict.describe()}"
