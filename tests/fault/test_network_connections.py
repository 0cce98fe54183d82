"""Connections that stall, break off, never end or come by the thousand: nothing is held, nothing is half-written."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import product
from pathlib import Path
from time import monotonic

import pytest

from openmodality.dimse.channel import Message
from openmodality.dimse.command import Command, encode_command
from openmodality.dimse.outgoing import KnownLength
from openmodality.dimse.service import Response, Service
from openmodality.errors import AssociationAborted, PeerTimeout
from openmodality.network.acceptor import MAX_SURPLUS, Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage import InstanceIdentity, store
from openmodality.services.verification import VERIFICATION_SERVICE, echo
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.items import PresentationContextAC
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.upper_layer.pdu import A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, P_DATA_TF, decode
from tests.fault.wire import (
    ABORT,
    EXPLICIT,
    IMPLICIT,
    MR,
    MR_ID,
    RELEASE,
    RQ,
    SHORT,
    UNEXPECTED_PDU,
    Peer,
    Scene,
    echo_message,
    held,
    image,
    p_data,
    pdv,
    scene,
    store_command,
)
from tests.interop.certificates import key_pair
from tests.peers.process import HOST, wait_until

UID = "1.2.826.0.1.7"
DATA = image(UID)
COMMAND_PDU = p_data(pdv(MR_ID, 3, store_command(UID)))
FIRST_PDU, LAST_PDU = p_data(pdv(MR_ID, 0, DATA[:1000])), p_data(pdv(MR_ID, 2, DATA[1000:]))


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as listening:
        yield listening


STEPS: dict[str, tuple[bytes, bool, bytes]] = {
    "connected": (b"", False, b""),
    "inside the request": (RQ.encode()[:100], False, b""),
    "associated": (b"", True, b""),
    "inside a PDU header": (b"", True, COMMAND_PDU[:3]),
    "inside the command": (b"", True, COMMAND_PDU[:40]),
    "after the command": (b"", True, COMMAND_PDU),
    "inside a fragment": (b"", True, COMMAND_PDU + FIRST_PDU[:300]),
    "between fragments": (b"", True, COMMAND_PDU + FIRST_PDU),
    "inside the last fragment": (b"", True, COMMAND_PDU + FIRST_PDU + LAST_PDU[:-20]),
}
ENDS: dict[str, Callable[[Peer], object]] = {
    "abort": lambda peer: peer.send(ABORT),
    "close": lambda peer: peer.socket.close(),
    "reset": Peer.reset,
    "release": lambda peer: peer.send(RELEASE),
}


@pytest.mark.parametrize(("step", "end"), [way for way in product(STEPS, ENDS) if way != ("associated", "release")])
def test_a_store_that_ends_too_early_leaves_nothing(listening: Scene, step: str, end: str) -> None:
    before, associated, after = STEPS[step]
    with Peer(listening.acceptor.port) as peer:
        if associated:
            peer.associate()
        peer.send(before + after)
        ENDS[end](peer)
        if end in ("abort", "release"):
            peer.socket.shutdown(socket.SHUT_WR)
            peer.closed()
    assert listening.stored() == {}
    listening.ended_with("association.")


@pytest.mark.parametrize("end", ["abort", "close", "reset"])
def test_what_was_answered_is_kept_however_the_association_ends(listening: Scene, end: str) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(COMMAND_PDU + FIRST_PDU + LAST_PDU)
        assert peer.response().Status == 0
        ENDS[end](peer)
    assert listening.stored() == {UID: DATA}
    listening.ended_with("association.ended")


def test_an_exchange_cut_off_anywhere_leaves_whole_files_or_none(listening: Scene) -> None:
    parts = [RQ.encode(), echo_message(), COMMAND_PDU, FIRST_PDU, LAST_PDU, RELEASE]
    whole = b"".join(parts)
    starts = [sum(map(len, parts[:number])) for number in range(len(parts) + 1)]
    cuts = sorted({place for start in starts for place in range(start - 3, start + 15) if 0 <= place < len(whole)})
    complete = starts[5]
    for cut in cuts:
        with Peer(listening.acceptor.port) as peer:
            peer.send(whole[:cut])
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.closed()
        stored = listening.stored()
        assert stored == ({UID: DATA} if cut >= complete else {}), f"cut at byte {cut}"
        for path in listening.folder.glob("*.dcm"):
            path.unlink()
    assert len(listening.lines) == len(cuts)
    assert all(line.startswith(("association.ended", "association.none")) for line in listening.lines)
    listening.still_answers()


def test_an_association_that_says_nothing_is_ended(tmp_path: Path) -> None:
    with scene(tmp_path, timeouts=SHORT) as listening:
        with Peer(listening.acceptor.port) as peer:
            assert peer.closed()
        with Peer(listening.acceptor.port) as peer:
            peer.associate()
            assert peer.receive() == A_ABORT(0, 0)
        with Peer(listening.acceptor.port) as peer:
            peer.associate()
            peer.send(COMMAND_PDU + FIRST_PDU)
            assert peer.receive() == A_ABORT(0, 0)
        listening.ended_with(
            "association.ended no answer from * within 0.3 s while waiting for A-ASSOCIATE-RQ",
            "association.ended no answer from * within 0.3 s while waiting for the next DIMSE message",
            "association.ended no answer from * within 0.3 s while waiting for the rest of a data set",
        )


def has_lines(listening: Scene, number: int) -> bool:
    return len(listening.records) == number


@pytest.mark.timeout(120)
def test_ten_thousand_empty_connections_hold_nothing(listening: Scene, soak: bool) -> None:
    """So many in a soak, a fifth of them in the suite: a thread that one of them leaves behind is seen in both."""
    count = 10_000 if soak else 2_000
    listening.still_answers()
    before = held()
    address = (HOST, listening.acceptor.port)
    for batch in range(1, count // 200 + 1):
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(closing(socket.create_connection(address, timeout=20)))
        wait_until(partial(has_lines, listening, 200 * batch), what="a log line for each connection")
        listening.settle()
    wait_until(lambda: held() == before, what="threads and file descriptors to be given back")
    assert set(listening.lines) <= {"association.none closed", "association.ended the connection broke: "}
    assert len(listening.lines) == count
    listening.still_answers()


def test_associations_beyond_the_connections_are_rejected_and_what_comes_then_is_closed_at_once(
    tmp_path: Path,
) -> None:
    with scene(tmp_path, max_connections=3) as listening:
        port = listening.acceptor.port
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(Peer(port)).associate()
            with Peer(port) as peer:
                peer.send(RQ.encode())
                assert peer.receive() == A_ASSOCIATE_RJ(2, 3, 1)
                assert peer.closed()
            wait_until(lambda: listening.acceptor.open_connections == 3, what="the connection to be given back")
            for _ in range(MAX_SURPLUS):
                stack.enter_context(Peer(port))
            wait_until(lambda: listening.acceptor.open_connections == 3 + MAX_SURPLUS, what="all to be taken")
            with Peer(port) as peer:
                assert peer.closed()
            assert [line.split()[0] for line in listening.lines] == [
                "association.rejected",
                "network.too_many_connections",
            ]
            assert listening.acceptor.open_associations == 3
        listening.settle()
        listening.still_answers()


def test_a_system_without_threads_turns_away_and_goes_on(listening: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with Peer(listening.acceptor.port) as peer:
            assert peer.closed()
    listening.ended_with("network.no_thread can't start new thread")


MOST_HELD_BYTES = 64 << 20
"""More than the buffers of two sockets; far less than a peer can send within the time-out."""


def test_a_peer_that_takes_no_answers_is_let_go(tmp_path: Path) -> None:
    requests = echo_message() * 2000
    with scene(tmp_path, timeouts=SHORT) as listening, Peer(listening.acceptor.port, receive_buffer=2048) as peer:
        peer.associate()
        peer.socket.settimeout(0.05)
        taken_bytes = 0
        while listening.acceptor.open_connections:
            try:
                taken_bytes += peer.socket.send(requests[taken_bytes % len(requests) :])  # and nothing is ever read
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert len(requests) < taken_bytes < MOST_HELD_BYTES, "what is not answered is left in the socket"
        listening.ended_with("association.ended no answer from * within 0.3 s while waiting for it to take data")


STALLING = AcceptorPolicy(LocalAE("STALLED").side, lambda _: PeerPolicy({}, other=SyntaxPolicy((IMPLICIT,))))


def test_sending_to_a_peer_that_stops_reading_is_a_clear_time_out() -> None:
    with socket.create_server((HOST, 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        release = threading.Event()
        stalled = threading.Thread(target=accept_and_stall, args=(server, release))
        stalled.start()
        remote = RemoteAE("STALLED", HOST, server.getsockname()[1])
        local = LocalAE("SENDER", timeouts=Timeouts(data_s=0.3, release_s=0.3))
        association = associate(remote, local, [ContextProposal(MR, (IMPLICIT,))])
        endless = KnownLength((bytes(1 << 20) for _ in range(64)), 64 << 20)
        started = monotonic()
        with pytest.raises(PeerTimeout, match=r"no answer from .* within 0\.3 s while waiting for it to take data"):
            store(association, association.contexts[0], InstanceIdentity(MR, UID), endless)
        assert monotonic() - started < 5
        assert not association.is_open
        release.set()
        stalled.join()


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
def test_stopping_ends_associations_that_are_open(tmp_path: Path, over_tls: bool) -> None:
    keys = key_pair(tmp_path, "acceptor") if over_tls else None
    local = LocalAE("ACCEPTOR")
    listening = Listening(HOST, 0, keys.server() if keys else None)
    before = threading.active_count()
    acceptor = Acceptor(local, [VERIFICATION_SERVICE], storage_policy(local), listening)
    acceptor.start()
    remote = RemoteAE("ACCEPTOR", HOST, acceptor.port, keys.client() if keys else None)
    association = associate(remote, LocalAE("PEER"), [ContextProposal(VERIFICATION, (IMPLICIT,))])
    assert echo(association) == 0
    acceptor.stop(grace_s=0)
    assert (acceptor.open_connections, threading.active_count()) == (0, before)
    association.abort()


def test_data_for_a_context_that_was_accepted_wrongly_is_refused() -> None:
    with socket.create_server((HOST, 0)) as server:
        wrong = threading.Thread(target=accept_wrongly, args=(server,))
        wrong.start()
        remote = RemoteAE("WRONG", HOST, server.getsockname()[1])
        proposals = [ContextProposal(MR, (IMPLICIT,)), ContextProposal(MR, (EXPLICIT,))]
        with associate(remote, LocalAE("SENDER"), proposals) as association:
            assert [context.context_id for context in association.contexts] == [1]
            with pytest.raises(
                AssociationAborted, match="presentation data value for context 3, which was not accepted"
            ):
                association.receive()
        wrong.join()


def accept_wrongly(server: socket.socket) -> None:
    """A peer that accepts a transfer syntax that was not proposed, and sends data in it."""
    connection, _ = server.accept()
    with connection:
        request = decode(1, connection.recv(65536)[6:])
        assert isinstance(request, A_ASSOCIATE_RQ)
        contexts = (PresentationContextAC(1, 0, IMPLICIT), PresentationContextAC(3, 0, "1.2.840.10008.1.2.2"))
        connection.sendall(A_ASSOCIATE_AC("WRONG", "SENDER", contexts).encode())
        connection.sendall(p_data(pdv(3, 3, store_command(UID))))
        while connection.recv(65536):
            pass


def accept_and_stall(server: socket.socket, release: threading.Event) -> None:
    """A peer that accepts an association and then reads no more."""
    connection, _ = server.accept()
    with connection:
        request = decode(1, connection.recv(65536)[6:])
        assert isinstance(request, A_ASSOCIATE_RQ)
        connection.sendall(decide_answer(request, STALLING).encode())
        release.wait(20)


def test_a_flood_of_requests_while_one_is_answered_is_aborted(tmp_path: Path) -> None:
    flooded = threading.Event()

    def find(message: Message) -> Iterator[Response]:
        flooded.wait(10)
        while not message.cancelled():
            yield Response(0xFF00, b"")
        yield Response(0)

    service = Service("Query", frozenset({MR}), {CommandField.C_FIND_RQ: find})
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=MR, MessageID=1)
    with scene(tmp_path, services=[service]) as listening, Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(MR_ID, 3, encode_command(command))), echo_message() * 40)
        flooded.set()
        peer.socket.shutdown(socket.SHUT_WR)
        answers = [peer.receive()]
        while isinstance(answers[-1], P_DATA_TF):
            answers.append(peer.receive())
        assert answers[-1] == UNEXPECTED_PDU
        assert len(answers) <= 3, "one match, and no request of those that came too early"
        assert peer.closed()
        listening.ended_with("association.ended PEER broke the protocol: 16 requests arrived before the first")
