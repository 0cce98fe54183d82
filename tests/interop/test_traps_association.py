"""What real peers do to naive association code: traps 15 to 22, each test named after its trap; scripted peers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.dimse.channel import Message
from openmodality.dimse.command import Command
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Response, Service
from openmodality.errors import AssociationRejected
from openmodality.network.acceptor_policy import StorageClasses, decide_by, storage_policy
from openmodality.network.association import Association
from openmodality.network.entity import RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.network.transport import Transport
from openmodality.services.verification import echo
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy
from openmodality.upper_layer.negotiation import ContextProposal
from tests.interop import ours, wire
from tests.interop.scripts import answer_echo, ask_echo, release
from tests.interop.wire import IMPLICIT, MR_IMAGE, VERIFICATION
from tests.peers.process import wait_until

COMMITMENT = "1.2.840.10008.1.20.1"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ours.Archive]:
    with ours.archive(tmp_path / "received") as running:
        yield running


def test_trap_15_peer_keeps_the_connection_open_after_release() -> None:
    closed: list[list[int]] = []

    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        release(connection)
        closed.append(connection.until_closed())

    with wire.listening(script) as peer:
        association = ours.associated(peer)
        association.release()
        assert not association.is_open
    assert closed == [[]]


def test_trap_15_requestor_keeps_the_connection_open_after_release(here: ours.Archive) -> None:
    with wire.associated(here) as connection:
        connection.send(wire.RELEASE_REQUEST)
        connection.expect(wire.RELEASE_RP)
        here.wait_until_idle()


def test_trap_15_both_release_at_once_we_are_the_requestor() -> None:
    """Release collision, PS3.8 7.2.2: the requestor answers first, the acceptor then."""

    def script(connection: wire.Wire) -> list[int]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        connection.expect(wire.RELEASE_RQ)
        connection.send(wire.RELEASE_REQUEST)
        connection.expect(wire.RELEASE_RP)
        connection.send(wire.RELEASE_RESPONSE)
        return connection.until_closed()

    with wire.listening(script) as peer:
        ours.associated(peer).release()
    assert peer.result == [[]]


def test_trap_15_peer_releases_before_we_do() -> None:
    def script(connection: wire.Wire) -> list[int]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        answer_echo(connection)
        connection.send(wire.RELEASE_REQUEST)
        answers = [connection.receive()[0], connection.receive()[0]]
        connection.send(wire.RELEASE_RESPONSE)
        return answers + connection.until_closed()

    with wire.listening(script) as peer, ours.associated(peer) as association:
        assert echo(association) == 0
    assert peer.result == [[wire.RELEASE_RQ, wire.RELEASE_RP]]


class Reports:
    """Counts N-EVENT-REPORT requests."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.service = Service(
            "Notifications", frozenset({COMMITMENT}), {CommandField.N_EVENT_REPORT_RQ: self._answer}, as_scp=False
        )

    def _answer(self, message: Message) -> Response:
        self.seen.append(sum(len(chunk) for chunk in message.chunks()))
        return Response(0)


def report(message_id: int = 9) -> bytes:
    command = wire.request(
        0x0100, COMMITMENT, wire.element(0x1000, wire.ui("1.2.840.10008.1.20.1.1")), wire.element(0x1002, wire.us(1)),
        message_id=message_id, data_set=1,
    )  # fmt: skip
    return wire.p_data(wire.value(command, 3)) + wire.p_data(wire.value(bytes(100), 0), wire.value(bytes(50), 2))


def with_reports(peer: wire.Script, reports: Reports) -> Association:
    return associate(
        RemoteAE(peer.aet, peer.host, peer.port), ours.LOCAL, [ContextProposal(COMMITMENT, (IMPLICIT,))],
        [reports.service],
    )  # fmt: skip


def test_trap_16_notification_while_we_release_is_not_lost() -> None:
    def script(connection: wire.Wire) -> list[int]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        connection.expect(wire.RELEASE_RQ)
        connection.send(report(), wire.RELEASE_RESPONSE)
        return connection.until_closed()

    reports = Reports()
    with wire.listening(script) as peer:
        with_reports(peer, reports).release()
    assert reports.seen == [150]
    assert peer.result == [[]], "nothing may be sent after A-RELEASE-RQ"


