"""What goes out in which writes: each costs a system call here and may wake the peer."""

from __future__ import annotations

from typing import cast

import pytest

from openmodality.buffer import Buffer
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import KnownLength, Prepared, prepare_message
from openmodality.network.outbox import Outbox
from openmodality.network.transport import Transport
from openmodality.standard.dimse import CommandField

COMMAND = Command(CommandField=CommandField.C_STORE_RSP, MessageIDBeingRespondedTo=1, Status=0)


class Writes:
    """Stands for a transport; keeps each write as the bytes that went out with it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, buffers: list[Buffer], _: float | None) -> None:
        self.writes.append(b"".join(buffers))


@pytest.fixture
def transport() -> Writes:
    return Writes()


def outbox(transport: Writes, max_pdu_length: int = 0) -> Outbox:
    return Outbox(cast("Transport", transport), max_pdu_length, 1.0)


def response(message_id: int) -> Prepared:
    return prepare_message(1, COMMAND._replace(MessageIDBeingRespondedTo=message_id), None, 0)


def as_bytes(*messages: Prepared) -> bytes:
    return b"".join(bytes(buffer) for message in messages for buffers in message.writes() for buffer in buffers)


def test_what_is_held_goes_out_before_the_next_and_with_it(transport: Writes) -> None:
    box, messages = outbox(transport), [response(number) for number in range(3)]
    box.hold(messages[0])
    box.hold(messages[1])
    assert (box.count, transport.writes) == (2, [])
    box.send(messages[2])
    assert (box.count, transport.writes) == (0, [as_bytes(*messages)])


def test_what_is_held_goes_out_before_the_pdus_of_the_association(transport: Writes) -> None:
    box = outbox(transport)
    box.hold(response(1))
    box.flush(b"release")
    box.flush()
    assert transport.writes == [as_bytes(response(1)) + b"release"]


@pytest.mark.parametrize(("max_pdu_length", "writes"), [(0, 1), (131072, 1), (16384, 2)])
def test_a_peer_with_short_pdus_has_one_to_begin_with(transport: Writes, max_pdu_length: int, writes: int) -> None:
    data = bytes(40_000)
    outbox(transport, max_pdu_length).send(prepare_message(1, COMMAND, data, max_pdu_length))
    assert len(transport.writes) == writes
    assert b"".join(transport.writes) == as_bytes(prepare_message(1, COMMAND, data, max_pdu_length))


def test_the_rest_of_a_data_set_is_read_as_it_goes(transport: Writes) -> None:
    chunks = iter([b"ab", b"cd", b"ef"])
    message = prepare_message(1, COMMAND, KnownLength(chunks, 6), 0)
    assert next(chunks) == b"cd", "only the first has been read"
    outbox(transport).send(prepare_message(1, COMMAND, KnownLength(iter([b"ab", b"cd", b"ef"]), 6), 0))
    assert [write[-2:] for write in transport.writes] == [b"ab", b"cd", b"ef"]
    assert message.first[-1] == b"ab"
