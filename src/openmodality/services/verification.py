"""Verification: is the other application there and does it speak DICOM? PS3.4 Annex A.

The SCU sends C-ECHO, the SCP answers it with Success; nothing else can be answered once the association stands
(MR-3.3.1.3-04).
"""

from __future__ import annotations

from openmodality.dimse.channel import Channel, Message, context_for
from openmodality.dimse.command import Command
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Response, Service
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.sop_classes import VERIFICATION


def echo(channel: Channel, *, timeout_s: float | None = None) -> int:
    """Send one C-ECHO and return its Status (0000,0900); 0000H means the peer is present and active."""
    context = context_for(channel, VERIFICATION)
    command = Command(CommandField=CommandField.C_ECHO_RQ, AffectedSOPClassUID=VERIFICATION)
    response = send_and_await(channel, context.context_id, command, timeout_s=timeout_s)
    return response.command.Status or Status.SUCCESS


def answer_echo(message: Message) -> Response:
    """Answer a C-ECHO with Success."""
    return Response(Status.SUCCESS)


VERIFICATION_SERVICE = Service("Verification", frozenset({VERIFICATION}), {CommandField.C_ECHO_RQ: answer_echo})
