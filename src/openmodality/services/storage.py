"""Storage: instances go from the SCU to the SCP. PS3.4 Annex B; RF-4.2.1, MR-3.2.3, MR-3.3.4.

The SCU sends one C-STORE for each instance and asks a judge what the answer means. The SCP hands the data set, as it
arrives, to an :class:`InstanceSink` and answers Success only after the sink has said that the instance is safe.
SOP Class and SOP Instance UID of the data set must be those of the command, else the answer is Data Set does not match
SOP Class (A900H). A data set that is cut off, of odd length, not in the transfer syntax of its presentation context, or
whose pixel data are shorter than it says, is not understood (C001H), and not kept. No further content is checked
(MR-3.2.4.3.1-05).

Values that are made for every instance are tuples, which take half the time of frozen dataclasses to make.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from typing import Final, NamedTuple, Protocol

from openmodality.dimse.channel import Channel, Message, PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse, Response, Service, make_ready_response
from openmodality.dimse.verdict import Judge, Verdict, standard_judge
from openmodality.encoding.listening import Listener, check_length
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.strides import StrideMemory
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.standard.dimse import OUT_OF_RESOURCES, CommandField, Priority, Status
from openmodality.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

DATA_SET_DOES_NOT_MATCH: Final = 0xA900
CANNOT_UNDERSTAND: Final = 0xC001

STORE_JUDGE: Final = standard_judge("storage", "C-STORE")
"""What a C-STORE status means where there is no device with a table of its own."""


class StoreResult(NamedTuple):
    """The answer to one C-STORE, and the verdict on it."""

    status: int
    verdict: Verdict
    comment: str = ""
    offending: tuple[int, ...] = ()


class InstanceIdentity(NamedTuple):
    """What names an instance: (0008,0016) SOP Class UID and (0008,0018) SOP Instance UID."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class MoveOriginator:
    """The requestor of the C-MOVE to which a C-STORE belongs, and the Message ID of that request (PS3.7 9.3.1.1)."""

    ae_title: str
    message_id: int


def store(
    channel: Channel,
    context: PresentationContext,
    identity: InstanceIdentity,
    data: DataSet,
    *,
    originator: MoveOriginator | None = None,
    timeout_s: float | None = None,
) -> StoreResult:
    """Send one instance, whose data set is in the context's transfer syntax; the standard judges the answer."""
    command = make_store_command(identity, originator)
    answer = send_and_await(channel, context.context_id, command, data, timeout_s=timeout_s).command
    return read_store_response(answer, STORE_JUDGE)


def make_store_command(
    identity: InstanceIdentity, originator: MoveOriginator | None = None, priority: int = Priority.MEDIUM
) -> Command:
    """The C-STORE request for an instance, without its Message ID."""
    return Command(
        CommandField=CommandField.C_STORE_RQ,
        AffectedSOPClassUID=identity.sop_class_uid,
        AffectedSOPInstanceUID=identity.sop_instance_uid,
        Priority=priority,
        MoveOriginatorApplicationEntityTitle=originator.ae_title if originator else None,
        MoveOriginatorMessageID=originator.message_id if originator else None,
    )


def read_store_response(answer: Command, judge: Judge) -> StoreResult:
    """The result that a C-STORE response gives."""
    status = answer.Status if answer.Status is not None else Status.PROCESSING_FAILURE
    return StoreResult(status, judge(status), answer.ErrorComment or "", answer.OffendingElement or ())


# SCP


class StoreRequest(NamedTuple):
    """What an SCP knows of an instance before its data set comes.

    ``walk`` goes over the data set as it comes; a sink that needs something of it listens to it from ``open`` on.
    """

    identity: InstanceIdentity
    transfer_syntax: str
    peer: PeerInfo
    walk: DataSetWalk
    originator: MoveOriginator | None = None


class InstanceWriter(Protocol):
    """Takes one instance; exactly one of ``commit`` and ``abort`` is called."""

    def write(self, chunk: memoryview) -> object:
        """Take a part of the data set, which the listeners have seen; the buffer is reused afterwards.

        Raises :class:`StoreError` where it cannot be written.
        """
        ...

    def commit(self) -> int | None:
        """Make the instance safe; a status other than ``None`` is answered instead of Success.

        Raises :class:`Refuse` where the answer says more than a status, and :class:`StoreError` where it cannot be
        stored.
        """
        ...

    def abort(self) -> None:
        """Leave nothing behind."""
        ...


