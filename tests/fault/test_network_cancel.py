"""C-CANCEL while responses are being sent (PS3.7 9.3.2.3), plainly and under TLS, in whatever pieces it comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.dimse.request_response import await_responses, send_cancel
from openmodality.dimse.service import Response, Service
from openmodality.network.entity import LocalAE
from openmodality.network.requestor import associate
from openmodality.standard.dimse import DATA_SET_PRESENT, NO_DATA_SET, CommandField, Status
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.upper_layer.pdu import P_DATA_TF
from tests.fault.wire import (
    IMPLICIT,
    MR,
    MR_ID,
    Peer,
    Scene,
    SecurePeer,
    echo_message,
    element,
    p_data,
    pdv,
    scene,
)
from tests.interop.certificates import KeyPair, key_pair

FIND_ID = 7
MATCH = element(0x00100020, b"A MATCH ")
FIND = p_data(
    pdv(
        MR_ID,
        3,
        encode_command(
            Command(
                CommandField=CommandField.C_FIND_RQ,
                AffectedSOPClassUID=MR,
                MessageID=FIND_ID,
                Priority=0,
                CommandDataSetType=DATA_SET_PRESENT,
            )
        ),
    ),
    pdv(MR_ID, 2, MATCH),
)
MANY = 100_000


def cancel_of(message_id: int) -> bytes:
    command = Command(
        CommandField=CommandField.C_CANCEL_RQ, MessageIDBeingRespondedTo=message_id, CommandDataSetType=NO_DATA_SET
    )
    return p_data(pdv(MR_ID, 3, encode_command(command)))


CANCEL = cancel_of(FIND_ID)


class Query:
    """Answers C-FIND with match after match; :meth:`allow` lets one more go, where it is told to wait for that."""

    def __init__(self, *, waits: bool = True) -> None:
        self.service = Service("Query", frozenset({MR}), {CommandField.C_FIND_RQ: self._find})
        self.ended = threading.Event()
        self._waits, self._allowed = waits, threading.Semaphore(0)

    def allow(self) -> None:
        self._allowed.release()

    def _find(self, message: Message) -> Iterator[Response]:
        identifier = read_all(message)
        try:
            for _ in range(MANY):
                if self._waits:
                    assert self._allowed.acquire(timeout=20)
                yield Response(Status.PENDING, identifier)
        finally:
            self.ended.set()
        yield Response(Status.SUCCESS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("keys"), "acceptor")


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
def test_a_cancel_of_ours_ends_the_responses(tmp_path: Path, keys: KeyPair, over_tls: bool) -> None:
    query = Query(waits=False)
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=MR, Priority=0)
    with scene(tmp_path, services=[query.service], keys=keys if over_tls else None) as listening:
        with associate(listening.remote, LocalAE("PEER"), [ContextProposal(MR, (IMPLICIT,))]) as association:
            statuses, context_id = [], association.contexts[0].context_id
            for response in await_responses(association, context_id, command, MATCH):
                statuses.append(response.command.Status)
                if len(statuses) == 3:
                    send_cancel(association, context_id, response.command.MessageIDBeingRespondedTo or 0)
        assert statuses[-1] == Status.CANCEL
        assert set(statuses[:-1]) == {Status.PENDING}
        assert 3 < len(statuses) < MANY
        assert query.ended.is_set()
        listening.ended_with()


def test_cancels_of_something_else_without_end_do_not_stop_the_responses(tmp_path: Path) -> None:
    query, flood = Query(waits=False), cancel_of(FIND_ID + 1) * 1000
    with scene(tmp_path, services=[query.service]) as listening, Peer(listening.acceptor.port) as peer:
        peer.associate()
        ended = threading.Event()

        def flooding() -> None:
            while not ended.is_set():
                peer.send(flood)

        peer.send(FIND)
        thread = threading.Thread(target=flooding)
        thread.start()
        try:
            assert [next_status(peer) for _ in range(100)] == [Status.PENDING] * 100
        finally:
            ended.set()
            peer.socket.shutdown(socket.SHUT_RDWR)
            thread.join()
        assert query.ended.wait(10)


@contextmanager
def found(listening: Scene, query: Query, keys: KeyPair) -> Iterator[SecurePeer]:
    """A peer under TLS that has had two of the responses to its C-FIND and has not cancelled."""
    with SecurePeer(listening.acceptor.port, keys) as peer:
        peer.associate()
        peer.send(FIND)
        for _ in range(2):
            assert goes_on(peer, query)
        yield peer
        peer.release()
    listening.ended_with()


def goes_on(peer: Peer, query: Query) -> bool:
    """Whether the next response, after which the acceptor looks for a cancel, is one more match."""
    query.allow()
    return next_status(peer) == Status.PENDING


def is_cancelled(peer: Peer, query: Query) -> bool:
    """Whether one of the next responses says so and the search has ended; the first may have been on its way."""
    for _ in range(3):
        query.allow()
        if (status := next_status(peer)) != Status.PENDING:
            break
    return status == Status.CANCEL and query.ended.is_set()


def next_status(peer: Peer) -> int | None:
    """The Status of the next response, the data set of which has wholly come too."""
    command, last_of_data = None, True
    while command is None or not last_of_data:
        pdu = peer.receive()
        assert isinstance(pdu, P_DATA_TF), pdu
        for value in pdu.presentation_data_values:
            if value.is_command:
                command = decode_command(value.data)
                last_of_data = not command.has_data_set
            else:
                last_of_data = value.is_last
    return command.Status


@pytest.mark.parametrize("length", [1, 5, 20, -1])
def test_a_record_that_comes_in_two_parts(tmp_path: Path, keys: KeyPair, length: int) -> None:
    query = Query()
    with scene(tmp_path, services=[query.service], keys=keys) as listening, found(listening, query, keys) as peer:
        record = peer.records(CANCEL)
        peer.socket.sendall(record[:length])
        for _ in range(3):
            assert goes_on(peer, query)
        peer.socket.sendall(record[length:])
        assert is_cancelled(peer, query)


@pytest.mark.parametrize("length", [3, 6, 20])
def test_a_cancel_in_two_records(tmp_path: Path, keys: KeyPair, length: int) -> None:
    query = Query()
    with scene(tmp_path, services=[query.service], keys=keys) as listening, found(listening, query, keys) as peer:
        peer.send(CANCEL[:length])
        for _ in range(3):
            assert goes_on(peer, query)
        peer.send(CANCEL[length:])
        assert is_cancelled(peer, query)


def test_a_cancel_behind_other_records(tmp_path: Path, keys: KeyPair) -> None:
    query = Query()
    with scene(tmp_path, services=[query.service], keys=keys) as listening, found(listening, query, keys) as peer:
        peer.socket.sendall(peer.records(echo_message(), cancel_of(FIND_ID + 1), CANCEL))
        assert is_cancelled(peer, query)
        assert peer.response().CommandField == CommandField.C_ECHO_RSP, "the request that came too early"


def test_a_cancel_of_another_request_ends_nothing(tmp_path: Path, keys: KeyPair) -> None:
    query = Query()
    with scene(tmp_path, services=[query.service], keys=keys) as listening, found(listening, query, keys) as peer:
        peer.send(cancel_of(FIND_ID + 1))
        for _ in range(3):
            assert goes_on(peer, query)
        peer.send(CANCEL)
        assert is_cancelled(peer, query)
