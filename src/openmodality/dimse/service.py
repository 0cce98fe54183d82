"""How a service answers: handlers, responses, refusals, and the one place that turns them into messages.

A handler takes a request and returns or yields :class:`Response` values. To refuse it raises :class:`Refuse`. Any other
exception is this side's fault and is answered with Processing failure (0110H). What it has left unread of the data set
is read and dropped before its first response, so that the association stays usable and a C-CANCEL is seen behind it. A
handler that yields is closed when the association ends first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from openmodality.dimse.channel import Channel, Message
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared
from openmodality.dimse.status import StatusCategory, categorize, is_pending
from openmodality.encoding.uid import quote_uid
from openmodality.errors import (
    AssociationAborted,
    AssociationReleased,
    ObjectInvalid,
    OpenModalityError,
    ProtocolError,
    TransportError,
)
from openmodality.standard.dimse import DATA_SET_PRESENT, RESPONSE_BIT, STATUS_MEANINGS, CommandField, Status
from openmodality.value_class import value_class

log = logging.getLogger(__name__)

LARGEST_COUNT: Final = 0xFFFF
"""The largest number of sub-operations that can be sent: the VR of these elements is US."""
_COUNTS: Final = frozenset(f"NumberOf{which}Suboperations" for which in ("Remaining", "Completed", "Failed", "Warning"))


class Response(NamedTuple):
    """What a handler answers; ``fields`` are further command elements by keyword, such as the sub-operation counts.

    A count above 65535 is sent as 65535, which is the most that its element holds. ``further`` are the data sets of
    more responses that differ in nothing else: they are sent together with this one, in one write.
    """

    status: int
    data: DataSet | None = None
    comment: str | None = None
    offending: tuple[int, ...] = ()
    fields: Mapping[str, object] = MappingProxyType({})
    further: Sequence[bytes] = ()


class _ReadyResponse(Response):
    """The response to one request, already encoded. A copy with changed fields drops the encoded bytes."""

    request: Message | None = None
    prepared: Prepared | None = None


class Refuse(Exception):
    """Raised by a handler to answer with a failure status, an Error Comment and the offending elements."""

    def __init__(self, status: int, comment: str = "", offending: tuple[int, ...] = ()) -> None:
        super().__init__(comment or STATUS_MEANINGS.get(status, f"{status:04X}"))
        self.status, self.comment, self.offending = status, comment, offending


class Cancelled(Exception):
    """Thrown into a handler at a pending response when the peer has sent C-CANCEL.

    A handler that has to say more than Cancel (FE00H), such as counts, catches it and yields its final response.
    """


Handler = Callable[[Message], "Response | Iterable[Response]"]


@value_class
class Service:
    """A service class as an AE offers it: its abstract syntaxes and a handler for each request.

    ``as_scp`` says which side of the service answers: a storage commitment SCU, too, answers N-EVENT-REPORT.
    """

    name: str
    abstract_syntaxes: Container[str]
    handlers: Mapping[CommandField, Handler]
    as_scp: bool = True


def handler_for(services: Sequence[Service], message: Message) -> Handler:
    """The handler for a request on its presentation context. Raises :class:`Refuse` where there is none."""
    command_field = cast("CommandField", message.command.CommandField)  # a number is equal to its member
    for service in services:
        if message.context.abstract_syntax in service.abstract_syntaxes:
            handler = service.handlers.get(command_field)
            if handler is not None:
                return handler
    raise Refuse(Status.UNRECOGNIZED_OPERATION, f"{message.command.name} is not offered on this presentation context")


def answer(channel: Channel, services: Sequence[Service], request: Message) -> None:
    """Let the services answer one request; what goes wrong becomes a response.

    Raises :class:`TransportError`, :class:`AssociationAborted`, :class:`AssociationReleased` or :class:`ProtocolError`
    where the association ends, and nothing else.
    """
    result = _call_handler(services, request)
    if isinstance(result, Response):
        _respond(channel, request, result)
    elif result is not None:
        for _ in _respond_in_turn(channel, request, result):
            pass


def answer_in_steps(channel: Channel, services: Sequence[Service], request: Message) -> Iterator[Response]:
    """Answer as :func:`answer` does, and yield after each response that has been sent, so that others can be served."""
    result = _call_handler(services, request)
    if isinstance(result, Response):
        _respond(channel, request, result)
        yield result
    elif result is not None:
        yield from _respond_in_turn(channel, request, result)


def make_ready_response(request: Message, status: int) -> Response:
    """Encode a response without data set while the peer is still sending the data set of its request."""
    response = _ReadyResponse(status)
    command = make_response_command(request.command, response)
    response.request = request
    response.prepared = request.channel.prepare(request.context.context_id, command)
    return response


def read_over(message: Message) -> None:
    """Read what is left of a message's data set and forget it."""
    for _ in message.chunks():
        pass


def _call_handler(services: Sequence[Service], request: Message) -> Response | Iterable[Response] | None:
    """Call the handler; returns what it answers, the response to its failure, or ``None`` where no response is due."""
    if request.command.CommandField == CommandField.C_CANCEL_RQ:
        return None  # its operation is over; PS3.7 9.3.2.3 asks for no response
    try:
        return handler_for(services, request)(request)
    except Exception as error:  # noqa: BLE001 - the boundary between an association and whatever a handler does
        return _make_failure(request, error)