class InstanceSink(Protocol):
    """Where received instances go."""

    def open(self, request: StoreRequest) -> InstanceWriter:
        """Begin an instance. Raises :class:`Refuse` where it is turned down, :class:`StoreError` where there is no
        room.
        """
        ...


def storage_service(sink: InstanceSink, abstract_syntaxes: Container[str]) -> Service:
    """The SCP for these storage SOP Classes."""
    memory = StrideMemory()

    def answer_store(message: Message) -> Response:
        return _receive(message, sink, memory)

    return Service("Storage", abstract_syntaxes, {CommandField.C_STORE_RQ: answer_store})


def _receive(message: Message, sink: InstanceSink, memory: StrideMemory) -> Response:
    request = _read_store_request(message)
    request.walk.stride_by(memory)
    try:
        writer = sink.open(request)
        try:
            success = make_ready_response(message, Status.SUCCESS)
            _write(message, request, writer)
        except BaseException:
            writer.abort()
            raise
        status = writer.commit()
    except StoreError as error:
        log.warning("storage.failed", extra={"reason": error.message})
        return Response(OUT_OF_RESOURCES, comment=error.message)
    except ObjectInvalid as error:
        return Response(CANNOT_UNDERSTAND, comment=error.message)
    return success if status is None else Response(status)


def _read_store_request(message: Message) -> StoreRequest:
    command = message.command
    sop_class_uid, sop_instance_uid = command.AffectedSOPClassUID, command.AffectedSOPInstanceUID
    if not command.has_data_set:
        raise Refuse(CANNOT_UNDERSTAND, "C-STORE without a data set")
    if sop_class_uid != message.context.abstract_syntax:
        raise Refuse(Status.REFUSED_SOP_CLASS_NOT_SUPPORTED, "SOP Class is not that of the presentation context")
    if sop_instance_uid is None or not is_valid_uid(sop_instance_uid, strict=False):
        raise Refuse(Status.INVALID_SOP_INSTANCE, "Affected SOP Instance UID is missing or is no UID")
    originator = None
    if command.MoveOriginatorApplicationEntityTitle and command.MoveOriginatorMessageID is not None:
        originator = MoveOriginator(command.MoveOriginatorApplicationEntityTitle, command.MoveOriginatorMessageID)
    identity = InstanceIdentity(sop_class_uid, sop_instance_uid)
    transfer_syntax = message.context.transfer_syntax
    listeners = (IdentityCheck(identity), PixelDataCheck(transfer_syntax))
    walk = DataSetWalk(transfer_syntax, listeners, strict=True)
    return StoreRequest(identity, transfer_syntax, message.peer, walk, originator)


def _write(message: Message, request: StoreRequest, writer: InstanceWriter) -> None:
    walk, write, length_bytes = request.walk, writer.write, 0
    for chunk in message.chunks():
        walk.feed(chunk)
        length_bytes += len(chunk)
        write(chunk)
    walk.finish()
    if length_bytes % 2:
        raise ObjectInvalid("the data set has an odd length")  # PS3.5 7.1.1, A.5; PS3.8 D.1 and E.1


_NAMES: Final = {SOP_CLASS_UID: "SOP Class UID", SOP_INSTANCE_UID: "SOP Instance UID"}


class IdentityCheck(Listener):
    """Checks that a data set is the instance that its command names. Raises :class:`Refuse` as soon as it is not."""

    tags = frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID))

    def __init__(self, identity: InstanceIdentity) -> None:
        self._identity = identity

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Compare with the command."""
        for tag, expected in zip((SOP_CLASS_UID, SOP_INSTANCE_UID), self._identity, strict=True):
            if strip_padding(check_length(tag, values.get(tag, b""))) != expected:
                raise Refuse(DATA_SET_DOES_NOT_MATCH, f"{_NAMES[tag]} of data set and command differ", (tag,))
