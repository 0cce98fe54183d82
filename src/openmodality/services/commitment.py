"""Storage commitment: who keeps the images from now on? PS3.4 Annex J (push model); RF-4.2.2, MR-3.2.4, MR-3.3.5.

The SCU names instances with N-ACTION under a new Transaction UID; the SCP says later, with N-EVENT-REPORT, which of
them it has taken into its keeping. Both go to the well-known instance. The report may come before the N-ACTION
response, on the same association, on another one or days later, so that the transaction must be on record before the
request is sent. The SCP sends the report. On an association that it opens, it proposes the SCP role for itself; some
SCPs leave that out. The same report may come twice.

N-EVENT-REPORT responses of the SCU: 0000 taken; 0211 the transaction was never asked for; 0213 it has expired; 0113
no such event type; 0115 instances that were not asked for, returned in the event reply; 0118 the data set is no
storage commitment result; 0110 anything else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, Protocol

from pydicom import Dataset

from openmodality.dimse.channel import Channel, Message, PeerInfo, context_for, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.normalized import NormalizedAnswer, ask_normalized
from openmodality.dimse.reading import read_items, read_number, read_text
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ObjectInvalid, OpenModalityError, UsageError
from openmodality.standard.commitment import FailureReason
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL, STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE
from openmodality.standard.tags import (
    FAILED_SOP_SEQUENCE,
    FAILURE_REASON,
    REFERENCED_SOP_CLASS_UID,
    REFERENCED_SOP_INSTANCE_UID,
    REFERENCED_SOP_SEQUENCE,
    TRANSACTION_UID,
)
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

REQUEST: Final = 1
"""Action Type ID of a request for storage commitment (PS3.4 J.3.2)."""

SUCCESSFUL: Final = 1
FAILURES_EXIST: Final = 2
"""Event Type IDs of the result (PS3.4 J.3.3)."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An instance by (0008,1150) Referenced SOP Class UID and (0008,1155) Referenced SOP Instance UID."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An instance that was not committed, and its Failure Reason."""

    reference: Reference
    reason: int


@dataclass(frozen=True, slots=True)
class CommitmentResult:
    """What became of a transaction. An instance in neither list was not mentioned, and is not committed."""

    transaction_uid: str
    committed: tuple[Reference, ...] = ()
    failed: tuple[Failure, ...] = ()


# SCU


def share_out(references: Sequence[Reference], size: int) -> Iterator[tuple[Reference, ...]]:
    """Share many instances out to several transactions, for an SCP that limits a request."""
    for start in range(0, len(references), size):
        yield tuple(references[start : start + size])


def request_commitment(
    channel: Channel, transaction_uid: str, references: Sequence[Reference], *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Ask for commitment of these instances; any status but Success means that the request was not taken."""
    if not references:
        raise UsageError("storage commitment was asked for no instance")
    context = context_for(channel, STORAGE_COMMITMENT_PUSH_MODEL)
    command = Command(
        CommandField=CommandField.N_ACTION_RQ,
        RequestedSOPClassUID=STORAGE_COMMITMENT_PUSH_MODEL,
        RequestedSOPInstanceUID=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        ActionTypeID=REQUEST,
    )
    request = _make_data_set(CommitmentResult(transaction_uid, tuple(references)))
    return ask_normalized(channel, context, command, request, timeout_s=timeout_s)


class Missing(IntEnum):
    """The reasons why a report cannot be taken: there is no such transaction, or it has expired."""

    UNKNOWN = Status.UNRECOGNIZED_OPERATION
    EXPIRED = Status.RESOURCE_LIMITATION


@dataclass(frozen=True, slots=True)
class Known:
    """A transaction on record: what was asked for, and the result if it has come already."""

    references: frozenset[Reference]
    result: CommitmentResult | None = None


class CommitmentRecord(Protocol):
    """Where the SCU keeps its transactions."""

    def find(self, transaction_uid: str, peer: PeerInfo) -> Known | Missing:
        """What is on record of a transaction."""
        ...

    def keep_result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        """Keep the result before it is answered with Success; not called again for a repeated report."""
        ...


def commitment_result_service(record: CommitmentRecord) -> Service:
    """The service of the SCU: it answers N-EVENT-REPORT, on its own associations and on those that the SCP opens."""

    def answer_report(message: Message) -> Response:
        return _take_report(message, record)

    handlers = {CommandField.N_EVENT_REPORT_RQ: answer_report}
    return Service("Storage Commitment result", frozenset({STORAGE_COMMITMENT_PUSH_MODEL}), handlers, as_scp=False)


def _take_report(message: Message, record: CommitmentRecord) -> Response:
    command = message.command
    if command.AffectedSOPClassUID != STORAGE_COMMITMENT_PUSH_MODEL:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "Affected SOP Class is not Storage Commitment Push Model")
    if command.EventTypeID not in (SUCCESSFUL, FAILURES_EXIST):
        raise Refuse(Status.NO_SUCH_EVENT_TYPE, "Event Type ID is neither 1 nor 2")
    result = _read_result(read_data_set(message))
    known = record.find(result.transaction_uid, message.peer)
    if isinstance(known, Missing):
        raise Refuse(known, f"the transaction is {'unknown' if known is Missing.UNKNOWN else 'expired'}")
    mentioned = (*result.committed, *(failure.reference for failure in result.failed))
    strangers = [reference for reference in mentioned if reference not in known.references]
    if strangers:
        reply = _make_data_set(CommitmentResult(result.transaction_uid, tuple(strangers)))
        data = encode_data_set(reply, message.context.transfer_syntax)
        comment = f"{len(strangers)} instances were not part of the request"
        return Response(Status.INVALID_ARGUMENT_VALUE, data, comment)
    if known.result != result:
        record.keep_result(result, message.peer)
    return Response(Status.SUCCESS)


