"""C-MOVE and C-GET, both ends: progress is followed, sub-operations are counted (PS3.7 9.1.3, PS3.4 C.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Final, Protocol

from pydicom import Dataset

from openmodality.dimse.channel import Channel, Message, context_for, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.reading import read_texts
from openmodality.dimse.request_response import await_response, send_cancel, send_request
from openmodality.dimse.service import Cancelled, Response
from openmodality.dimse.status import is_pending
from openmodality.dimse.verdict import Judge, Verdict, standard_judge
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.standard.dimse import CommandField, Priority, Status
from openmodality.standard.tags import FAILED_SOP_INSTANCE_UID_LIST
from openmodality.value_class import dataclass

CANNOT_PERFORM_SUB_OPERATIONS: Final = 0xA702
SUB_OPERATIONS_FAILED: Final = 0xB000
MOVE_JUDGE: Final = standard_judge("retrieve", "C-MOVE")
"""What a C-MOVE status means where there is no device with a table of its own."""

MAX_FAILED_UIDS: Final = 1000
"""UIDs that are named in a response: more do not fit the 16-bit length of a UI."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Sub-operations of a retrieve (PS3.7 9.1.4)."""

    remaining: int = 0
    completed: int = 0
    failed: int = 0
    warning: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.remaining + other.remaining,
            self.completed + other.completed,
            self.failed + other.failed,
            self.warning + other.warning,
        )


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The end of a retrieve; ``failed_uids`` are the SOP Instance UIDs that the SCP could not send."""

    verdict: Verdict
    counts: Counts
    failed_uids: tuple[str, ...] = ()
    comment: str = ""

    @property
    def status(self) -> int:
        """The final status."""
        return self.verdict.status


def move(
    channel: Channel,
    sop_class_uid: str,
    identifier: Dataset,
    destination: str,
    *,
    judge: Judge = MOVE_JUDGE,
    go_on: Callable[[Counts], bool] | None = None,
) -> MoveResult:
    """Let the SCP send what the identifier names to the AE ``destination``, which it must know.

    ``judge`` says what a status means; a pending response that it calls a failure ends the retrieve. ``go_on`` is asked
    at each pending response; when it says no, C-CANCEL is sent and the final response awaited.
    """
    command = Command(
        CommandField=CommandField.C_MOVE_RQ,
        AffectedSOPClassUID=sop_class_uid,
        MoveDestination=destination,
        Priority=Priority.MEDIUM,
    )
    return _retrieve(channel, command, identifier, judge, go_on)


def get(
    channel: Channel,
    sop_class_uid: str,
    identifier: Dataset,
    *,
    judge: Judge,
    go_on: Callable[[Counts], bool] | None = None,
) -> MoveResult:
    """As :func:`move`, but the instances come on this association, whose services store them (PS3.7 9.1.3)."""
    command = Command(CommandField=CommandField.C_GET_RQ, AffectedSOPClassUID=sop_class_uid, Priority=Priority.MEDIUM)
    return _retrieve(channel, command, identifier, judge, go_on)


def _retrieve(
    channel: Channel,
    command: Command,
    identifier: Dataset,
    judge: Judge,
    go_on: Callable[[Counts], bool] | None,
) -> MoveResult:
    context = context_for(channel, command.AffectedSOPClassUID or "")
    data = encode_data_set(identifier, context.transfer_syntax)
    message_id = send_request(channel, context.context_id, command, data)
    is_cancelled = False
    while True:
        response = await_response(channel, message_id)
        verdict = judge(response.command.Status or Status.SUCCESS)
        if verdict.is_failure or not is_pending(verdict.status):
            return _make_result(response, verdict)
        if go_on is not None and not is_cancelled and not go_on(_read_counts(response.command)):
            send_cancel(channel, context.context_id, message_id)
            is_cancelled = True


def _make_result(response: Message, verdict: Verdict) -> MoveResult:
    try:
        failed_uids = read_texts(read_data_set(response), FAILED_SOP_INSTANCE_UID_LIST)
    except ObjectInvalid:
        failed_uids = ()  # the counts say how many
    return MoveResult(verdict, _read_counts(response.command), failed_uids, response.command.ErrorComment or "")


def _read_counts(command: Command) -> Counts:
    return Counts(
        command.NumberOfRemainingSuboperations or 0,
        command.NumberOfCompletedSuboperations or 0,
        command.NumberOfFailedSuboperations or 0,
        command.NumberOfWarningSuboperations or 0,
    )


# SCP


class SubOperation(Enum):
    """How the C-STORE of one instance ended."""

    COMPLETED = "completed"
    WARNING = "warning"
    FAILED = "failed"


class Transfer(Protocol):
    """Sub-operations that are ready to be performed."""

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        """The instances that match."""
        ...

    @property
    def reason(self) -> str:
        """Why instances failed, in words for the requestor; empty where there is nothing to say."""
        ...

    def perform(self) -> Iterator[tuple[str, SubOperation] | None]:
        """Send one instance after the other: its SOP Instance UID and how that ended; ``None`` while it waits.

        Is closed early when the retrieve is cancelled. An :class:`OpenModalityError` fails what is left.
        """
        ...


def answer_transfer(message: Message, transfer: Transfer) -> Iterator[Response]:
    """The SCP's responses: pending after each sub-operation, then what became of them all."""
    return _Progress(transfer.sop_instance_uids, message.context.transfer_syntax).responses(transfer)


