"""Storage commitment, SCU joined to SCP in memory (PS3.4 Annex J)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset

from openmodality.dimse.channel import Message, PeerInfo, PresentationContext, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.errors import StoreError, UsageError
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Failure,
    Known,
    Missing,
    Reference,
    commitment_result_service,
    commitment_service,
    request_commitment,
    send_report,
    share_out,
)
from openmodality.standard.commitment import REASON_MEANINGS, FailureReason
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import (
    MR_IMAGE_STORAGE,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.loopback import Loopback, loopback_pair

TRANSACTION = "1.2.99"
ONE, TWO, THREE = (Reference(MR_IMAGE_STORAGE, f"1.2.{number}") for number in (1, 2, 3))
NOT_HERE = Failure(TWO, FailureReason.NO_SUCH_OBJECT_INSTANCE)


@dataclass
class Record:
    """The SCU's transactions."""

    known: dict[str, Known] = field(default_factory=dict)
    results: list[CommitmentResult] = field(default_factory=list)
    error: Exception | None = None
    missing: Missing = Missing.UNKNOWN

    def find(self, transaction_uid: str, peer: PeerInfo) -> Known | Missing:
        return self.known.get(transaction_uid, self.missing)

    def keep_result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        if self.error is not None:
            raise self.error
        self.results.append(result)
        self.known[result.transaction_uid] = Known(self.known[result.transaction_uid].references, result)


@dataclass
class Source:
    """The SCP's decision: what it does when it is asked, and after it has answered."""

    at_once: Callable[[CommitmentRequest], object] = lambda request: None
    afterwards: Callable[[CommitmentRequest], object] = lambda request: None
    requests: list[CommitmentRequest] = field(default_factory=list)

    def commit(self, request: CommitmentRequest) -> None:
        self.requests.append(request)
        self.at_once(request)

    def answered(self, request: CommitmentRequest) -> None:
        self.afterwards(request)


def asked_for(*references: Reference) -> Record:
    return Record({TRANSACTION: Known(frozenset(references))})


