"""A request that goes out between the arrival of a response and its reading."""

from __future__ import annotations

from typing import cast

import pytest

from openmodality.dimse.command import Command, encode_command
from openmodality.dimse.outgoing import KnownLength, Prepared, prepare_message
from openmodality.errors import ObjectInvalid, TransportError
from openmodality.network.outbox import Outbox
from openmodality.network.storage.follow_up import FollowUp, is_success, success_elements
from openmodality.network.transport import Transport
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.p_data import cut_fragments
from tests.interop import wire
from tests.interop.wire import MR_IMAGE
from tests.unit.network.test_outbox import Writes, as_bytes

RESPONSE = Command(
    CommandField=CommandField.C_STORE_RSP,
    MessageIDBeingRespondedTo=7,
    AffectedSOPClassUID=MR_IMAGE,
    AffectedSOPInstanceUID="1.2.3",
    Status=0,
)


def pdu(command: Command, **control: bool) -> memoryview:
    what = {"is_command": True, "last": True} | control
    return memoryview(b"".join(cut_fragments(encode_command(command), context_id=1, max_pdu_length=0, **what)))


@pytest.mark.parametrize("uids", [(MR_IMAGE, "1.2.3"), (None, None)])
def test_success_is_seen_with_and_without_the_uids(uids: tuple[str | None, str | None]) -> None:
    response = RESPONSE._replace(AffectedSOPClassUID=uids[0], AffectedSOPInstanceUID=uids[1])
    assert is_success(pdu(response), success_elements(7))


@pytest.mark.parametrize(
    "received",
    [
        pdu(RESPONSE._replace(Status=0xB000)),
        pdu(RESPONSE._replace(Status=0xA700, ErrorComment="0000")),
        pdu(RESPONSE._replace(Status=0x0100)),
        pdu(RESPONSE._replace(MessageIDBeingRespondedTo=6)),
        pdu(RESPONSE._replace(CommandField=CommandField.C_ECHO_RSP)),
        pdu(RESPONSE._replace(CommandDataSetType=0)),
        pdu(RESPONSE, is_command=False),
        pdu(RESPONSE, last=False),
        pdu(RESPONSE)[:-1],
        memoryview(bytes(pdu(RESPONSE)) * 2),
        memoryview(bytes(pdu(RESPONSE)) + wire.RELEASE_REQUEST),
        memoryview(wire.RELEASE_REQUEST),
        memoryview(b"\7\0\0\0\0\4\0\0\0\0"),
        memoryview(b""),
    ],
    ids=range(14),
)
def test_whatever_else_comes_is_no_success(received: memoryview) -> None:
    assert not is_success(received, success_elements(7))


def request(number: int) -> Prepared:
    command = Command(CommandField=CommandField.C_STORE_RQ, MessageID=number, CommandDataSetType=1)
    return prepare_message(1, command, KnownLength(iter([b"ab", b"cd"]), 4), 0)


@pytest.fixture
def transport() -> Writes:
    return Writes()


@pytest.fixture
def follow_up(transport: Writes) -> FollowUp:
    return FollowUp(Outbox(cast("Transport", transport), 0, 1.0))


def test_the_beginning_goes_out_at_the_response_and_the_rest_in_its_turn(
    follow_up: FollowUp, transport: Writes
) -> None:
    planned = request(8)
    follow_up.plan(planned, 7)
    follow_up.look_at(pdu(RESPONSE), begins=True)
    assert not follow_up.is_planned
    assert [write[-2:] for write in transport.writes] == [b"ab"]
    assert follow_up.takes(planned)
    follow_up.finish(planned)
    assert b"".join(transport.writes) == as_bytes(request(8))
    assert not follow_up.takes(planned), "it is out"


@pytest.mark.parametrize("size", [1, 5, 12, 13, 60])
def test_a_response_that_comes_in_parts_is_seen_when_it_is_whole(
    follow_up: FollowUp, transport: Writes, size: int
) -> None:
    response = pdu(RESPONSE)
    follow_up.plan(request(8), 7)
    for start in range(0, len(response), size):
        assert transport.writes == []
        follow_up.look_at(response[start : start + size], begins=start == 0)
    assert [write[-2:] for write in transport.writes] == [b"ab"]


def test_parts_of_another_response_are_no_success(follow_up: FollowUp, transport: Writes) -> None:
    follow_up.plan(request(8), 7)
    response = pdu(RESPONSE)
    follow_up.look_at(response[:12], begins=True)
    follow_up.plan(request(9), 8)
    follow_up.look_at(response[12:], begins=False)
    follow_up.look_at(memoryview(bytes(5000)), begins=False)
    follow_up.look_at(response[12:], begins=True)
    assert transport.writes == []
    assert follow_up.is_planned


def test_without_success_nothing_goes_out(follow_up: FollowUp, transport: Writes) -> None:
    planned = request(8)
    follow_up.plan(planned, 7)
    follow_up.look_at(pdu(RESPONSE._replace(Status=0xB007)), begins=True)
    assert follow_up.is_planned
    assert not follow_up.takes(planned)
    follow_up.look_at(pdu(RESPONSE), begins=True)
    assert transport.writes == []


def test_a_write_that_fails_is_told_in_its_turn(follow_up: FollowUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TransportError("gone")

    planned = request(8)
    follow_up.plan(planned, 7)
    monkeypatch.setattr(Writes, "write", broken)
    follow_up.look_at(pdu(RESPONSE), begins=True)
    assert follow_up.takes(planned)
    with pytest.raises(TransportError, match="gone"):
        follow_up.finish(planned)


def test_a_file_that_cannot_be_read_to_its_end_is_told_in_its_turn(follow_up: FollowUp) -> None:
    planned = prepare_message(1, RESPONSE, KnownLength(iter([b"ab"]), 4), 0)
    follow_up.plan(planned, 7)
    follow_up.look_at(pdu(RESPONSE), begins=True)
    with pytest.raises(ObjectInvalid, match="2 bytes where 4"):
        follow_up.finish(planned)