class _Progress:
    """Counts the sub-operations of one C-MOVE."""

    def __init__(self, sop_instance_uids: Sequence[str], transfer_syntax: str) -> None:
        self._remaining = dict.fromkeys(sop_instance_uids)
        self._transfer_syntax = transfer_syntax
        self._ended = dict.fromkeys(SubOperation, 0)
        self._failed_uids: list[str] = []

    def responses(self, transfer: Transfer) -> Iterator[Response]:
        performing = transfer.perform()
        comment = ""
        try:
            for each in performing:
                if each is not None:
                    self._count(*each)
                yield Response(Status.PENDING, fields=self._list_fields(with_remaining=True))
        except Cancelled:
            close = getattr(performing, "close", None)
            if close is not None:
                close()
            yield self._make_final(Status.CANCEL, "cancelled as requested")
            return
        except OpenModalityError as error:
            comment = error.message
        self._ended[SubOperation.FAILED] += len(self._remaining)
        self._failed_uids += self._remaining
        self._remaining.clear()
        yield self._make_end(comment or transfer.reason)

    def _count(self, uid: str, ended: SubOperation) -> None:
        self._remaining.pop(uid, None)
        self._ended[ended] += 1
        if ended is SubOperation.FAILED:
            self._failed_uids.append(uid)

    def _make_end(self, comment: str) -> Response:
        failed, warning = self._ended[SubOperation.FAILED], self._ended[SubOperation.WARNING]
        if not failed and not warning:
            return self._make_final(Status.SUCCESS, "")
        if failed and not warning and not self._ended[SubOperation.COMPLETED]:
            return self._make_final(CANNOT_PERFORM_SUB_OPERATIONS, comment or "no instance could be sent")
        return self._make_final(SUB_OPERATIONS_FAILED, comment or f"{failed} failed, {warning} with a warning")

    def _make_final(self, status: int, comment: str) -> Response:
        data = None
        if self._failed_uids:
            data_set = Dataset()
            data_set.FailedSOPInstanceUIDList = self._failed_uids[:MAX_FAILED_UIDS]
            data = encode_data_set(data_set, self._transfer_syntax)
        fields = self._list_fields(with_remaining=status == Status.CANCEL)
        return Response(status, data, comment or None, fields=fields)

    def _list_fields(self, *, with_remaining: bool) -> dict[str, object]:
        counts: dict[str, object] = {
            "NumberOfCompletedSuboperations": self._ended[SubOperation.COMPLETED],
            "NumberOfFailedSuboperations": self._ended[SubOperation.FAILED],
            "NumberOfWarningSuboperations": self._ended[SubOperation.WARNING],
        }
        if with_remaining:
            counts["NumberOfRemainingSuboperations"] = len(self._remaining)
        return counts