def pair(source: Source, record: Record, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> tuple[Loopback, Loopback]:
    context = PresentationContext(1, STORAGE_COMMITMENT_PUSH_MODEL, transfer_syntax)
    return loopback_pair([context], [commitment_service(source)], [commitment_result_service(record)])


def scp_association(record: Record, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Loopback:
    """An association that the SCP opens: it is the requestor and plays the SCP's role."""
    context = PresentationContext(1, STORAGE_COMMITMENT_PUSH_MODEL, transfer_syntax, as_scu=False, as_scp=True)
    return loopback_pair([context], [commitment_result_service(record)])[0]


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_instances_are_committed_on_another_association(transfer_syntax: str) -> None:
    source, record = Source(), asked_for(ONE, TWO)
    channel, _ = pair(source, record, transfer_syntax)
    assert request_commitment(channel, TRANSACTION, [ONE, TWO]).status == 0
    assert [(each.transaction_uid, each.references) for each in source.requests] == [(TRANSACTION, (ONE, TWO))]
    assert record.results == []
    result = CommitmentResult(TRANSACTION, (ONE, TWO))
    later = scp_association(record, transfer_syntax)
    assert send_report(later, result).status == 0
    assert record.results == [result]
    assert later.sent[0].EventTypeID == 1


def test_request_names_the_well_known_instance_and_the_instances_only() -> None:
    seen: list[tuple[Command, Dataset]] = []

    def action(message: Message) -> Response:
        seen.append((message.command, read_data_set(message)))
        return Response(0)

    context = PresentationContext(1, STORAGE_COMMITMENT_PUSH_MODEL, EXPLICIT_VR_LITTLE_ENDIAN)
    service = Service("script", frozenset({STORAGE_COMMITMENT_PUSH_MODEL}), {CommandField.N_ACTION_RQ: action})
    request_commitment(loopback_pair([context], [service])[0], TRANSACTION, [ONE])
    command, data_set = seen[0]
    assert command.RequestedSOPInstanceUID == STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE
    assert (command.RequestedSOPClassUID, command.ActionTypeID) == (STORAGE_COMMITMENT_PUSH_MODEL, 1)
    assert [element.keyword for element in data_set] == ["TransactionUID", "ReferencedSOPSequence"]
    assert [element.keyword for element in data_set.ReferencedSOPSequence[0]] == [
        "ReferencedSOPClassUID",
        "ReferencedSOPInstanceUID",
    ]


def test_report_may_come_before_the_answer() -> None:
    statuses: list[int] = []

    def report_at_once(request: CommitmentRequest) -> None:
        statuses.append(send_report(request.channel, CommitmentResult(TRANSACTION, (ONE,))).status)

    record = asked_for(ONE)
    channel, _ = pair(Source(at_once=report_at_once), record)
    assert request_commitment(channel, TRANSACTION, [ONE]).status == 0
    assert (statuses, record.results) == ([0], [CommitmentResult(TRANSACTION, (ONE,))])


def test_report_may_follow_the_answer_on_the_same_association() -> None:
    record, statuses = asked_for(ONE), []

    def report_then(request: CommitmentRequest) -> None:
        statuses.append(send_report(request.channel, CommitmentResult(TRANSACTION, (ONE,))).status)

    channel, scp = pair(Source(afterwards=report_then), record)
    assert request_commitment(channel, TRANSACTION, [ONE]).status == 0
    assert record.results == []
    scp_side = scp.work  # the SCP goes on after its response; its report waits until we look
    scp_side()
    assert (statuses, record.results) == ([0], [CommitmentResult(TRANSACTION, (ONE,))])


def test_report_that_fails_after_the_answer_does_not_answer_twice() -> None:
    def lose(request: CommitmentRequest) -> None:
        raise StoreError("the queue is full")

    channel, scp = pair(Source(afterwards=lose), asked_for(ONE))
    assert request_commitment(channel, TRANSACTION, [ONE]).status == 0
    scp.work()
    assert [command.name for command in scp.sent] == ["N-ACTION-RSP"]


def test_repeated_report_is_taken_once_and_answered_each_time() -> None:
    record = asked_for(ONE, TWO)
    channel = scp_association(record)
    result = CommitmentResult(TRANSACTION, (ONE,), (NOT_HERE,))
    assert [send_report(channel, result).status for _ in range(3)] == [0, 0, 0]
    assert record.results == [result]
    assert {command.EventTypeID for command in channel.sent} == {2}


def test_instance_that_is_not_mentioned_is_not_committed() -> None:
    record = asked_for(ONE, TWO, THREE)
    send_report(scp_association(record), CommitmentResult(TRANSACTION, (ONE,), (NOT_HERE,)))
    assert record.results[0].committed == (ONE,)


def deliver_report(record: Record, data_set: Dataset, **changes: object) -> tuple[Command, Dataset]:
    fields: dict[str, object] = {
        "CommandField": CommandField.N_EVENT_REPORT_RQ,
        "AffectedSOPClassUID": STORAGE_COMMITMENT_PUSH_MODEL,
        "AffectedSOPInstanceUID": STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        "EventTypeID": 1,
    }
    command = Command(**{**fields, **changes})  # type: ignore[arg-type]
    channel = scp_association(record)
    answer = send_and_await(channel, 1, command, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    return answer.command, read_data_set(answer)


def reported(*references: Reference, transaction_uid: str = TRANSACTION) -> Dataset:
    result = Dataset()
    result.TransactionUID = transaction_uid
    result.ReferencedSOPSequence = []
    for reference in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = (
            reference.sop_class_uid,
            reference.sop_instance_uid,
        )
        result.ReferencedSOPSequence.append(item)
    return result


def test_unknown_transaction_is_an_unrecognized_operation() -> None:
    record = Record()
    answer, _ = deliver_report(record, reported(ONE))
    assert (answer.Status, answer.ErrorComment, record.results) == (0x0211, "the transaction is unknown", [])


def test_expired_transaction_is_a_resource_limitation() -> None:
    record = Record(missing=Missing.EXPIRED)
    answer, _ = deliver_report(record, reported(ONE))
    assert (answer.Status, answer.ErrorComment, record.results) == (0x0213, "the transaction is expired", [])


@pytest.mark.parametrize("event_type", [None, 0, 3])
def test_event_type_that_does_not_exist_is_said_so(event_type: int | None) -> None:
    record = asked_for(ONE)
    assert deliver_report(record, reported(ONE), EventTypeID=event_type)[0].Status == 0x0113
    assert record.results == []


@pytest.mark.parametrize(
    ("error", "comment"),
    [(StoreError("database is gone"), "database is gone"), (KeyError("1.2.3"), "internal error: KeyError")],
)
def test_what_goes_wrong_inside_is_a_processing_failure_with_a_comment(error: Exception, comment: str) -> None:
    record = asked_for(ONE)
    record.error = error
    answer, _ = deliver_report(record, reported(ONE))
    assert (answer.Status, answer.ErrorComment) == (0x0110, comment)


def test_instances_that_were_not_asked_for_are_returned() -> None:
    record = asked_for(ONE)
    answer, event_reply = deliver_report(record, reported(ONE, TWO, THREE))
    assert (answer.Status, answer.ErrorComment) == (0x0115, "2 instances were not part of the request")
    assert [item.ReferencedSOPInstanceUID for item in event_reply.ReferencedSOPSequence] == ["1.2.2", "1.2.3"]
    assert record.results == []
    result = CommitmentResult(TRANSACTION, (ONE,), (NOT_HERE,))
    assert send_report(scp_association(record), result).unrecognized == (TWO,)


def test_what_is_no_commitment_result_is_no_such_sop_class() -> None:
    record = asked_for(ONE)
    assert deliver_report(record, Dataset())[0].Status == 0x0118
    assert deliver_report(record, reported(ONE), AffectedSOPClassUID=MR_IMAGE_STORAGE)[0].Status == 0x0118
    assert record.results == []


def test_file_set_and_retrieve_title_are_read_over() -> None:
    record, data_set = asked_for(ONE), reported(ONE)
    data_set.StorageMediaFileSetID, data_set.StorageMediaFileSetUID, data_set.RetrieveAETitle = "ID", "1.2.5", "PACS"
    assert deliver_report(record, data_set)[0].Status == 0
    assert record.results == [CommitmentResult(TRANSACTION, (ONE,))]


def test_instance_in_both_sequences_has_failed_and_a_missing_reason_is_a_failure() -> None:
    record, data_set = asked_for(ONE, TWO), reported(ONE, TWO)
    data_set.FailedSOPSequence = [reported(TWO).ReferencedSOPSequence[0]]
    assert deliver_report(record, data_set, EventTypeID=2)[0].Status == 0
    failed = (Failure(TWO, FailureReason.PROCESSING_FAILURE),)
    assert record.results == [CommitmentResult(TRANSACTION, (ONE,), failed)]


@pytest.mark.parametrize("reason", [*FailureReason, 0xA700])
def test_every_reason_arrives(reason: int) -> None:
    record = asked_for(ONE)
    send_report(scp_association(record), CommitmentResult(TRANSACTION, (), (Failure(ONE, reason),)))
    assert [failure.reason for failure in record.results[0].failed] == [reason]
    assert reason == 0xA700 or REASON_MEANINGS[FailureReason(reason)]


def refuse(request: CommitmentRequest) -> None:
    raise Refuse(0x0213, "too many open requests")


def test_source_can_refuse_a_request() -> None:
    channel, _ = pair(Source(at_once=refuse), Record())
    result = request_commitment(channel, TRANSACTION, [ONE])
    assert (result.status, result.comment) == (0x0213, "too many open requests")


@pytest.mark.parametrize(
    ("changes", "data_set", "status"),
    [
        ({"RequestedSOPClassUID": MR_IMAGE_STORAGE}, reported(ONE), 0x0118),
        ({"RequestedSOPInstanceUID": STORAGE_COMMITMENT_PUSH_MODEL}, reported(ONE), 0x0112),
        ({"ActionTypeID": 2}, reported(ONE), 0x0123),
        ({}, reported(), 0x0115),
        ({}, reported(ONE, transaction_uid=""), 0x0115),
        ({}, reported(Reference(MR_IMAGE_STORAGE, "")), 0x0115),
    ],
)
def test_request_that_makes_no_sense_is_refused(changes: dict[str, object], data_set: Dataset, status: int) -> None:
    fields: dict[str, object] = {
        "CommandField": CommandField.N_ACTION_RQ,
        "RequestedSOPClassUID": STORAGE_COMMITMENT_PUSH_MODEL,
        "RequestedSOPInstanceUID": STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        "ActionTypeID": 1,
    }
    source = Source()
    channel, _ = pair(source, Record())
    command = Command(**{**fields, **changes})  # type: ignore[arg-type]
    answer = send_and_await(channel, 1, command, encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)).command
    assert (answer.Status, source.requests) == (status, [])


def test_nothing_to_commit_is_not_sent() -> None:
    channel, _ = pair(Source(), Record())
    with pytest.raises(UsageError):
        request_commitment(channel, TRANSACTION, [])
    assert channel.sent == []


def test_many_instances_are_shared_out() -> None:
    assert list(share_out([ONE, TWO, THREE], 2)) == [(ONE, TWO), (THREE,)]
    assert list(share_out([], 2)) == []