def test_trap_16_notification_before_the_response_is_answered_and_the_response_awaited() -> None:
    def script(connection: wire.Wire) -> dict[int, bytes]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        connection.receive_command()
        connection.send(report(77))
        answer = connection.receive_command()
        connection.send(wire.p_data(wire.value(wire.response(0x8130, COMMITMENT, message_id=1), 3)))
        release(connection)
        return answer

    reports = Reports()
    action = Command(
        CommandField=CommandField.N_ACTION_RQ, RequestedSOPClassUID=COMMITMENT,
        RequestedSOPInstanceUID="1.2.840.10008.1.20.1.1", ActionTypeID=1,
    )  # fmt: skip
    with wire.listening(script) as peer, with_reports(peer, reports) as association:
        assert send_and_await(association, 1, action).command.Status == 0
    assert reports.seen == [150]
    assert int.from_bytes(peer.result[0][0x0120], "little") == 77
    assert wire.status_of(peer.result[0]) == 0


@pytest.mark.parametrize("kind", [0x0000, 0x0001, 0x0100, 0x0102, 0xFEFE, 0xFFFF])
def test_trap_17_any_command_data_set_type_but_0101_means_data_set(here: ours.Archive, kind: int) -> None:
    data = wire.implicit_image("1.2.3.4")
    with wire.associated(here, MR_IMAGE) as connection:
        command = wire.store_rq("1.2.3.4", data_set=kind)
        connection.send(wire.p_data(wire.value(command, 3)), wire.p_data(wire.value(data, 2)))
        assert wire.status_of(connection.receive_command()) == 0
    assert here.folder.files()[0].read_bytes().endswith(data)


def cut(data: bytes, size: int, control: int) -> list[bytes]:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return [wire.value(part, control | 2 * (index == len(parts) - 1)) for index, part in enumerate(parts)]


@pytest.mark.parametrize("size", [1, 3, 7, 64, 100_000])
@pytest.mark.parametrize("packing", ["one PDU", "a PDU each", "command and data meet"])
def test_trap_18_and_02_values_are_packed_and_split_in_any_way(here: ours.Archive, size: int, packing: str) -> None:
    """Also with fragments of odd length, which we never send."""
    data = wire.implicit_image("1.2.3.4", 200)
    values = cut(wire.store_rq("1.2.3.4"), size, 1) + cut(data, size, 0)
    if packing == "one PDU":
        pdus = [wire.p_data(*values)]
    elif packing == "a PDU each":
        pdus = [wire.p_data(value) for value in values]
    else:
        middle = max(len(values) // 2, 1)
        pdus = (
            [wire.p_data(*values[:middle]), wire.p_data(*values[middle:])]
            if len(values) > 2
            else [wire.p_data(*values)]
        )
    with wire.associated(here, MR_IMAGE) as connection:
        connection.send(*pdus)
        assert wire.status_of(connection.receive_command()) == 0
    assert here.folder.files()[0].read_bytes().endswith(data)


def test_trap_18_empty_last_fragment_ends_the_data_set(here: ours.Archive) -> None:
    data = wire.implicit_image("1.2.3.4")
    with wire.associated(here, MR_IMAGE) as connection:
        connection.send(
            wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 1)), wire.p_data(wire.value(b"", 3)),
            wire.p_data(wire.value(data, 0)), wire.p_data(wire.value(b"", 0)), wire.p_data(wire.value(b"", 2)),
        )  # fmt: skip
        assert wire.status_of(connection.receive_command()) == 0
    assert here.folder.files()[0].read_bytes().endswith(data)


def test_trap_18_we_send_one_value_in_each_pdu() -> None:
    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)], max_pdu=100))
        control = 1
        while control != 2:
            body = connection.expect(wire.P_DATA)
            assert int.from_bytes(body[:4], "big") == len(body) - 4, "more than one value in a PDU"
            control = body[5]
        connection.send(wire.p_data(wire.value(wire.response(0x8001, MR_IMAGE), 3)))
        release(connection)

    command = Command(
        CommandField=CommandField.C_STORE_RQ, AffectedSOPClassUID=MR_IMAGE, AffectedSOPInstanceUID="1.2.3.4", Priority=0
    )
    proposals = [ContextProposal(MR_IMAGE, (IMPLICIT,))]
    with wire.listening(script) as peer, ours.associated(peer, proposals) as association:
        assert send_and_await(association, 1, command, wire.implicit_image("1.2.3.4")).command.Status == 0


