"""The ends of an association, and what must not hold it open (PS3.8 7.2, 7.3)."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from openmodality.buffer import Buffer
from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.service import Handler, Response, Service
from openmodality.errors import PeerTimeout
from openmodality.network import association as association_module
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.outbox import MAX_HELD
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.network.transport import Transport
from openmodality.services.verification import echo
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.upper_layer.negotiation import RequestOptions
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow
from tests.interop import ours, wire
from tests.interop.certificates import key_pair
from tests.interop.wire import IMPLICIT, MR_IMAGE
from tests.peers.process import HOST, Address, wait_until

PATIENT = Timeouts(10, 10, 10, 10, 10, 10)
PRIVATE = "1.2.826.0.1.3680043.2"
ECHO = wire.p_data(wire.value(wire.request(0x0030, VERIFICATION), 3))
ANSWER = wire.p_data(wire.value(wire.response(0x8030, VERIFICATION), 3))


def impatient(**timeouts: float) -> LocalAE:
    return LocalAE("OURS", timeouts=replace(PATIENT, **timeouts))


def accept(connection: wire.Wire) -> None:
    connection.expect(wire.ASSOCIATE_RQ)
    connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))


def drip(connection: wire.Wire, pieces: Iterator[bytes]) -> None:
    """A piece each 50 ms until the other side says something or closes."""
    for piece in pieces:
        if select.select([connection.socket], [], [], 0.05)[0]:
            return
        connection.send(piece)


@contextmanager
def echoing(handler: Handler, listening: Listening | None = None) -> Iterator[Acceptor]:
    service = Service("Verification", frozenset({VERIFICATION}), {CommandField.C_ECHO_RQ: handler})
    local = LocalAE("OURS", timeouts=PATIENT)
    with Acceptor(local, [service], storage_policy(local), listening or Listening(HOST)) as acceptor:
        yield acceptor


def at(acceptor: Acceptor) -> Address:
    return Address("OURS", acceptor.port)


def test_both_release_at_once_and_we_are_the_acceptor() -> None:
    """PS3.8 7.2.2: the requestor responds first, and only then we do."""

    def release(message: Message) -> Response:
        assert isinstance(message.channel, Association)
        message.channel.release()
        return Response(0)

    with echoing(release) as acceptor, wire.associated(at(acceptor)) as connection:
        connection.send(ECHO)
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_REQUEST)
        assert not select.select([connection.socket], [], [], 0.1)[0], "the requestor has not responded yet"
        connection.send(wire.RELEASE_RESPONSE)
        connection.expect(wire.RELEASE_RP)
        assert connection.until_closed() == []


@pytest.mark.parametrize("part", [0, 1], ids=["data set", "command set"])
def test_release_in_the_middle_of_a_message_is_aborted(tmp_path: Path, part: int) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        command = wire.store_rq("1.2.3.4")
        if part:
            connection.send(wire.p_data(wire.value(command[:20], 1)))
        else:
            connection.send(wire.p_data(wire.value(command, 3)), wire.p_data(wire.value(bytes(100), 0)))
        connection.send(wire.RELEASE_REQUEST)
        assert connection.expect(wire.ABORT) == bytes((0, 0, 2, 2))
        connection.socket.close()
        here.wait_until_idle()
        assert list(tmp_path.iterdir()) == []


def test_response_that_comes_byte_by_byte_has_one_time_out() -> None:
    def script(connection: wire.Wire) -> None:
        accept(connection)
        connection.receive_command()
        drip(connection, (ANSWER[i : i + 1] for i in range(len(ANSWER))))
        assert connection.until_closed() == [wire.ABORT]

    local = impatient(response_s=0.3, data_s=0.3)
    started = monotonic()
    with (
        wire.listening(script) as peer,
        pytest.raises(PeerTimeout) as caught,
        ours.associated(peer, local=local) as association,
    ):
        echo(association)
    assert caught.value.message.endswith("within 0.3 s while waiting for the response to C-ECHO-RQ")
    assert monotonic() - started < 2, "many bytes, each of them in time"


@pytest.mark.parametrize("ends", [True, False], ids=["requests", "endless data set"])
def test_release_has_one_time_out_whatever_the_peer_still_sends(ends: bool) -> None:
    def script(connection: wire.Wire) -> None:
        accept(connection)
        connection.expect(wire.RELEASE_RQ)
        more = ECHO
        if not ends:
            command = wire.request(0x0030, VERIFICATION, data_set=0)
            connection.send(wire.p_data(wire.value(command, 3)))
            more = wire.p_data(wire.value(bytes(10), 0))
        drip(connection, (more for _ in range(100)))

    started = monotonic()
    with wire.listening(script) as peer:
        association = ours.associated(peer, local=impatient(release_s=0.3))
        association.release()
        assert not association.is_open
    assert monotonic() - started < 2


def test_release_closes_though_the_peer_leaves_a_data_set_unfinished() -> None:
    def script(connection: wire.Wire) -> list[int]:
        accept(connection)
        connection.receive_command()
        response = wire.response(0x8030, VERIFICATION, data_set=0)
        connection.send(wire.p_data(wire.value(response, 3)))
        return connection.until_closed()

    with wire.listening(script) as peer:
        with ours.associated(peer, local=impatient(data_s=0.2)) as association:
            assert echo(association) == 0
        assert not association.is_open
    assert peer.result == [[wire.ABORT]]


@pytest.mark.parametrize(
    ("asked", "answered", "used"),
    [(None, 500, 1), (8, None, 1), (8, 500, 8), (8, 2, 2), (8, 0, 8), (0, 5, 5), (0, 0, 1)],
)
def test_window_is_the_lower_of_what_was_asked_and_answered(asked: int | None, answered: int | None, used: int) -> None:
    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)], window=answered))
        connection.until_closed()

    window = None if asked is None else AsynchronousOperationsWindow(asked, 1)
    with wire.listening(script) as peer:
        remote = RemoteAE(peer.aet, peer.host, peer.port)
        options = RequestOptions(asynchronous_operations_window=window)
        association = associate(remote, ours.LOCAL, ours.ECHO, options=options)
        assert association.max_operations_invoked == used
        association.abort()


def stop(acceptor: Acceptor, grace_s: float = 20) -> threading.Thread:
    stopping = threading.Thread(target=acceptor.stop, args=(grace_s,))
    stopping.start()
    return stopping


def test_stopping_aborts_an_idle_association_at_once() -> None:
    started = monotonic()
    with echoing(lambda _: Response(0)) as acceptor, wire.associated(at(acceptor)) as connection:
        connection.send(ECHO)
        assert wire.status_of(connection.receive_command()) == 0
        stopping = stop(acceptor)
        assert connection.until_closed() == [wire.ABORT]
    stopping.join()
    assert monotonic() - started < 5


def test_stopping_lets_a_request_be_answered() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(message: Message) -> Response:
        begun.set()
        go_on.wait(10)
        return Response(0)

    with echoing(slow) as acceptor, wire.associated(at(acceptor)) as connection:
        connection.send(ECHO)
        assert begun.wait(10)
        stopping = stop(acceptor)
        assert not select.select([connection.socket], [], [], 0.1)[0], "nothing is said while it is being answered"
        go_on.set()
        assert wire.status_of(connection.receive_command()) == 0
        assert connection.until_closed() == [wire.ABORT]
    stopping.join()


@pytest.mark.parametrize("when", ["with its request", "after the response"])
def test_stopping_answers_a_peer_that_releases(when: str) -> None:
    """As DCMTK and dcm4che do right after their last response: an A-ABORT would be an error in their log."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(message: Message) -> Response:
        begun.set()
        go_on.wait(10)
        return Response(0)

    with echoing(slow) as acceptor, wire.associated(at(acceptor)) as connection:
        connection.send(ECHO, wire.pdu(wire.RELEASE_RQ, bytes(4)) if when == "with its request" else b"")
        assert begun.wait(10)
        stopping = stop(acceptor)
        assert not select.select([connection.socket], [], [], 0.1)[0], "nothing is said while it is being answered"
        go_on.set()
        assert wire.status_of(connection.receive_command()) == 0
        if when == "after the response":
            connection.send(wire.pdu(wire.RELEASE_RQ, bytes(4)))
        assert connection.until_closed() == [wire.RELEASE_RP]
    stopping.join()


