"""What real peers do to naive negotiation: traps 1 to 14. Each test is named after its trap; the peers are scripts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.errors import AssociationAborted, AssociationRejected, NoPresentationContext
from openmodality.network.acceptor_policy import StorageClasses, decide_by
from openmodality.network.entity import LocalAE
from openmodality.query.moving import move
from openmodality.services.storage import InstanceIdentity, MoveOriginator, store
from openmodality.services.verification import echo
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy
from openmodality.upper_layer.negotiation import ContextProposal
from tests.interop import ours, wire
from tests.interop.scripts import ECHO_RSP, answer_echo, ask_echo, release
from tests.interop.wire import IMPLICIT, MR_IMAGE, VERIFICATION
from tests.peers import pynetdicom_ae

STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ours.Archive]:
    with ours.archive(tmp_path / "received") as running:
        yield running


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\0\0"], ids=["NUL", "space", "two NUL"])
def test_trap_01_padded_uids_in_a_request_are_understood(here: ours.Archive, padding: bytes) -> None:
    with wire.associated(here, VERIFICATION, padding=padding) as connection:
        assert ask_echo(connection) == 0


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\0\0"], ids=["NUL", "space", "two NUL"])
def test_trap_01_padded_uids_in_an_answer_are_understood(padding: bytes) -> None:
    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)], padding=padding))
        answer_echo(connection)
        release(connection)

    with wire.listening(script) as peer, ours.associated(peer) as association:
        assert association.contexts[0].transfer_syntax == IMPLICIT
        assert echo(association) == 0


def test_trap_01_uids_are_not_padded_on_write() -> None:
    proposals = [ContextProposal(MR_IMAGE, ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"))]

    def script(connection: wire.Wire) -> bytes:
        body = connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.rejection(1, 1, 1))
        return body

    with wire.listening(script) as peer, pytest.raises(AssociationRejected):
        ours.associated(peer, proposals)
    for uid in ("1.2.840.10008.1.2", MR_IMAGE, "1.2.840.10008.3.1.1.1"):
        assert struct.pack(">H", len(uid)) + uid.encode() in peer.result[0]


@pytest.mark.parametrize("peer_limit", [0, 1, 7, 8, 9, 11, 4097, 0xFFFFFFFF])
def test_trap_04_any_maximum_length_of_the_peer(peer_limit: int) -> None:
    """0 is without limit; what leaves no room for data is said so, and nothing is sent."""

    def script(connection: wire.Wire) -> int:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)], max_pdu=peer_limit))
        longest, collected, control = 0, b"", 0
        while not control & 2:
            kind, body = connection.receive()
            if kind != wire.P_DATA:
                return -1
            assert len(body) % 2 == 0, "trap 2: a fragment of odd length"
            longest, control, collected = max(longest, len(body)), body[5], collected + body[6:]
        answer = wire.response(ECHO_RSP, VERIFICATION, message_id=1)
        connection.send(wire.p_data(wire.value(answer, 3)))
        release(connection)
        return longest

    with wire.listening(script) as peer:
        if 0 < peer_limit < 8:
            with pytest.raises(Exception, match="maximum PDU length"), ours.associated(peer) as association:
                echo(association)
        else:
            with ours.associated(peer) as association:
                assert echo(association) == 0
    longest = peer.result[0]
    assert longest <= (peer_limit or 0xFFFFFFFF)
    assert (longest == -1) == (0 < peer_limit < 8)


def test_trap_04_no_limit_of_our_own(tmp_path: Path) -> None:
    local = LocalAE("OURS", max_pdu_length=0, timeouts=ours.PATIENT)
    data = wire.implicit_image("1.2.3.4", 300_000)
    with ours.archive(tmp_path, local=local) as here, wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3), wire.value(data, 2)))
        assert wire.status_of(connection.receive_command()) == 0


@pytest.mark.parametrize(
    ("called", "ignore_case", "taken"),
    [
        ("OURS", False, True), ("  OURS", False, True), ("OURS      ", False, True), ("ours", False, False),
        ("ours", True, True), ("OURS2", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_trap_05_called_ae_title(tmp_path: Path, called: str, ignore_case: bool, taken: bool) -> None:
    peer_policy = PeerPolicy(StorageClasses())
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: peer_policy, frozenset({"OURS"}), ignore_case=ignore_case)
    with ours.archive(tmp_path, decide=decide_by(policy)) as here, wire.connected(here) as connection:
        connection.send(wire.associate_rq([(VERIFICATION, [IMPLICIT])], called=called))
        if taken:
            connection.expect(wire.ASSOCIATE_AC)
            assert ask_echo(connection) == 0
        else:
            assert connection.expect(wire.ASSOCIATE_RJ) == bytes((0, 1, 1, 7))


@pytest.mark.parametrize("title", [b"ARCHIVE         ", b"ARCHIVE\0", b"\xff\xfe\\\\", b"A" * 40])
def test_trap_06_any_move_originator_title_is_taken(here: ours.Archive, title: bytes) -> None:
    command = wire.request(
        0x0001, MR_IMAGE, wire.element(0x1000, wire.ui("1.2.3.4")), wire.element(0x1030, title),
        wire.element(0x1031, wire.us(7)), data_set=0,
    )  # fmt: skip
    with wire.associated(here, MR_IMAGE) as connection:
        connection.send(wire.p_data(wire.value(command, 3)), wire.p_data(wire.value(wire.implicit_image("1.2.3.4"), 2)))
        assert wire.status_of(connection.receive_command()) == 0
    originator = here.folder.requests[0].originator
    assert originator is not None
    assert originator.message_id == 7


@pytest.mark.parametrize(
    ("title", "sent"),
    [("PACS", b"PACS"), ("PACS1", b"PACS1 "), ("A", b"A "), ("SIXTEEN_CHARS_AE", b"SIXTEEN_CHARS_AE")],
)
def test_trap_06_titles_in_a_command_are_even_but_not_of_16_bytes(title: str, sent: bytes) -> None:
    """The title fields of a PDU have 16 bytes; an AE of PS3.5 has those of its text."""

    def script(connection: wire.Wire) -> list[dict[int, bytes]]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT), (3, 0, IMPLICIT)]))
        commands = []
        for context_id, sop_class, field in ((1, STUDY_ROOT_MOVE, 0x8021), (3, MR_IMAGE, 0x8001)):
            commands.append(connection.receive_command())
            connection.expect(wire.P_DATA)
            message_id = int.from_bytes(commands[-1][0x0110], "little")
            answer = wire.response(field, sop_class, message_id=message_id)
            connection.send(wire.p_data(wire.value(answer, 3, context_id)))
        release(connection)
        return commands

    proposals = [ContextProposal(uid, (IMPLICIT,)) for uid in (STUDY_ROOT_MOVE, MR_IMAGE)]
    with wire.listening(script) as peer, ours.associated(peer, proposals) as association:
        keys = Dataset()
        keys.StudyInstanceUID = "1.2.3"
        assert move(association, STUDY_ROOT_MOVE, keys, title).status == 0
        image, originator = InstanceIdentity(MR_IMAGE, "1.2.3.4"), MoveOriginator(title, 7)
        data = wire.implicit_image("1.2.3.4")
        assert store(association, association.contexts[1], image, data, originator=originator).status == 0
    [[move_command, store_command]] = peer.result
    assert move_command[0x0600] == sent
    assert store_command[0x1030] == sent


@pytest.mark.parametrize("syntax", [None, "", "1.2.3"], ids=["absent", "empty", "unknown"])
def test_trap_07_rejected_context_without_transfer_syntax(syntax: str | None) -> None:
    proposals = [*ours.ECHO, ContextProposal(MR_IMAGE, (IMPLICIT,))]

    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT), (3, 3, syntax)]))
        answer_echo(connection)
        release(connection)

    with wire.listening(script) as peer, ours.associated(peer, proposals) as association:
        assert [context.abstract_syntax for context in association.contexts] == [VERIFICATION]
        assert echo(association) == 0


@pytest.mark.parametrize("contexts", [[(1, 3, IMPLICIT)], [(1, 4, None)], []], ids=["rejected", "no syntax", "none"])
def test_trap_08_answer_without_any_accepted_context(contexts: list[tuple[int, int, str | None]]) -> None:
    def script(connection: wire.Wire) -> list[int]:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac(contexts))
        return connection.until_closed()

    with wire.listening(script) as peer, pytest.raises(NoPresentationContext) as caught:
        ours.associated(peer)
    assert peer.result == [[wire.ABORT]]
    assert VERIFICATION in str(caught.value)


def test_trap_08_request_without_any_acceptable_context(tmp_path: Path) -> None:
    """Accepted with all contexts rejected, or rejected, as the policy says; the peer is served on either way."""
    with ours.archive(tmp_path) as here, wire.connected(here) as connection:
        connection.send(wire.associate_rq([("1.2.840.10008.5.1.4.31", [IMPLICIT])]))
        body = connection.expect(wire.ASSOCIATE_AC)
        assert wire.item(0x21, bytes((1, 0, 3, 0)) + wire.item(0x40, IMPLICIT.encode())) in body
        connection.send(wire.RELEASE_REQUEST)
        connection.expect(wire.RELEASE_RP)
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy(StorageClasses()), reject_without_contexts=True)
    with ours.archive(tmp_path / "strict", decide=decide_by(policy)) as here, wire.connected(here) as connection:
        connection.send(wire.associate_rq([("1.2.840.10008.5.1.4.31", [IMPLICIT])]))
        assert connection.expect(wire.ASSOCIATE_RJ) == bytes((0, 1, 1, 1))


def test_trap_08_pynetdicom_survives_zero_accepted_contexts(here: ours.Archive) -> None:
    with (
        pytest.raises(AssertionError, match="did not accept"),
        pynetdicom_ae.associated(here, ["1.2.840.10008.5.1.4.31"]),
    ):
        pass
    here.wait_until_idle()


def test_trap_09_what_is_refused_on_one_association_may_be_taken_on_the_next() -> None:
    def refuse(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 4, IMPLICIT)]))
        connection.until_closed()

    def take(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        answer_echo(connection)
        release(connection)

    with wire.listening(refuse, take) as peer:
        with pytest.raises(NoPresentationContext):
            ours.associated(peer)
        with ours.associated(peer) as association:
            assert echo(association) == 0


@pytest.mark.parametrize("code", [(0, 0, 0), (3, 9, 200), (1, 1, 8), (2, 3, 0), (255, 255, 255)])
def test_trap_14_rejection_with_codes_that_nobody_knows(code: tuple[int, int, int]) -> None:
    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.rejection(*code))

    with wire.listening(script) as peer, pytest.raises(AssociationRejected) as caught:
        ours.associated(peer)
    assert (caught.value.result, caught.value.source, caught.value.reason) == code
    assert "reserved" in str(caught.value)


@pytest.mark.parametrize("code", [(0, 0), (0, 9), (1, 0), (2, 3), (2, 77), (255, 255)])
def test_trap_14_abort_with_codes_that_nobody_knows(code: tuple[int, int]) -> None:
    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, IMPLICIT)]))
        connection.receive_command()
        connection.send(wire.abortion(*code))

    with (
        wire.listening(script) as peer,
        pytest.raises(AssociationAborted) as caught,
        ours.associated(peer) as association,
    ):
        echo(association)
    assert (caught.value.source, caught.value.reason) == code


@pytest.mark.parametrize("code", [(0, 0), (1, 77), (2, 200)])
def test_trap_14_acceptor_takes_any_abort(here: ours.Archive, code: tuple[int, int]) -> None:
    with wire.associated(here) as connection:
        connection.send(wire.abortion(*code))
        assert connection.until_closed() == []
