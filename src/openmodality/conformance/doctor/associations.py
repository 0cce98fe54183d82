"""Probes of associations: who answers, which contexts it accepts, its PDU lengths, roles and AE titles.

PS3.8 7.1, PS3.7 D.3. Nothing of this leaves anything at the peer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Final

from pydicom.uid import UID

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import (
    NO_ANSWER,
    NO_CONTEXT,
    OfferedClass,
    Severity,
    classify,
    format_status,
)
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError, PeerTimeout, TransportError
from openmodality.network.requestor import Negotiation
from openmodality.network.tls_probe import explain_failure
from openmodality.services.verification import echo
from openmodality.standard import sop_classes
from openmodality.standard import transfer_syntaxes as syntaxes
from openmodality.standard.statuses import ServiceName
from openmodality.standard.upper_layer import MAX_PRESENTATION_CONTEXTS
from openmodality.upper_layer.negotiation import ContextProposal, Negotiated
from openmodality.upper_layer.reasons import context_result_text

_AREA: Final = "associations"
_ECHOES: Final = 2
_LATE_S: Final = 0.4
_PATIENCE_WITH_SILENT_S: Final = 1.5
"""How long each further step may take with a peer that did not answer an echo."""

PROPOSED_SERVICES: Final[Mapping[str, ServiceName]] = {
    sop_classes.VERIFICATION: "verification",
    sop_classes.STORAGE_COMMITMENT_PUSH_MODEL: "storage_commitment",
    sop_classes.MODALITY_WORKLIST_FIND: "worklist",
    sop_classes.MODALITY_PERFORMED_PROCEDURE_STEP: "mpps",
    sop_classes.STUDY_ROOT_FIND: "query",
    sop_classes.PATIENT_ROOT_FIND: "query",
    sop_classes.STUDY_ROOT_MOVE: "retrieve",
    sop_classes.PATIENT_ROOT_MOVE: "retrieve",
    sop_classes.STUDY_ROOT_GET: "retrieve",
    sop_classes.PATIENT_ROOT_GET: "retrieve",
    sop_classes.BASIC_GRAYSCALE_PRINT_MANAGEMENT_META: "print",
    sop_classes.BASIC_COLOR_PRINT_MANAGEMENT_META: "print",
    sop_classes.PRESENTATION_LUT: "print",
}
"""What is proposed beside storage, and which service it belongs to."""

_SYNTAXES: Final = (
    *syntaxes.UNCOMPRESSED,
    syntaxes.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    syntaxes.JPEG_BASELINE_8BIT,
    syntaxes.JPEG_EXTENDED_12BIT,
    syntaxes.JPEG_LOSSLESS_SV1,
    syntaxes.JPEG_LS_LOSSLESS,
    syntaxes.JPEG_LS_NEAR_LOSSLESS,
    syntaxes.JPEG_2000_LOSSLESS,
    syntaxes.JPEG_2000,
    syntaxes.RLE_LOSSLESS,
)
"""Transfer syntaxes that are tried with each storage SOP Class; the others get the uncompressed ones."""

_LENGTHS: Final = (("tiny", 128), ("small", 4096), ("odd", 16381), ("huge", 2**32 - 2), ("none", 0))
"""What we announce as the longest PDU that we take, in bytes; ``none`` is no limit (PS3.8 D.1.1)."""

_NO_SUCH_TITLE: Final = "OM_NO_SUCH_AE"


def probe_echo(examination: Examination) -> None:
    """Send two C-ECHOs: the first may take longer, because it wakes the peer up.

    Raises :class:`TransportError` where there is no association with it at all.
    """
    has_association = False
    try:
        with examination.talk("verification", sop_classes.VERIFICATION) as association:
            has_association, peer = True, association.peer
            examination.facts |= {
                "implementation_class_uid": peer.implementation_class_uid,
                "implementation_version_name": peer.implementation_version_name,
            }
            durations_s = []
            for _ in range(_ECHOES):
                start = monotonic()
                status = echo(association)
                durations_s.append(monotonic() - start)
    except OpenModalityError as error:
        if not has_association and isinstance(error, TransportError):
            raise _explain(examination, error) from error  # nobody answered, or nobody who speaks DICOM
        outcome = examination.note_failure(_AREA, "verification", "association", error)
        if has_association:
            examination.observe("echo", outcome)
        if outcome == NO_ANSWER:
            examination.patience_s = min(examination.patience_s, _PATIENCE_WITH_SILENT_S)
        return
    took_s = min(durations_s)
    examination.facts["echo_s"] = took_s
    if status:
        examination.observe("echo", format_status(status))
        examination.note(_AREA, "verification", f"C-ECHO is answered with {describe(status)}", Severity.PROBLEM)
    elif took_s >= _LATE_S:
        examination.observe("echo", "late")
        examination.note(
            _AREA, "verification", f"C-ECHO is answered after {took_s:.1f} s, which is slow", Severity.NOTE
        )
    else:
        examination.note(_AREA, "verification", f"C-ECHO is answered with Success in {took_s * 1000:.0f} ms")


def _explain(examination: Examination, error: TransportError) -> TransportError:
    """Why there is no association, after another look where TLS may be the reason."""
    if isinstance(error, PeerTimeout):
        return error
    ends = examination.ends("verification")
    return explain_failure(ends.remote, ends.local, error)


def probe_classes(examination: Examination) -> None:
    """Propose all that a device may ask for, each SOP class in a context of its own."""
    wanted = [*PROPOSED_SERVICES, *sop_classes.USUAL_STORAGE]
    proposals = [ContextProposal(uid, syntaxes.UNCOMPRESSED) for uid in wanted]
    outcome = _try(examination, "SOP classes", proposals)
    if outcome is None or outcome.negotiated is None:
        return
    negotiated = outcome.negotiated
    _release(outcome)
    refusals = {each.abstract_syntax: context_result_text(each.result) for each in negotiated.rejected}
    for uid in wanted:
        service = PROPOSED_SERVICES.get(uid, "storage")
        chosen = tuple(each.transfer_syntax for each in negotiated.contexts(uid))
        examination.offered[uid] = OfferedClass(uid, UID(uid).name, service, refusals.get(uid, ""), chosen)
    examination.facts["max_pdu_length"] = negotiated.peer_max_pdu_length
    examination.facts.setdefault("implementation_class_uid", negotiated.peer_implementation_class_uid)
    examination.facts.setdefault("implementation_version_name", negotiated.peer_implementation_version_name)
    if not negotiated.accepted:
        examination.observe("association", NO_CONTEXT)
        text = f"it accepts the association and none of {len(wanted)} SOP classes"
        examination.note(_AREA, "SOP classes", text, Severity.PROBLEM)
        return
    limit = negotiated.peer_max_pdu_length
    said = f"it takes PDUs of {limit} bytes at the most" if limit else "it sets no limit to the length of a PDU"
    examination.note(_AREA, "PDU length", said)


def _try(examination: Examination, subject: str, proposals: Sequence[ContextProposal]) -> Negotiation | None:
    """Negotiate; where that fails, it is put on record."""
    try:
        outcome = examination.negotiate(proposals)
        if error := examination.explain(outcome):
            raise error
    except OpenModalityError as error:
        examination.note_failure(_AREA, subject, "association", error)
        return None
    return outcome


def _release(outcome: Negotiation) -> None:
    if outcome.association is not None:
        outcome.association.release()


def probe_syntaxes(examination: Examination) -> None:
    """Propose each transfer syntax alone, for each SOP class that is accepted, as many contexts at a time as fit."""
    proposals = list(_list_single_proposals(examination))
    taken: dict[str, list[str]] = {}
    for start in range(0, len(proposals), MAX_PRESENTATION_CONTEXTS):
        batch = proposals[start : start + MAX_PRESENTATION_CONTEXTS]
        outcome = _try(examination, "presentation contexts", batch) if examination.has_time else None
        if outcome is None or outcome.negotiated is None:
            text = f"{len(batch)} presentation contexts of one association: not accepted"
            examination.note(_AREA, "presentation contexts", text, Severity.NOTE)
            return
        _release(outcome)
        for context in outcome.negotiated.accepted:
            taken.setdefault(context.abstract_syntax, []).append(context.transfer_syntax)
        _judge_count(examination, batch, outcome.negotiated)
    for uid, found in taken.items():
        examination.offered[uid] = replace(examination.offered[uid], transfer_syntaxes=tuple(dict.fromkeys(found)))


def _list_single_proposals(examination: Examination) -> Iterator[ContextProposal]:
    for each in examination.offered.values():
        if each.is_accepted:
            tried = _SYNTAXES if each.service == "storage" else syntaxes.UNCOMPRESSED
            yield from (ContextProposal(each.sop_class_uid, (syntax,)) for syntax in tried)


def _judge_count(examination: Examination, batch: Sequence[ContextProposal], negotiated: Negotiated) -> None:
    """Whether the peer accepts among as many contexts as an association may have what it accepts among fewer."""
    if len(batch) < MAX_PRESENTATION_CONTEXTS or "contexts_at_once" in examination.facts:
        return
    accepted = {(each.abstract_syntax, each.transfer_syntax) for each in negotiated.accepted}
    proposed = {(each.abstract_syntax, each.transfer_syntaxes[0]) for each in batch}
    before = {
        (each.sop_class_uid, each.transfer_syntaxes[0]) for each in examination.offered.values() if each.is_accepted
    }
    examination.facts["contexts_at_once"] = len(accepted)
    if before & proposed - accepted:
        text = f"of {len(batch)} presentation contexts it rejects some that it accepts among fewer"
        examination.note(_AREA, "presentation contexts", text, Severity.NOTE)
    else:
        text = f"it takes {len(batch)} presentation contexts in one association"
        examination.note(_AREA, "presentation contexts", text)


def probe_lengths(examination: Examination) -> None:
    """Announce unusual maximum lengths of PDUs (tiny, odd, huge, none), and send an echo with each."""
    if not examination.accepts(sop_classes.VERIFICATION):
        text = "other lengths of PDU are not tried: it does not accept Verification, which they are tried with"
        examination.note(_AREA, "PDU length", text, Severity.UNTRIED)
        return
    refused = [f"{length} ({name})" for name, length in _LENGTHS if not _echoes_with(examination, length)]
    if refused:
        text = f"it does not answer who takes PDUs of these lengths in bytes: {', '.join(refused)}"
        examination.note(_AREA, "PDU length", text, Severity.NOTE)
    else:
        examination.note(
            _AREA, "PDU length", "it answers whatever length of PDU we take: tiny, odd, huge, without limit"
        )


def _echoes_with(examination: Examination, length: int) -> bool:
    """Whether an echo is answered when we announce this maximum length; without time for it, it counts as answered."""
    if not examination.has_time:
        return True
    try:
        proposal = ContextProposal(sop_classes.VERIFICATION, (syntaxes.IMPLICIT_VR_LITTLE_ENDIAN,))
        outcome = examination.negotiate([proposal], max_pdu_length=length)
        if outcome.association is None:
            return False
        with outcome.association as association:
            return echo(association) == 0
    except OpenModalityError:
        return False


def probe_roles(examination: Examination) -> None:
    """Ask for the role of SCP as well, which C-GET requires (PS3.7 D.3.3.4)."""
    storage = next(
        (each for each in examination.offered.values() if each.service == "storage" and each.is_accepted), None
    )
    uid = storage.sop_class_uid if storage else sop_classes.VERIFICATION
    if not examination.accepts(uid):
        return
    proposal = ContextProposal(uid, syntaxes.UNCOMPRESSED, scu_role=True, scp_role=True)
    outcome = _try(examination, "roles", [proposal])
    if outcome is None or outcome.negotiated is None:
        return
    _release(outcome)
    accepted = outcome.negotiated.contexts(uid)
    answered = bool(accepted) and accepted[0].scp_role
    examination.facts["accepts_scp_role"] = answered
    text = f"it {'lets us be SCP' if answered else 'leaves us the role of SCU alone'} for {UID(uid).name}"
    if not accepted:
        text = f"it accepts {UID(uid).name} no longer where both roles are proposed"
    examination.note(_AREA, "roles", text, Severity.FACT if accepted else Severity.NOTE)


def probe_titles(examination: Examination) -> None:
    """Call the peer by a wrong called title and under a wrong calling title, to see whether it checks them."""
    accepted = next(each for each in examination.offered.values() if each.is_accepted)
    proposal = ContextProposal(accepted.sop_class_uid, syntaxes.UNCOMPRESSED)
    for which in ("called", "calling"):
        titles = (_NO_SUCH_TITLE, "") if which == "called" else ("", _NO_SUCH_TITLE)
        try:
            outcome = examination.negotiate([proposal], called=titles[0], calling=titles[1])
        except OpenModalityError as error:
            text = f"with another {which} AE title: {classify(error)}"
            examination.note(_AREA, f"{which} AE title", text, Severity.NOTE)
            continue
        _release(outcome)
        is_checked = outcome.negotiated is None
        examination.facts[f"checks_{which}_ae_title"] = is_checked
        does = "it looks at" if is_checked else "it does not look at"
        examination.note(_AREA, f"{which} AE title", f"{does} the {which} AE title")
