"""How this side releases an association in order (PS3.8 7.2): it asks, and waits until the peer has answered.

Until then requests of the peer still arrive and reach the services, though their responses have no way back (Sta7).
Where both sides ask at once, the requestor answers first and the acceptor after it (PS3.8 7.2.2, Sta9 to Sta12).
"""

from __future__ import annotations

from collections.abc import Callable

from openmodality.dimse.assembler import CommandReceived
from openmodality.network.incoming import IncomingMessages
from openmodality.network.link import Link
from openmodality.network.message import MessageInProgress
from openmodality.upper_layer.primitives import (
    Indication,
    ReleaseConfirm,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    Role,
)

AnswerRequest = Callable[[MessageInProgress], None]
"""Lets the services of this side answer a request."""


def release_in_order(link: Link, incoming: IncomingMessages, answer: AnswerRequest) -> None:
    """Ask for the release and wait for the answer.

    Raises :class:`PeerTimeout` where the answer does not come, else the error that ends the association.
    """
    incoming.read_over()
    link.follow_up.drop()
    incoming.begin_release()
    link.send_primitive(ReleaseRequest())
    owes_response = False
    while not isinstance(event := incoming.wait_for_release_event(), ReleaseConfirm):
        if not isinstance(event, ReleaseIndication) or not incoming.may_be_released:
            _answer_request(incoming, event, answer)
        elif link.provider.role is Role.ACCEPTOR:
            owes_response = True
        else:
            link.send_primitive(ReleaseResponse())
    if owes_response:
        link.send_primitive(ReleaseResponse())
        link.close(graceful=True)


def _answer_request(incoming: IncomingMessages, event: Indication, answer: AnswerRequest) -> None:
    received = incoming.assemble(event)
    if isinstance(received, CommandReceived):
        message = incoming.begin(received)
        if not received.command.is_response:
            answer(message)
        incoming.read_over()