def test_stopping_aborts_a_message_that_does_not_end_in_time(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)), wire.p_data(wire.value(bytes(100), 0)))
        wait_until(lambda: list(tmp_path.iterdir()) != [], what="the store to have begun")
        stopping = stop(here.acceptor, grace_s=0.1)
        assert connection.until_closed() == [wire.ABORT]
    stopping.join()
    assert list(tmp_path.iterdir()) == []


def test_stopped_acceptor_does_not_finish_a_tls_handshake(tmp_path: Path) -> None:
    keys = key_pair(tmp_path, "here")
    with (
        echoing(lambda _: Response(0), Listening(HOST, 0, keys.server())) as acceptor,
        socket.create_connection((HOST, acceptor.port)) as sock,
    ):
        wait_until(lambda: acceptor.open_connections == 1, what="the connection to be taken")
        acceptor.stop(grace_s=0)
        assert acceptor.open_connections == 0
        with pytest.raises(OSError), keys.client().wrap_socket(sock, server_hostname=HOST):
            pass


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6")
@pytest.mark.parametrize(("listens", "connects"), [("", HOST), ("", "::1"), ("::1", "::1")])
def test_addresses_of_both_families(listens: str, connects: str) -> None:
    seen = []

    def note(message: Message) -> Response:
        seen.append(message.peer.address)
        return Response(0)

    with echoing(note, Listening(listens)) as acceptor:
        remote = RemoteAE("OURS", connects, acceptor.port)
        with associate(remote, ours.LOCAL, ours.ECHO) as association:
            assert echo(association) == 0
    assert seen == [connects]


