"""Opening an association (PS3.8 7.1): connect, propose, understand the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Service
from openmodality.errors import (
    AssociationRejected,
    NoPresentationContext,
    OpenModalityError,
    PeerTimeout,
    TransportError,
    UsageError,
)
from openmodality.network.agreement import Agreement, list_contexts
from openmodality.network.association import Association
from openmodality.network.association_log import list_rejected, log_agreement, log_open, log_request
from openmodality.network.connecting import connect
from openmodality.network.endings import explain_abort
from openmodality.network.entity import LocalAE, RemoteAE, send_limit
from openmodality.network.handshake import await_indication, flush
from openmodality.network.transport import Transport
from openmodality.upper_layer.negotiation import (
    ContextProposal,
    Negotiated,
    RequestOptions,
    propose,
    read_outcome,
)
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    AssociateConfirm,
    AssociateRejected,
    AssociateRequest,
    Indication,
    Role,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.reasons import reject_text
from openmodality.value_class import value_class


def associate(
    remote: RemoteAE,
    local: LocalAE,
    proposals: Sequence[ContextProposal],
    services: Sequence[Service] = (),
    options: RequestOptions | None = None,
) -> Association:
    """Open an association; use it as a context manager, which releases it.

    ``services`` answer what the peer asks on this association, such as a storage commitment notification. Raises
    :class:`TransportError`, :class:`PeerTimeout`, :class:`AssociationRejected`, :class:`AssociationAborted`, and
    :class:`NoPresentationContext` where the peer accepts none of the proposals.
    """
    requests = propose(local.side, local.ae_title, remote.ae_title, proposals, options or RequestOptions())
    if len(requests) > 1:
        raise UsageError(f"{len(proposals)} presentation contexts do not fit one association, 128 do")
    outcome = negotiate(remote, local, requests[0], services)
    if outcome.association is not None:
        return outcome.association
    if outcome.negotiated is not None:
        raise _explain_nothing_accepted(remote, outcome.negotiated)
    raise explain_refusal(remote, outcome.answer)


@value_class
class Negotiation:
    """What a peer made of an A-ASSOCIATE-RQ.

    ``negotiated`` is what both agreed on, ``None`` where the association was not accepted. Without an accepted context
    there is no ``association``: it was aborted.
    """

    answer: Indication | None
    negotiated: Negotiated | None = None
    association: Association | None = None


def negotiate(
    remote: RemoteAE, local: LocalAE, request: A_ASSOCIATE_RQ, services: Sequence[Service] = ()
) -> Negotiation:
    """Send this request, whatever it says, and give what came of it: for one who examines a peer.

    Raises :class:`TransportError` and :class:`PeerTimeout` where the peer cannot be reached or does not answer.
    """
    transport = connect(remote.host, remote.port, local.timeouts.connect_s, remote.ssl_context, str(remote))
    try:
        outcome = _negotiate(transport, remote, local, request, services)
    except BaseException:
        transport.close()
        raise
    if outcome.association is None:
        transport.close()
    return outcome


def _negotiate(
    transport: Transport, remote: RemoteAE, local: LocalAE, request: A_ASSOCIATE_RQ, services: Sequence[Service]
) -> Negotiation:
    provider = Provider(Role.REQUESTOR, max_pdu_length=local.max_pdu_length)
    provider.send(AssociateRequest(request))
    provider.transport_connected()
    log_request(request, str(remote))
    timeout_s = local.timeouts.association_s
    answer = _await_answer(transport, provider, timeout_s)
    if not isinstance(answer, AssociateConfirm):
        return Negotiation(answer)
    negotiated = read_outcome(request, answer.pdu)
    log_agreement(request, negotiated, str(remote))
    if not negotiated.accepted:
        provider.send(AbortRequest())
        flush(transport, provider, timeout_s)
        return Negotiation(answer, negotiated)
    agreement = Agreement(
        list_contexts(negotiated),
        _describe_peer(remote, request, negotiated),
        send_limit(local, negotiated.peer_max_pdu_length),
        _find_window(request, negotiated),
    )
    log_open(agreement, local.max_pdu_length)
    return Negotiation(answer, negotiated, Association(transport, provider, agreement, services, local.timeouts))


def _await_answer(transport: Transport, provider: Provider, timeout_s: float | None) -> Indication | None:
    try:
        return await_indication(transport, provider, timeout_s, "the answer to A-ASSOCIATE-RQ")
    except PeerTimeout:
        raise
    except TransportError as error:
        if transport.is_secure:
            raise
        raise TransportError(error.message, advice=_NO_ANSWER_ADVICE) from error


def _find_window(request: A_ASSOCIATE_RQ, negotiated: Negotiated) -> int:
    """How many requests may be open at once (PS3.7 D.3.3.3): the lower limit of the two; 1 if not agreed on."""
    asked = request.user_information.asynchronous_operations_window
    answered = negotiated.asynchronous_operations_window
    if asked is None or answered is None:
        return 1
    return min((limit for limit in (asked.invoked, answered.invoked) if limit), default=1)


def _describe_peer(remote: RemoteAE, request: A_ASSOCIATE_RQ, negotiated: Negotiated) -> PeerInfo:
    return PeerInfo(
        calling_ae_title=request.calling_ae_title,
        called_ae_title=remote.ae_title,
        address=remote.host,
        implementation_class_uid=negotiated.peer_implementation_class_uid,
        implementation_version_name=negotiated.peer_implementation_version_name,
    )


_NO_ANSWER_ADVICE: Final = "check that it is a DICOM application, and whether it requires TLS"
_REJECT_ADVICE: Final = {
    (1, 3): "have our AE title added to those that the peer knows, or call it by one that it knows",
    (1, 7): "check the AE title that the peer is called by",
    (3, 1): "the peer is busy, try again later",
    (3, 2): "the peer has too many associations open, try again later",
}


def explain_refusal(remote: RemoteAE, answer: Indication | None) -> OpenModalityError:
    """Why there is no association, of an answer that does not accept it."""
    if isinstance(answer, AssociateRejected):
        return _explain_rejection(remote, answer.pdu)
    if isinstance(answer, AbortIndication):
        return explain_abort(str(remote), answer)
    return TransportError(
        f"{remote} closed the connection without answering the association request",
        advice=_NO_ANSWER_ADVICE,
    )


def _explain_rejection(remote: RemoteAE, pdu: A_ASSOCIATE_RJ) -> AssociationRejected:
    return AssociationRejected(
        f"{remote} rejected the association: {reject_text(pdu.result, pdu.source, pdu.reason)}",
        result=pdu.result,
        source=pdu.source,
        reason=pdu.reason,
        advice=_REJECT_ADVICE.get((pdu.source, pdu.reason), "see the peer's own log"),
    )


def _explain_nothing_accepted(remote: RemoteAE, negotiated: Negotiated) -> NoPresentationContext:
    return NoPresentationContext(
        f"{remote} accepted none of the presentation contexts: {list_rejected(negotiated)}",
        advice="check that the peer offers this service to this AE title",
    )
