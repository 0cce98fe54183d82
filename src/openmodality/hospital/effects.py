"""The effects of misbehaviour, one by one: on the answer to an association request, or around an honest handler.

An effect around a handler is a generator of responses. It may let the honest handler work first, change what it says,
say something else, or say nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

from pydicom import Dataset

from openmodality.dimse.channel import Channel, Message, PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.service import Handler, Response, make_response_command
from openmodality.dimse.status import is_pending
from openmodality.encoding.uid import new_uid
from openmodality.errors import AssociationAborted, TransportError
from openmodality.network.association import Association
from openmodality.standard.dimse import Status
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.standard.upper_layer import ABORT_BY_USER, ABORT_REASON_NOT_SPECIFIED, CONTEXT_NO_REASON
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ
from openmodality.value_class import dataclass
from openmodality.value_class import replace as replaced

FOR_EVER_S: Final = 1e6

Answer = A_ASSOCIATE_AC | A_ASSOCIATE_RJ
AssociationEffect = Callable[[Answer], Answer]


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the handler that would answer it honestly, and the personality's number of seconds."""

    message: Message
    handler: Handler
    seconds: float
    stopped: threading.Event

    def honest(self, message: Message | None = None) -> Iterator[Response]:
        """The honest responses, to another message where one is given."""
        result = self.handler(message or self.message)
        if isinstance(result, Response):
            yield result
        else:
            yield from result


HandlerEffect = Callable[[Call], Iterable[Response]]


# Associations


def rejected(answer: A_ASSOCIATE_RJ) -> AssociationEffect:
    """A-ASSOCIATE-RJ whatever was asked for."""
    return lambda _: answer


def without_contexts(answer: Answer) -> Answer:
    """Accept the association, and not one of its presentation contexts."""
    if isinstance(answer, A_ASSOCIATE_RJ):
        return answer
    contexts = tuple(replaced(context, result=CONTEXT_NO_REASON) for context in answer.presentation_contexts)
    return replaced(answer, presentation_contexts=contexts)


# Any request


def hang(call: Call) -> Iterable[Response]:
    """Take what comes and say nothing until the peer or the hospital ends it."""
    while not call.stopped.is_set():
        call.message.channel.receive(FOR_EVER_S)
    return drop(call)


def slow(call: Call) -> Iterator[Response]:
    """Answer honestly, late."""
    call.stopped.wait(call.seconds)
    yield from call.honest()


def abort(call: Call) -> Iterable[Response]:
    """A-ABORT in place of an answer."""
    raise AssociationAborted("aborted on purpose", source=ABORT_BY_USER, reason=ABORT_REASON_NOT_SPECIFIED)


def drop(call: Call) -> Iterable[Response]:
    """Cut the connection in place of an answer."""
    if isinstance(call.message.channel, Association):
        call.message.channel.shut()
    raise TransportError("the connection was cut on purpose")


def abort_within(call: Call) -> Iterable[Response]:
    """A-ABORT after the first part of the data set."""
    next(call.message.chunks(), None)
    return abort(call)


def drop_within(call: Call) -> Iterable[Response]:
    """Cut the connection after the first part of the data set."""
    next(call.message.chunks(), None)
    return drop(call)


def lose_answer(call: Call) -> Iterable[Response]:
    """Do what was asked for, and cut the connection before saying so."""
    for _ in call.honest():
        pass
    return drop(call)


def status(code: int) -> HandlerEffect:
    """Refuse with a status; nothing is done."""

    def effect(call: Call) -> Iterator[Response]:
        yield Response(code, comment="misbehaving on purpose")

    return effect


def done_but(code: int) -> HandlerEffect:
    """Do what was asked for and answer with another status."""

    def effect(call: Call) -> Iterator[Response]:
        for response in call.honest():
            yield response._replace(status=code, comment="misbehaving on purpose")

    return effect