def stored(uid: str) -> bytes:
    """A whole C-STORE: the request and its data set."""
    image = wire.implicit_image(uid, 100)
    return wire.p_data(wire.value(wire.store_rq(uid), 3)) + wire.p_data(wire.value(image, 2))


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What each write of this side holds."""
    made: list[bytes] = []
    write = Transport.write

    def kept(transport: Transport, buffers: Sequence[Buffer], timeout_s: float | None) -> None:
        made.append(b"".join(buffers))
        write(transport, buffers, timeout_s)

    monkeypatch.setattr(Transport, "write", kept)
    return made


def responses_in(written: bytes) -> int:
    """How many P-DATA-TF PDUs a write holds."""
    count = 0
    while written:
        count += written[0] == wire.P_DATA
        written = written[6 + int.from_bytes(written[2:6], "big") :]
    return count


def sink(handle: Callable[[int], Response]) -> Service:
    """A storage SCP that is told how many instances have come."""
    came: list[int] = []

    def store(message: Message) -> Response:
        read_all(message)
        came.append(1)
        return handle(len(came))

    return Service("Storage", frozenset({MR_IMAGE}), {CommandField.C_STORE_RQ: store})


@contextmanager
def storing(handle: Callable[[int], Response]) -> Iterator[wire.Wire]:
    local = LocalAE("OURS", timeouts=PATIENT)
    with (
        Acceptor(local, [sink(handle)], storage_policy(local), Listening(HOST)) as acceptor,
        wire.associated(at(acceptor), MR_IMAGE) as connection,
    ):
        yield connection


def test_a_peer_that_sends_ahead_gets_every_response_in_order(tmp_path: Path) -> None:
    uids = [f"1.2.3.{number}" for number in range(1, 31)]
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(*map(stored, uids))
        answered = [connection.receive_command() for _ in uids]
    assert [command[0x1000].rstrip(b"\0").decode() for command in answered] == uids
    assert {command[0x0900] for command in answered} == {b"\0\0"}


def test_responses_to_a_peer_that_sends_ahead_go_out_together_but_not_too_many(writes: list[bytes]) -> None:
    with storing(lambda _: Response(0)) as connection:
        connection.send(*(stored(f"1.2.3.{number}") for number in range(1, 101)))
        for _ in range(100):
            connection.receive_command()
    counts = [count for count in map(responses_in, writes) if count]
    assert sum(counts) == 100
    assert 1 < max(counts) <= MAX_HELD + 1


def test_a_response_does_not_wait_while_instances_take_long(
    writes: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a disk that is synced after each."""
    monkeypatch.setattr(association_module, "QUICK_S", 0.0)
    with storing(lambda _: Response(0)) as connection:
        connection.send(*(stored(f"1.2.3.{number}") for number in range(1, 21)))
        for _ in range(20):
            connection.receive_command()
    assert {count for count in map(responses_in, writes) if count} == {1}


def test_a_response_with_a_data_set_is_never_held() -> None:
    with storing(lambda number: Response(0, wire.implicit_image("1.2.3", 10) if number > 1 else None)) as connection:
        connection.send(*(stored(f"1.2.3.{number}") for number in range(1, 4)))
        assert int.from_bytes(connection.receive_command()[0x0800], "little") == 0x0101
        for _ in range(2):
            assert int.from_bytes(connection.receive_command()[0x0800], "little") != 0x0101
            assert connection.expect(wire.P_DATA)[5] == 2, "the data set, in one fragment"


def test_a_response_does_not_wait_for_a_request_that_takes_long(tmp_path: Path) -> None:
    """It may be held only while more instances follow at once."""
    answer_echo = threading.Event()

    def slow(_: Message) -> Response:
        assert answer_echo.wait(wire.TIMEOUT_S)
        return Response(0)

    service = Service("Slow", frozenset({PRIVATE}), {CommandField.C_ECHO_RQ: slow})
    with (
        ours.archive(tmp_path, services=(service,)) as here,
        wire.associated(here, MR_IMAGE, PRIVATE) as connection,
    ):
        echo_request = wire.p_data(wire.value(wire.request(0x0030, PRIVATE), 3, context=3))
        connection.send(stored("1.2.3.1") + echo_request)
        assert connection.receive_command()[0x0100] == bytes.fromhex("0180")
        answer_echo.set()
        assert connection.receive_command()[0x0100] == bytes.fromhex("3080")


def test_a_response_goes_out_although_the_next_request_never_ends(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(stored("1.2.3.1") + stored("1.2.3.2")[:-4])
        assert connection.receive_command()[0x0100] == bytes.fromhex("0180")
        connection.send(stored("1.2.3.2")[-4:])
        assert connection.receive_command()[0x0100] == bytes.fromhex("0180")


def test_what_is_held_is_not_lost_when_the_peer_releases(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(stored("1.2.3.1") + stored("1.2.3.2") + wire.RELEASE_REQUEST)
        for _ in range(2):
            assert connection.receive_command()[0x0900] == b"\0\0"
        connection.expect(wire.RELEASE_RP)
