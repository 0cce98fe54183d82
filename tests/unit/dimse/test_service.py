"""How requests are answered: every way a handler can end (PS3.7 7.5, 9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import pytest

from openmodality.dimse.channel import Channel, Message, PresentationContext, read_all
from openmodality.dimse.command import Command
from openmodality.dimse.request_response import (
    Outstanding,
    await_response,
    await_responses,
    send_and_await,
    send_cancel,
    send_request,
)
from openmodality.dimse.service import Cancelled, Handler, Refuse, Response, Service, make_ready_response
from openmodality.errors import AssociationAborted, ObjectInvalid, PeerTimeout, ProtocolError, StoreError
from openmodality.standard.dimse import CommandField, Status
from tests.loopback import Loopback, loopback_pair

SYNTAX = "1.2.3"
CONTEXT = PresentationContext(1, SYNTAX, "1.2.840.10008.1.2")
FIND = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=SYNTAX)


def channel_to(handler: Handler, field: CommandField = CommandField.C_FIND_RQ) -> Loopback:
    return loopback_pair([CONTEXT], [Service("test", frozenset({SYNTAX}), {field: handler})])[0]


def ask(handler: Handler, data: bytes | None = None) -> Command:
    return send_and_await(channel_to(handler), 1, FIND, data).command


def test_response_names_what_was_asked() -> None:
    asked = Command(
        CommandField=CommandField.N_ACTION_RQ,
        RequestedSOPClassUID=SYNTAX,
        RequestedSOPInstanceUID="1.9",
        ActionTypeID=1,
    )
    answered = send_and_await(channel_to(lambda _: Response(0), CommandField.N_ACTION_RQ), 1, asked).command
    assert answered.CommandField == CommandField.N_ACTION_RSP
    assert (answered.AffectedSOPClassUID, answered.AffectedSOPInstanceUID) == (SYNTAX, "1.9")
    assert (answered.ActionTypeID, answered.Status, answered.ErrorComment) == (1, 0, None)


@pytest.mark.parametrize(
    ("changes", "status", "comment"), [({}, 0, None), ({"status": 0xA700, "comment": "no room"}, 0xA700, "no room")]
)
def test_a_ready_response_goes_out_unless_it_was_changed(
    changes: dict[str, Any], status: int, comment: str | None
) -> None:
    def handler(message: Message) -> Response:
        response = make_ready_response(message, Status.SUCCESS)
        assert response == Response(Status.SUCCESS)
        return response._replace(**changes) if changes else response

    answered = ask(handler, b"data")
    assert (answered.Status, answered.ErrorComment) == (status, comment)


def test_a_ready_response_to_another_request_is_made_anew() -> None:
    """A handler in between may have changed the request for the one behind it."""

    def handler(message: Message) -> Response:
        other = AssociationMessageLike(message.channel, message.context, message.command._replace(MessageID=77))
        return make_ready_response(cast("Message", other), Status.SUCCESS)

    channel = channel_to(handler)
    message_id = send_request(channel, 1, FIND)
    assert await_response(channel, message_id).command.MessageIDBeingRespondedTo == message_id


class AssociationMessageLike(NamedTuple):
    """As much of a message as making its response ready takes."""

    channel: Channel
    context: PresentationContext
    command: Command


def refuse(message: Message) -> Response:
    raise Refuse(0xA700, "no room", (0x00080018,))


def break_invalid(message: Message) -> Response:
    raise ObjectInvalid("cannot be read")


def break_store(message: Message) -> Response:
    raise StoreError("database is gone")


def break_other(message: Message) -> Response:
    raise KeyError("a patient's name")


@pytest.mark.parametrize(
    ("handler", "status", "comment"),
    [
        (refuse, 0xA700, "no room"),
        (break_invalid, 0xC000, "cannot be read"),
        (break_store, 0x0110, "database is gone"),
        (break_other, 0x0110, "internal error: KeyError"),
    ],
)
def test_what_goes_wrong_in_a_handler_is_answered_with_a_comment(handler: Handler, status: int, comment: str) -> None:
    answered = ask(handler)
    assert (answered.Status, answered.ErrorComment) == (status, comment)


def test_offending_elements_are_named() -> None:
    assert ask(refuse).OffendingElement == (0x00080018,)


@pytest.mark.parametrize(
    ("sop_class", "uid", "said"),
    [("1.2.3", "1.2.9", ("1.2.3", "1.2.9")), ("\x1b[2JDoe^Jane", None, ("(not a UID)", None))],
)
def test_the_log_says_who_was_refused_what_and_why(
    caplog: pytest.LogCaptureFixture, sop_class: str, uid: str | None, said: tuple[str, str | None]
) -> None:
    asked = Command(
        CommandField=CommandField.C_STORE_RQ, AffectedSOPClassUID=sop_class, AffectedSOPInstanceUID=uid, MessageID=1
    )
    send_and_await(channel_to(refuse, CommandField.C_STORE_RQ), 1, asked)
    [record] = caplog.records
    fields = vars(record)
    assert record.message == "dimse.refused"
    assert (fields["calling"], fields["called"]) == ("REQUESTOR", "ACCEPTOR")
    assert (fields["command"], fields["status"], fields["reason"]) == ("C-STORE-RQ", "A700", "no room")
    assert fields["attributes"] == "(0008,0018)"
    assert (fields["sop_class"], fields["sop_instance_uid"]) == said


def test_operation_that_is_not_offered_is_unrecognized() -> None:
    other = Command(CommandField=CommandField.N_GET_RQ)
    assert send_and_await(channel_to(refuse), 1, other).command.Status == Status.UNRECOGNIZED_OPERATION


def test_data_set_that_the_handler_left_is_read_over() -> None:
    channel = channel_to(refuse)
    for _ in range(2):
        assert send_and_await(channel, 1, FIND, b"12" * 40000).command.Status == 0xA700


def test_data_set_is_read_over_before_a_pending_response() -> None:
    """Else its next fragment comes where a C-CANCEL is looked for."""
    left: list[bytes] = []

    def late(message: Message) -> Iterator[Response]:
        yield Response(Status.PENDING, b"ab")
        left.append(read_all(message))
        yield Response(Status.SUCCESS)

    assert [answer.command.Status for answer in await_responses(channel_to(late), 1, FIND, b"12" * 40000)] == [
        0xFF00,
        0,
    ]
    assert left == [b""]


def echo_back(message: Message) -> Response:
    return Response(0, data=read_all(message))


@pytest.mark.parametrize("length", [0, 2, 16376, 16378, 16380, 100_000])
def test_data_sets_of_any_length_come_through(length: int) -> None:
    data = bytes(range(256)) * (length // 256 + 1)
    channel = channel_to(echo_back)
    answered = send_and_await(channel, 1, FIND, data[:length])
    assert read_all(answered) == data[:length]


def three(message: Message) -> Iterator[Response]:
    for _ in range(3):
        yield Response(Status.PENDING, b"ab")
    yield Response(Status.SUCCESS)


def test_pending_responses_come_one_by_one() -> None:
    statuses = [answer.command.Status for answer in await_responses(channel_to(three), 1, FIND)]
    assert statuses == [0xFF00, 0xFF00, 0xFF00, 0x0000]


def test_cancel_ends_the_pending_responses() -> None:
    channel = channel_to(three)
    message_id = send_request(channel, 1, FIND)
    assert await_response(channel, message_id).command.Status == Status.PENDING
    send_cancel(channel, 1, message_id)
    rest = [await_response(channel, message_id).command.Status]
    while rest[-1] == Status.PENDING:
        rest.append(await_response(channel, message_id).command.Status)
    assert rest[-1] == Status.CANCEL
    assert len(rest) < 3


def counting(message: Message) -> Iterator[Response]:
    for done in range(10):
        try:
            yield Response(Status.PENDING)
        except Cancelled:
            yield Response(Status.CANCEL, fields={"NumberOfCompletedSuboperations": done})
            return


def test_handler_can_say_how_far_it_came_when_cancelled() -> None:
    channel = channel_to(counting)
    message_id = send_request(channel, 1, FIND)
    await_response(channel, message_id)
    send_cancel(channel, 1, message_id)
    answer = await_response(channel, message_id)
    assert (answer.command.Status, answer.command.NumberOfCompletedSuboperations) == (Status.CANCEL, 0)


def test_request_of_the_peer_is_answered_while_a_response_is_awaited() -> None:
    seen: list[int | None] = []

    def notified(message: Message) -> Response:
        seen.append(message.command.EventTypeID)
        return Response(0)

    def acting(message: Message) -> Response:
        event = Command(CommandField=CommandField.N_EVENT_REPORT_RQ, AffectedSOPClassUID=SYNTAX, EventTypeID=1)
        assert send_and_await(message.channel, 1, event).command.Status == 0
        return Response(0)

    services = [Service("act", frozenset({SYNTAX}), {CommandField.N_ACTION_RQ: acting})]
    hearing = [Service("hear", frozenset({SYNTAX}), {CommandField.N_EVENT_REPORT_RQ: notified})]
    channel, _ = loopback_pair([CONTEXT], services, hearing)
    assert send_and_await(channel, 1, Command(CommandField=CommandField.N_ACTION_RQ)).command.Status == 0
    assert seen == [1]


def test_answer_to_nothing_breaks_the_protocol() -> None:
    channel, other = loopback_pair([CONTEXT], [])
    other.send(1, Command(CommandField=CommandField.C_ECHO_RSP, MessageIDBeingRespondedTo=99, Status=0))
    with pytest.raises(ProtocolError, match="C-ECHO-RSP"):
        await_response(channel, 1)


def test_no_answer_is_a_time_out() -> None:
    channel, _ = loopback_pair([CONTEXT], [])
    with pytest.raises(PeerTimeout):
        await_response(channel, 1)


def test_responses_to_several_open_requests_come_in_any_order() -> None:
    channel, other = loopback_pair([CONTEXT], [])
    outstanding = Outstanding(channel)
    ids = [outstanding.send(outstanding.prepare(1, FIND)) for _ in range(3)]
    for message_id in reversed(ids):
        other.send(1, Command(CommandField=CommandField.C_FIND_RSP, MessageIDBeingRespondedTo=message_id, Status=0))
    assert [outstanding.await_response(i).MessageIDBeingRespondedTo for i in ids] == ids


def test_second_response_to_one_request_breaks_the_protocol() -> None:
    channel, other = loopback_pair([CONTEXT], [])
    outstanding = Outstanding(channel)
    first, second = outstanding.send(outstanding.prepare(1, FIND)), outstanding.send(outstanding.prepare(1, FIND))
    for _ in range(2):
        other.send(1, Command(CommandField=CommandField.C_FIND_RSP, MessageIDBeingRespondedTo=second, Status=0))
    with pytest.raises(ProtocolError, match="answers no open request"):
        outstanding.await_response(first)


@pytest.mark.parametrize("data_set", [0x0101, 0])
def test_request_without_message_id_breaks_the_protocol(data_set: int) -> None:
    channel, _ = loopback_pair([CONTEXT], [])
    with pytest.raises(ProtocolError, match=r"no Message ID \(0000,0110\)"):
        channel.send(1, FIND._replace(CommandDataSetType=data_set), None if data_set else b"ab")


def test_counts_beyond_their_element_are_clamped() -> None:
    counts = {f"NumberOf{which}Suboperations": 70_000 for which in ("Remaining", "Completed", "Failed", "Warning")}
    answered = ask(lambda _: Response(Status.CANCEL, fields=counts))
    assert {getattr(answered, keyword) for keyword in counts} == {65535}


class Unfinished:
    """A handler that would yield for ever; remembers that it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.is_closed = False
        self._error = error

    def __call__(self, message: Message) -> Iterator[Response]:
        try:
            while True:
                yield Response(Status.PENDING, b"ab")
        finally:
            self.is_closed = True
            if self._error is not None:
                raise self._error


@pytest.mark.parametrize("error", [None, KeyError("cleaning up failed too")])
def test_handler_is_closed_when_the_association_ends(error: Exception | None) -> None:
    """At once, not when the last reference goes: whoever holds the error holds the frames."""
    handler = Unfinished(error)
    channel, other = loopback_pair([CONTEXT], [Service("t", frozenset({SYNTAX}), {CommandField.C_FIND_RQ: handler})])
    send_request(channel, 1, FIND)
    assert other.work()
    other.close()
    with pytest.raises(AssociationAborted) as held:
        other.work()
    assert held.traceback
    assert handler.is_closed