# Performed procedure step


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A message whose command set has been changed."""

    original: Message
    command: Command

    @property
    def context(self) -> PresentationContext:
        return self.original.context

    @property
    def peer(self) -> PeerInfo:
        return self.original.peer

    @property
    def channel(self) -> Channel:
        return self.original.channel

    def chunks(self) -> Iterator[memoryview]:
        return self.original.chunks()

    def cancelled(self) -> bool:
        return self.original.cancelled()


def other_uid(call: Call) -> Iterator[Response]:
    """Create the instance under a SOP Instance UID of our own."""
    command = replaced(call.message.command, AffectedSOPInstanceUID=new_uid())
    yield from call.honest(_Renamed(call.message, command))


def without_uid(call: Call) -> Iterator[Response]:
    """Leave Affected SOP Instance UID out of the response."""
    for response in call.honest():
        yield response._replace(fields={**response.fields, "AffectedSOPInstanceUID": None})


# C-FIND


def pending_as(code: int) -> HandlerEffect:
    """Another pending status."""

    def effect(call: Call) -> Iterator[Response]:
        for response in call.honest():
            yield response._replace(status=code) if is_pending(response.status) else response

    return effect


def leftover(call: Call) -> Iterator[Response]:
    """The last match once more, as identifier of the final response."""
    last = None
    for response in call.honest():
        if is_pending(response.status):
            last = response.data
            yield response
        else:
            yield response._replace(data=last)


def stall(call: Call) -> Iterator[Response]:
    """One match, then nothing any more."""
    for response in call.honest():
        if is_pending(response.status):
            yield response
        break
    yield from hang(call)


def endless(call: Call) -> Iterable[Response]:
    """Matches without end; C-CANCEL is not listened to."""
    message = call.message
    found = [response for response in call.honest() if is_pending(response.status)]
    empty = Response(Status.PENDING, encode_data_set(Dataset(), message.context.transfer_syntax))
    while not call.stopped.is_set():
        for response in found or (empty,):
            command = make_response_command(message.command, response)
            message.channel.send(message.context.context_id, command, response.data)
    return drop(call)


def defective(spoil: Callable[[bytes, str], bytes]) -> HandlerEffect:
    """Each match spoiled; ``spoil`` takes the bytes of an identifier and its transfer syntax."""

    def effect(call: Call) -> Iterator[Response]:
        transfer_syntax = call.message.context.transfer_syntax
        for response in call.honest():
            if is_pending(response.status) and isinstance(response.data, bytes):
                yield response._replace(data=spoil(response.data, transfer_syntax))
            else:
                yield response

    return effect


def spoiled(change: Callable[[Dataset], object]) -> HandlerEffect:
    """Each match changed as a data set."""

    def spoil(data: bytes, transfer_syntax: str) -> bytes:
        data_set = decode_data_set(data, transfer_syntax)
        change(data_set)
        return encode_data_set(data_set, transfer_syntax)

    return defective(spoil)


def no_step(item: Dataset) -> None:
    """Scheduled Procedure Step Sequence (0040,0100) without item."""
    item.ScheduledProcedureStepSequence = []


def several_steps(item: Dataset) -> None:
    """Scheduled Procedure Step Sequence (0040,0100) with its item twice."""
    item.ScheduledProcedureStepSequence = list(item.get("ScheduledProcedureStepSequence", [])) * 2


def no_study_uid(item: Dataset) -> None:
    """No Study Instance UID (0020,000D)."""
    item.pop("StudyInstanceUID", None)


def no_character_set(data: bytes, transfer_syntax: str) -> bytes:
    """The bytes of an identifier without Specific Character Set (0008,0005), which is its first element."""
    order: Literal["big", "little"] = "big" if transfer_syntax == EXPLICIT_VR_BIG_ENDIAN else "little"
    group, element = SPECIFIC_CHARACTER_SET >> 16, SPECIFIC_CHARACTER_SET & 0xFFFF
    if data[:4] != group.to_bytes(2, order) + element.to_bytes(2, order):
        return data
    length = data[4:8] if transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN else data[6:8]
    return data[8 + int.from_bytes(length, order) :]