def _read_result(data_set: Dataset) -> CommitmentResult:
    """What an event report says; an instance that is in both sequences has failed."""
    transaction_uid = read_text(data_set, TRANSACTION_UID)
    if not transaction_uid:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "the data set is no storage commitment result", (TRANSACTION_UID,))
    failures = (
        Failure(_read_reference(item), _read_reason(item)) for item in read_items(data_set, FAILED_SOP_SEQUENCE)
    )
    failed = tuple(dict.fromkeys(failures))
    not_committed = {failure.reference for failure in failed}
    references = dict.fromkeys(_read_reference(item) for item in read_items(data_set, REFERENCED_SOP_SEQUENCE))
    committed = tuple(reference for reference in references if reference not in not_committed)
    return CommitmentResult(transaction_uid, committed, failed)


def _read_reference(item: Dataset) -> Reference:
    return Reference(read_text(item, REFERENCED_SOP_CLASS_UID), read_text(item, REFERENCED_SOP_INSTANCE_UID))


def _read_reason(item: Dataset) -> int:
    reason = read_number(item, FAILURE_REASON)
    return FailureReason.PROCESSING_FAILURE if reason is None else reason


# SCP


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """A request for commitment as the SCP gets it; ``channel`` is its association, on which a report may be sent."""

    transaction_uid: str
    references: tuple[Reference, ...]
    peer: PeerInfo
    channel: Channel


class CommitmentSource(Protocol):
    """What decides whether instances are kept."""

    def commit(self, request: CommitmentRequest) -> None:
        """Take a request. Raises :class:`Refuse` where it is turned down. The result may be reported at once."""
        ...

    def answered(self, request: CommitmentRequest) -> None:
        """The request has been answered with Success: the time to report on the same association, or to plan it."""
        ...


def commitment_service(source: CommitmentSource) -> Service:
    """The service of the SCP: it answers N-ACTION."""

    def answer_action(message: Message) -> Iterator[Response]:
        asked = _read_request(message)
        source.commit(asked)
        yield Response(Status.SUCCESS)
        try:
            source.answered(asked)
        except OpenModalityError:
            log.warning("commitment.report_failed", extra={"peer": message.peer.calling_ae_title}, exc_info=True)

    handlers = {CommandField.N_ACTION_RQ: answer_action}
    return Service("Storage Commitment", frozenset({STORAGE_COMMITMENT_PUSH_MODEL}), handlers)


def _read_request(message: Message) -> CommitmentRequest:
    command = message.command
    if command.RequestedSOPClassUID != STORAGE_COMMITMENT_PUSH_MODEL:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "Requested SOP Class is not Storage Commitment Push Model")
    if command.RequestedSOPInstanceUID != STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE:
        raise Refuse(Status.NO_SUCH_SOP_INSTANCE, "Requested SOP Instance is not the well-known one")
    if command.ActionTypeID != REQUEST:
        raise Refuse(Status.NO_SUCH_ACTION_TYPE, "Action Type ID is not 1")
    data_set = read_data_set(message)
    transaction_uid = read_text(data_set, TRANSACTION_UID)
    references = tuple(dict.fromkeys(_read_reference(item) for item in read_items(data_set, REFERENCED_SOP_SEQUENCE)))
    if not is_valid_uid(transaction_uid, strict=False):
        raise Refuse(Status.INVALID_ARGUMENT_VALUE, "Transaction UID is missing or is no UID", (TRANSACTION_UID,))
    if not references or any(not is_valid_uid(each.sop_instance_uid, strict=False) for each in references):
        raise Refuse(Status.INVALID_ARGUMENT_VALUE, "no instance, or one without UID", (REFERENCED_SOP_SEQUENCE,))
    return CommitmentRequest(transaction_uid, references, message.peer, message.channel)


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The SCU's answer to a report; ``unrecognized`` are instances that it had not asked for (0115)."""

    status: int
    comment: str = ""
    unrecognized: tuple[Reference, ...] = ()


def send_report(channel: Channel, result: CommitmentResult, *, timeout_s: float | None = None) -> ReportResult:
    """Tell the SCU what became of a transaction."""
    context = context_for(channel, STORAGE_COMMITMENT_PUSH_MODEL)
    command = Command(
        CommandField=CommandField.N_EVENT_REPORT_RQ,
        AffectedSOPClassUID=STORAGE_COMMITMENT_PUSH_MODEL,
        AffectedSOPInstanceUID=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        EventTypeID=FAILURES_EXIST if result.failed else SUCCESSFUL,
    )
    data = encode_data_set(_make_data_set(result), context.transfer_syntax)
    answer = send_and_await(channel, context.context_id, command, data, timeout_s=timeout_s)
    try:
        reply = read_data_set(answer)
    except ObjectInvalid:
        reply = Dataset()  # the status says it all
    strangers = tuple(_read_reference(item) for item in read_items(reply, REFERENCED_SOP_SEQUENCE))
    status = answer.command.Status or Status.SUCCESS
    return ReportResult(status, answer.command.ErrorComment or "", strangers)


def _make_data_set(result: CommitmentResult) -> Dataset:
    data_set = Dataset()
    data_set.TransactionUID = result.transaction_uid
    if result.committed:
        data_set.ReferencedSOPSequence = [_make_item(reference) for reference in result.committed]
    if result.failed:
        data_set.FailedSOPSequence = [_make_item(failure.reference, failure.reason) for failure in result.failed]
    return data_set


def _make_item(reference: Reference, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reason is not None:
        item.FailureReason = reason
    return item
