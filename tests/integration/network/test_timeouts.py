"""Each wait has its own time-out and its own error, which names what was waited for and from whom (R/F Table 4.4-2)."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.dimse.channel import FOREVER
from openmodality.errors import PeerTimeout
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.storage.sent import SendOptions
from openmodality.network.timeouts import Timeouts
from openmodality.services.verification import echo
from tests.interop import ours, wire
from tests.interop.wire import IMPLICIT, MR_IMAGE
from tests.peers import objects
from tests.peers.process import HOST, wait_until

PATIENT = Timeouts(10, 10, 10, 10, 10, 10)


def impatient(**timeouts: float) -> LocalAE:
    return LocalAE("OURS", timeouts=replace(PATIENT, **timeouts))


def accept(connection: wire.Wire) -> None:
    connection.expect(wire.ASSOCIATE_RQ)
    connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))


def test_a_connection_that_nobody_takes_times_out() -> None:
    """A listening socket with a full queue answers no further SYN."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        port = server.getsockname()[1]
        with pytest.raises(PeerTimeout) as caught:
            ours.associated(RemoteAE("FULL", HOST, port), local=impatient(connect_s=0.2))
        for sock in waiting:
            sock.close()
    assert caught.value.waiting_for == "TCP connection"
    assert caught.value.message == f"no connection to {HOST}:{port} within 0.2 s"


def test_answer_to_the_association_request() -> None:
    with wire.listening(lambda connection: connection.until_closed()) as peer, pytest.raises(PeerTimeout) as caught:
        ours.associated(peer, local=impatient(association_s=0.2))
    assert caught.value.message == f"no answer from {peer} within 0.2 s while waiting for the answer to A-ASSOCIATE-RQ"


def test_answer_to_the_release_request(caplog: pytest.LogCaptureFixture) -> None:
    def script(connection: wire.Wire) -> list[int]:
        accept(connection)
        return connection.until_closed()

    with caplog.at_level(logging.WARNING), wire.listening(script) as peer:
        association = ours.associated(peer, local=impatient(release_s=0.2))
        association.release()
        assert not association.is_open
    [record] = caplog.records
    assert str(vars(record)["reason"]).endswith("within 0.2 s while waiting for the answer to A-RELEASE-RQ")
    assert peer.result == [[wire.RELEASE_RQ, wire.ABORT]]


def test_forever_is_longer_than_the_associations_own() -> None:
    answered = threading.Event()

    def script(connection: wire.Wire) -> None:
        accept(connection)
        connection.receive()
        answered.wait(10)
        connection.send(wire.p_data(wire.value(wire.response(0x8030, wire.VERIFICATION), 3)))
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_RESPONSE)

    with wire.listening(script) as peer, ours.associated(peer, local=impatient(response_s=0.1)) as association:
        waiting = threading.Timer(0.4, answered.set)
        waiting.start()
        assert echo(association, timeout_s=FOREVER) == 0
        waiting.join()


def test_response_to_a_request_and_the_association_is_aborted() -> None:
    def script(connection: wire.Wire) -> list[int]:
        accept(connection)
        connection.receive_command()
        return connection.until_closed()

    with (
        wire.listening(script) as peer,
        pytest.raises(PeerTimeout) as caught,
        ours.associated(peer, local=impatient(response_s=0.2)) as association,
    ):
        echo(association)
    assert caught.value.message == f"no answer from {peer} within 0.2 s while waiting for the response to C-ECHO-RQ"
    assert peer.result == [[wire.ABORT]]


def test_a_service_has_its_own_time_for_a_response(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(transfer_syntax=IMPLICIT), tmp_path)

    def script(connection: wire.Wire) -> list[int]:
        accept(connection)
        return connection.until_closed()

    with wire.listening(script) as peer:
        [sent] = ours.send_files(peer, [path], options=SendOptions(response_timeout_s=0.2))
    assert isinstance(sent.error, PeerTimeout)
    assert peer.result[0][-1] == wire.ABORT


def test_data_between_packets_as_acceptor(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ours.archive(tmp_path, local=impatient(data_s=0.2)) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)))
        connection.send(wire.p_data(wire.value(wire.implicit_image("1.2.3.4")[:500], 0)))
        assert connection.until_closed() == [wire.ABORT]
        connection.socket.close()  # else ours waits for that
        here.wait_until_idle()
        assert list(tmp_path.iterdir()) == []
    assert "within 0.2 s while waiting for the rest of a data set" in str(vars(caplog.records[-1])["reason"])


def test_peer_that_stops_reading(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(rows=4096, columns=4096, transfer_syntax=IMPLICIT), tmp_path)
    done: list[int] = []

    def script(connection: wire.Wire) -> None:
        accept(connection)
        connection.expect(wire.P_DATA)
        wait_until(lambda: bool(done), what="our time-out")

    with wire.listening(script) as peer:
        [sent] = ours.send_files(peer, [path], local=impatient(data_s=0.2))
        done.append(1)
    assert isinstance(sent.error, PeerTimeout)
    assert sent.error.waiting_for == "it to take data"
    assert sent.is_transient


def test_association_request_that_comes_byte_by_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The time is for the whole of it: new bytes do not stretch it."""
    request = wire.associate_rq([(MR_IMAGE, [IMPLICIT])])
    with ours.archive(tmp_path, local=impatient(association_s=0.2)) as here, wire.connected(here) as connection:
        for index in range(60):
            connection.send(request[index : index + 1])
        assert connection.until_closed() == []
        here.wait_until_idle()
    assert "A-ASSOCIATE-RQ" in str(vars(caplog.records[-1])["reason"])


def test_open_association_on_which_nothing_happens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ours.archive(tmp_path, local=impatient(idle_s=0.2)) as here, wire.associated(here) as connection:
        assert connection.until_closed() == [wire.ABORT]
        connection.socket.close()  # else ours waits for that
        here.wait_until_idle()
    assert "within 0.2 s while waiting for the next DIMSE message" in str(vars(caplog.records[-1])["reason"])


def test_no_time_out_where_none_is_set() -> None:
    def script(connection: wire.Wire) -> None:
        accept(connection)
        connection.receive_command()
        answer = wire.response(0x8030, wire.VERIFICATION)
        connection.send(wire.p_data(wire.value(answer, 3)))
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_RESPONSE)

    local = LocalAE("OURS", timeouts=Timeouts(None, None, None, None, None, None))
    with wire.listening(script) as peer, ours.associated(peer, local=local) as association:
        assert echo(association) == 0


def test_defaults_are_those_of_the_configuration_table() -> None:
    timeouts = Timeouts()
    assert (timeouts.association_s, timeouts.release_s, timeouts.connect_s) == (30, 30, 30)
    assert (timeouts.response_s, timeouts.data_s) == (30, 30)