def _respond_in_turn(channel: Channel, request: Message, results: Iterable[Response]) -> Iterator[Response]:
    responses = _end_at_failure(request, results)
    try:
        for response in responses:
            _respond(channel, request, response)
            yield response
    finally:
        responses.close()


def _end_at_failure(request: Message, results: Iterable[Response]) -> Generator[Response, None, None]:
    try:
        yield from _watch_for_cancel(iter(results), request)
    except Exception as error:  # noqa: BLE001 - the boundary between an association and whatever a handler does
        yield _make_failure(request, error)


def _respond(channel: Channel, request: Message, response: Response) -> None:
    read_over(request)
    prepared = response.prepared if isinstance(response, _ReadyResponse) and response.request is request else None
    if prepared is not None:
        channel.send_prepared(prepared)
    elif response.further and isinstance(response.data, bytes):
        command = make_response_command(request.command, response)
        channel.send_alike(request.context.context_id, command, (response.data, *response.further))
    else:
        channel.send(request.context.context_id, make_response_command(request.command, response), response.data)
    if categorize(response.status) is StatusCategory.FAILURE:
        log.warning("dimse.refused", extra=_describe_refusal(request, response))


def _describe_refusal(request: Message, response: Response) -> dict[str, object]:
    """Who was refused what and why. Error Comments are this side's own words and name tags, never their values."""
    command, peer = request.command, request.peer
    return {
        "calling": peer.calling_ae_title,
        "called": peer.called_ae_title,
        "address": peer.address or None,
        "command": command.name,
        "status": f"{response.status:04X}",
        "reason": response.comment or STATUS_MEANINGS.get(response.status),
        "attributes": _list_tags(response.offending),
        "sop_class": quote_uid(command.AffectedSOPClassUID or command.RequestedSOPClassUID),
        "sop_instance_uid": quote_uid(command.AffectedSOPInstanceUID or command.RequestedSOPInstanceUID),
    }


def _list_tags(tags: tuple[int, ...]) -> str | None:
    if not tags:
        return None
    from openmodality.encoding.headers import format_tag  # noqa: PLC0415 - start-up time: an echo names no tag

    return ", ".join(map(format_tag, tags))


def _make_failure(request: Message, error: Exception) -> Response:
    """Make the response to what a handler has raised; an error that ends the association is raised again."""
    if isinstance(error, Refuse):
        return Response(error.status, comment=str(error), offending=error.offending)
    if isinstance(error, ObjectInvalid):
        return Response(_find_misunderstood(request.command.CommandField), comment=error.message)
    if isinstance(error, TransportError | AssociationAborted | AssociationReleased | ProtocolError):
        raise error
    if isinstance(error, OpenModalityError):
        return Response(Status.PROCESSING_FAILURE, comment=error.message)
    log.error("dimse.handler_failed", extra={"command": request.command.name}, exc_info=error)
    return Response(Status.PROCESSING_FAILURE, comment=f"internal error: {type(error).__name__}")


def _watch_for_cancel(results: Iterator[Response], request: Message) -> Iterator[Response]:
    try:
        for response in results:
            yield response
            if is_pending(response.status) and request.cancelled():
                yield _tell_of_cancel(results)
                return
    finally:
        _close(results, request)


def _close(results: Iterator[Response], request: Message) -> None:
    close = getattr(results, "close", None)
    if close is None:
        return
    try:
        close()
    except Exception:  # a handler's cleaning up, which must not hide why the association ends
        log.exception("dimse.handler_failed", extra={"command": request.command.name})


def _tell_of_cancel(results: Iterator[Response]) -> Response:
    throw = getattr(results, "throw", None)
    if throw is not None:
        try:
            final = throw(Cancelled())
        except (Cancelled, StopIteration):
            pass
        else:
            if isinstance(final, Response):
                return final
    return Response(Status.CANCEL, comment="cancelled as requested")


def _find_misunderstood(command_field: int) -> int:
    is_composite = command_field < CommandField.N_EVENT_REPORT_RQ
    return 0xC000 if is_composite else Status.PROCESSING_FAILURE


def make_response_command(request: Command, response: Response) -> Command:
    """The command set of a response (PS3.7 9.3, 10.3): the request's UIDs echoed as affected, Error Comment where it
    failed.
    """
    says_why = categorize(response.status) in (StatusCategory.FAILURE, StatusCategory.WARNING, StatusCategory.CANCEL)
    command = Command(
        CommandField=request.CommandField | RESPONSE_BIT,
        MessageIDBeingRespondedTo=request.MessageID,
        AffectedSOPClassUID=request.AffectedSOPClassUID or request.RequestedSOPClassUID,
        AffectedSOPInstanceUID=request.AffectedSOPInstanceUID or request.RequestedSOPInstanceUID,
        EventTypeID=request.EventTypeID,
        ActionTypeID=request.ActionTypeID,
        Status=response.status,
        ErrorComment=(response.comment or STATUS_MEANINGS.get(response.status)) if says_why else None,
        OffendingElement=response.offending or None,
    )
    if not response.fields and response.data is None:
        return command
    changes = {
        keyword: min(value, LARGEST_COUNT) if keyword in _COUNTS and isinstance(value, int) else value
        for keyword, value in response.fields.items()
    }
    if response.data is not None:
        changes["CommandDataSetType"] = DATA_SET_PRESENT
    return command._replace(**changes)  # type: ignore[arg-type]