def test_trap_19_connections_are_kept_alive_and_without_delay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        Transport(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_trap_21_local_limit_exceeded_is_transient_and_over_once_the_other_has_gone(tmp_path: Path) -> None:
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy(StorageClasses()), max_associations=1)
    with ours.archive(tmp_path, decide=decide_by(policy)) as here:
        with ours.associated(here) as association:
            with pytest.raises(AssociationRejected) as caught:
                ours.associated(here)
            assert (caught.value.result, caught.value.source, caught.value.reason) == (2, 3, 2)
            assert caught.value.transient
            assert echo(association) == 0
        for _ in range(20):  # whoever has the release response gets the place, at once
            with ours.associated(here) as association:
                assert echo(association) == 0


def test_trap_21_a_peer_that_does_not_close_after_the_release_holds_no_place(tmp_path: Path) -> None:
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy(StorageClasses()), max_associations=1)
    with ours.archive(tmp_path, decide=decide_by(policy)) as here, wire.associated(here) as connection:
        connection.send(wire.RELEASE_REQUEST)
        connection.expect(wire.RELEASE_RP)
        with ours.associated(here) as association:
            assert echo(association) == 0


def test_trap_21_an_abort_gives_the_place_back(tmp_path: Path) -> None:
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy(StorageClasses()), max_associations=1)
    with ours.archive(tmp_path, decide=decide_by(policy)) as here:
        ours.associated(here).abort()
        wait_until(lambda: here.acceptor.open_associations == 0, what="the place to be given back")
        with ours.associated(here) as association:
            assert echo(association) == 0


def test_trap_21_our_own_connection_is_closed_when_release_returns() -> None:
    """A peer that counts connections must not count ours after we have released."""

    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        release(connection)
        assert connection.until_closed() == []

    with wire.listening(script, script, script) as peer:
        for _ in range(3):
            ours.associated(peer).release()
    assert len(peer.result) == 3


NOISE = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS hello": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "SSH": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("name", NOISE)
def test_trap_22_noise_on_the_port_gets_one_log_line_and_frees_its_thread(
    here: ours.Archive, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.INFO), wire.connected(here) as connection:
        connection.send(NOISE[name])
        assert connection.until_closed() in ([], [wire.ABORT])
        if name == "HTTP":
            here.wait_until_idle()  # though the other side keeps its end open
    here.wait_until_idle()
    [record] = caplog.records
    assert record.message == "association.none"
    assert "PDU type" in str(vars(record)["reason"])
    assert "GET" not in caplog.text


def test_trap_22_empty_connections_leave_nothing(here: ours.Archive) -> None:
    for _ in range(50):
        with wire.connected(here):
            pass
    here.wait_until_idle()
    with ours.associated(here) as association:
        assert echo(association) == 0


def test_trap_22_silent_connection_is_ended_by_the_artim_timer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local = replace(ours.LOCAL, timeouts=Timeouts(association_s=0.2))
    with ours.archive(tmp_path, local=local) as here, wire.connected(here) as connection:
        assert connection.until_closed() == []
        here.wait_until_idle()
    [record] = caplog.records
    assert "A-ASSOCIATE-RQ" in str(vars(record)["reason"])


def test_request_that_cannot_be_parsed_is_rejected(here: ours.Archive) -> None:
    with wire.connected(here) as connection:
        connection.send(wire.pdu(wire.ASSOCIATE_RQ, bytes(67) + b"\x10\0\xff\xff"))
        assert connection.expect(wire.ASSOCIATE_RJ) == bytes((0, 1, 2, 1))


def test_request_with_another_application_context_is_rejected(here: ours.Archive) -> None:
    with wire.connected(here) as connection:
        connection.send(wire.associate_rq([(VERIFICATION, [IMPLICIT])], application_context="1.2.3"))
        assert connection.expect(wire.ASSOCIATE_RJ) == bytes((0, 1, 1, 2))


def test_plain_policy_takes_any_called_title_without_one_of_its_own(tmp_path: Path) -> None:
    with (
        ours.archive(tmp_path, decide=storage_policy(ours.LOCAL)) as here,
        wire.associated(here, VERIFICATION, called="WHOEVER") as connection,
    ):
        assert ask_echo(connection) == 0
