"""Requests of the DIMSE-N services, which have one response each, and what it says (PS3.7 10)."""

from __future__ import annotations

from dataclasses import field

from pydicom import Dataset

from openmodality.dimse.channel import Channel, Message, PresentationContext, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.errors import ObjectInvalid
from openmodality.standard.dimse import Status
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class NormalizedAnswer:
    """The response to a DIMSE-N request.

    ``sop_instance_uid`` names what was asked about or created, whoever chose it; ``tags`` are those that the peer
    objects to; ``attributes`` are what it sends back.
    """

    status: int
    comment: str = ""
    sop_instance_uid: str = ""
    error_id: int | None = None
    tags: tuple[int, ...] = ()
    attributes: Dataset = field(default_factory=Dataset)


def ask_normalized(
    channel: Channel,
    context: PresentationContext,
    command: Command,
    attributes: Dataset | None = None,
    *,
    timeout_s: float | None = None,
) -> NormalizedAnswer:
    """Send a DIMSE-N request with an attribute list, or without one, and wait for its response."""
    data = None if attributes is None else encode_data_set(attributes, context.transfer_syntax)
    return _read_answer(command, send_and_await(channel, context.context_id, command, data, timeout_s=timeout_s))


def _read_answer(asked: Command, answer: Message) -> NormalizedAnswer:
    said = answer.command
    try:
        attributes = read_data_set(answer)
    except ObjectInvalid:
        attributes = Dataset()  # the status says whether it was done; what comes back for information changes nothing
    return NormalizedAnswer(
        status=said.Status or Status.SUCCESS,
        comment=said.ErrorComment or "",
        sop_instance_uid=said.AffectedSOPInstanceUID
        or asked.AffectedSOPInstanceUID
        or asked.RequestedSOPInstanceUID
        or "",
        error_id=said.ErrorID,
        tags=(*(said.OffendingElement or ()), *(said.AttributeIdentifierList or ())),
        attributes=attributes,
    )
