"""What the log says of an association: who, what was proposed and agreed on, each message. Never a data set.

Levels. INFO is for a person who looks why two systems do not understand each other: requests, answers, each context
that was rejected with its reason, the end. DEBUG adds the accepted contexts and every message. A request of which
nothing was accepted is a WARNING, because the association then is of no use to anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.command import Command
from openmodality.encoding.uid import quote_uid
from openmodality.network.agreement import Agreement
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.upper_layer.negotiation import Negotiated, RejectedContext
from openmodality.upper_layer.pdu import A_ASSOCIATE_RQ

log = logging.getLogger("openmodality.network.association")

MOST_NAMED: Final = 4
"""How many rejected contexts one line names."""


def log_request(request: A_ASSOCIATE_RQ, address: str) -> None:
    """Log an A-ASSOCIATE-RQ that was sent or has come."""
    if not log.isEnabledFor(logging.INFO):
        return
    user = request.user_information
    log.info(
        "association.requested",
        extra={
            "calling": request.calling_ae_title.strip(),
            "called": request.called_ae_title.strip(),
            "address": address,
            "contexts": len(request.presentation_contexts),
            "max_pdu_length": user.maximum_length or 0,
            "implementation": _name_implementation(user.implementation_class_uid, user.implementation_version_name),
        },
    )


def log_agreement(request: A_ASSOCIATE_RQ, negotiated: Negotiated, address: str) -> None:
    """Log what was made of each presentation context of a request."""
    who = {"address": address, "calling": request.calling_ae_title.strip()}
    proposed = {context.id: context.transfer_syntaxes for context in request.presentation_contexts}
    for rejected in negotiated.rejected:
        syntaxes = ",".join(quote_uid(uid) or "" for uid in proposed[rejected.id])
        extra = _describe_context(rejected.id, rejected.abstract_syntax, rejected.text)
        log.info("association.context_rejected", extra={**who, **extra, "transfer_syntaxes": syntaxes})
    for accepted in negotiated.accepted:
        roles = "/".join(role for role, played in (("SCU", accepted.scu_role), ("SCP", accepted.scp_role)) if played)
        extra = _describe_context(accepted.id, accepted.abstract_syntax, "accepted")
        chosen = {"transfer_syntaxes": quote_uid(accepted.transfer_syntax), "we_are": roles}
        log.debug("association.context_accepted", extra={**who, **extra, **chosen})


def warn_nothing_accepted(request: A_ASSOCIATE_RQ, negotiated: Negotiated, address: str) -> None:
    """Warn that this side has accepted an association without a presentation context."""
    calling = request.calling_ae_title.strip()
    reason = list_rejected(negotiated)
    log.warning("association.nothing_accepted", extra={"address": address, "calling": calling, "reason": reason})


def log_open(agreement: Agreement, receive_limit: int) -> None:
    """Log that an association stands: how many contexts, and the longest PDU in each direction, 0 for any."""
    peer = agreement.peer
    log.info(
        "association.open",
        extra={
            "calling": peer.calling_ae_title,
            "called": peer.called_ae_title,
            "address": peer.address,
            "contexts": len(agreement.contexts),
            "max_pdu_sent": agreement.max_pdu_length,
            "max_pdu_received": receive_limit,
            "implementation": _name_implementation(peer.implementation_class_uid, peer.implementation_version_name),
        },
    )


def log_end(event: str, peer: PeerInfo, reason: str | None = None) -> None:
    """Log how an association ended."""
    log.info(
        event,
        extra={
            "address": peer.address,
            "calling": peer.calling_ae_title,
            "called": peer.called_ae_title,
            "reason": reason,
        },
    )


def make_message_log(peer: PeerInfo) -> Callable[[str, int, Command], None]:
    """Make the function that logs a message which was sent or has come, by its command set."""
    who = {"calling": peer.calling_ae_title, "called": peer.called_ae_title}

    def log_message(event: str, context_id: int, command: Command) -> None:
        status = None if command.Status is None else f"{command.Status:04X}"
        message_id = command.MessageIDBeingRespondedTo if command.MessageID is None else command.MessageID
        log.debug(
            event,
            extra={
                **who,
                "command": command.name,
                "message_id": message_id,
                "context": context_id,
                "status": status,
                "sop_class": quote_uid(command.AffectedSOPClassUID or command.RequestedSOPClassUID),
                "sop_instance_uid": quote_uid(command.AffectedSOPInstanceUID or command.RequestedSOPInstanceUID),
            },
        )

    return log_message


def list_rejected(negotiated: Negotiated) -> str:
    """The rejected contexts in one line: each abstract syntax with its reasons once, some and how many more."""
    reasons = list(dict.fromkeys(map(_describe_rejected, negotiated.rejected)))
    more = len(reasons) - MOST_NAMED
    listed = ", ".join(reasons[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return listed or "no presentation context was proposed"


def _describe_rejected(context: RejectedContext) -> str:
    return f"{quote_uid(context.abstract_syntax)} {context.text}"


def _describe_context(context_id: int, abstract_syntax: str, result: str) -> dict[str, object]:
    return {"context": context_id, "abstract_syntax": quote_uid(abstract_syntax), "result": result}


def _name_implementation(uid: str | None, version: str | None) -> str:
    shown = (version or "").strip()[: MAX_CHARACTERS["SH"]]
    return " ".join(text for text in (quote_uid(uid), shown) if text)
