"""The provider as a dialogue: what goes in, what comes out (PS3.8 9.2)."""

from __future__ import annotations

import pytest

from openmodality.errors import AssociationAborted, TransportError, UsageError
from openmodality.upper_layer.pdu import (
    A_ABORT,
    A_ASSOCIATE_RJ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
    PresentationDataValueItem,
)
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    AssociateAccept,
    AssociateConfirm,
    AssociateIndication,
    AssociateReject,
    AssociateRejected,
    AssociateRequest,
    PresentationDataValue,
    ProviderAbort,
    ReleaseConfirm,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    Role,
    TransportClosed,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.state_table import State
from tests.unit.upper_layer.dialogue import AC, RQ, acceptor, established, events, requestor, sent

BOTH = pytest.mark.parametrize("role", Role)
REJECT = A_ASSOCIATE_RJ(1, 1, 7)


def p_data(*fragments: tuple[bytes, bool], context_id: int = 1) -> bytes:
    values = (PresentationDataValueItem(context_id, True, last, data) for data, last in fragments)
    return P_DATA_TF(tuple(values)).encode()


def test_a_requestor_asks_and_is_accepted() -> None:
    provider = Provider(Role.REQUESTOR, max_pdu_length=0)
    provider.send(AssociateRequest(RQ))
    assert (provider.state, provider.data_to_send()) == (State.Sta4, b"")
    provider.transport_connected()
    assert (provider.state, sent(provider)) == (State.Sta5, [RQ])
    assert events(provider, AC.encode()) == [AssociateConfirm(AC)]
    assert (provider.state, provider.accepted_contexts, provider.peer_max_pdu_length) == (State.Sta6, {1}, 32768)


def test_a_requestor_is_rejected_and_closes() -> None:
    provider = requestor()
    assert events(provider, REJECT.encode()) == [AssociateRejected(REJECT)]
    assert (provider.state, provider.must_close) == (State.Sta1, True)


def test_an_acceptor_is_asked_and_accepts() -> None:
    provider = acceptor()
    assert (provider.state, provider.artim_running, provider.artim_starts) == (State.Sta2, True, 1)
    assert events(provider, RQ.encode()) == [AssociateIndication(RQ)]
    assert (provider.state, provider.artim_running) == (State.Sta3, False)
    provider.send(AssociateAccept(AC))
    assert (provider.state, sent(provider), provider.accepted_contexts) == (State.Sta6, [AC], {1})
    assert provider.peer_max_pdu_length == 16384


def test_an_acceptor_rejects_and_waits_for_the_close() -> None:
    provider = acceptor()
    events(provider, RQ.encode())
    provider.send(AssociateReject(REJECT))
    assert (provider.state, sent(provider), provider.artim_running) == (State.Sta13, [REJECT], True)
    provider.transport_closed()
    assert (provider.state, provider.must_close, provider.artim_running) == (State.Sta1, True, False)


@pytest.mark.parametrize("length", [0, 67, 70])
def test_a_request_that_cannot_be_parsed_is_rejected(length: int) -> None:
    provider = acceptor()
    assert events(provider, b"\1\0" + length.to_bytes(4, "big") + RQ.encode()[6 : 6 + length]) == []
    assert sent(provider) == [A_ASSOCIATE_RJ(1, 2, 1)]
    assert (provider.state, provider.artim_running, provider.artim_starts) == (State.Sta13, True, 2)
    assert "A-ASSOCIATE-RQ" in provider.violation


def test_nothing_is_answered_until_the_request_is_complete() -> None:
    provider = acceptor()
    for byte in RQ.encode()[:-1]:
        assert events(provider, bytes((byte,))) == []
    assert provider.data_to_send() == b""
    assert events(provider, RQ.encode()[-1:]) == [AssociateIndication(RQ)]


@BOTH
def test_data_comes_as_slices_of_the_buffer(role: Role) -> None:
    provider = established(role)
    buffer = bytearray(p_data((b"abcd", False), (b"ef", True)))
    provider.receive_data(buffer)
    first = provider.next_event()
    assert isinstance(first, PresentationDataValue)
    assert first.data.obj is buffer
    assert first == PresentationDataValue(1, True, False, memoryview(b"abcd"))
    assert provider.next_event() == PresentationDataValue(1, True, True, memoryview(b"ef"))
    assert provider.next_event() is None


def data_pdus(*values: bytes, last: bool = True, context_id: int = 1) -> bytes:
    """A PDU for each value of a data set."""
    ends = [False] * (len(values) - 1) + [last]
    items = (PresentationDataValueItem(context_id, False, *each) for each in zip(ends, values, strict=True))
    return b"".join(P_DATA_TF((item,)).encode() for item in items)


@BOTH
def test_short_values_of_a_data_set_are_moved_together_where_the_buffer_may_be_written(role: Role) -> None:
    buffer = bytearray(data_pdus(b"abcd", b"ef", b"gh") + p_data((b"ij", True)))
    provider = established(role)
    provider.receive_data(buffer)
    first = provider.next_event()
    assert isinstance(first, PresentationDataValue)
    assert first.data.obj is buffer
    assert first == PresentationDataValue(1, False, True, memoryview(b"abcdefgh"))
    assert provider.next_event() == PresentationDataValue(1, True, True, memoryview(b"ij"))
    read_only = events(established(role), data_pdus(b"abcd", b"ef", b"gh"))
    assert [bytes(event.data) for event in read_only if isinstance(event, PresentationDataValue)] == [
        b"abcd",
        b"ef",
        b"gh",
    ]


@pytest.mark.parametrize(
    ("data", "slices"),
    [
        (data_pdus(b"abcd", b"", b"ef"), [b"abcd", b"", b"ef"]),
        (data_pdus(b"abcd", bytes(32768), b"ef"), [b"abcd" + bytes(32768) + b"ef"]),
        (data_pdus(b"abcd", bytes(32770), b"ef"), [b"abcd", bytes(32770) + b"ef"]),
        (data_pdus(b"abcd", b"ef", last=False), [b"abcdef"]),
        (data_pdus(b"abcd", b"efgh")[:-2], [b"abcd", b"ef"]),
        (data_pdus(b"abcd", b"efgh")[:-5], [b"abcd"]),
        (data_pdus(b"abcd") + data_pdus(b"ef"), [b"abcd", b"ef"]),
        (data_pdus(b"abcd", last=False) + p_data((b"ef", True)), [b"abcd", b"ef"]),
        (data_pdus(b"abcd", last=False) + p_data((b"ef", False), (b"gh", True)), [b"abcd", b"ef", b"gh"]),
    ],
    ids=["empty", "short", "long", "no end", "cut", "cut header", "next message", "command", "two in a PDU"],
)
def test_only_whole_short_values_of_the_same_data_set_are_moved(data: bytes, slices: list[bytes]) -> None:
    found = events(established(Role.ACCEPTOR), bytearray(data))
    assert [bytes(event.data) for event in found if isinstance(event, PresentationDataValue)] == slices


def test_a_value_for_a_context_that_was_not_accepted_is_not_moved() -> None:
    data = bytearray(data_pdus(b"abcd", last=False) + data_pdus(b"ef", context_id=3))
    first, second = events(established(Role.ACCEPTOR), data)
    assert first == PresentationDataValue(1, False, False, memoryview(b"abcd"))
    assert isinstance(second, AbortIndication)


def test_a_value_is_handed_on_before_it_is_complete() -> None:
    provider = established(Role.ACCEPTOR)
    data = p_data((b"abcdef", True))
    assert events(provider, data[:14]) == [PresentationDataValue(1, True, False, memoryview(b"ab"))]
    assert events(provider, data[14:]) == [PresentationDataValue(1, True, True, memoryview(b"cdef"))]


def test_a_value_without_data_may_end_a_message() -> None:
    provider = established(Role.ACCEPTOR)
    assert events(provider, p_data((b"", True))) == [PresentationDataValue(1, True, True, memoryview(b""))]


@BOTH
def test_release_by_this_side(role: Role) -> None:
    provider = established(role)
    provider.send(ReleaseRequest())
    assert (provider.state, sent(provider)) == (State.Sta7, [A_RELEASE_RQ()])
    assert events(provider, A_RELEASE_RP().encode()) == [ReleaseConfirm()]
    assert (provider.state, provider.must_close) == (State.Sta1, True)


@BOTH
def test_release_by_the_peer(role: Role) -> None:
    provider = established(role)
    assert events(provider, A_RELEASE_RQ().encode()) == [ReleaseIndication()]
    provider.check_can_send_data()  # AR-7: what is under way may be finished
    provider.send(ReleaseResponse())
    assert (provider.state, sent(provider), provider.artim_running) == (State.Sta13, [A_RELEASE_RP()], True)
    assert not provider.must_close
    provider.artim_expired()  # trap 15: the peer keeps the connection open
    assert (provider.state, provider.must_close) == (State.Sta1, True)


def test_release_collision_of_the_requestor() -> None:
    provider = established(Role.REQUESTOR)
    provider.send(ReleaseRequest())
    assert events(provider, A_RELEASE_RQ().encode()) == [ReleaseIndication(collision=True)]
    assert provider.state is State.Sta9
    provider.send(ReleaseResponse())
    assert (provider.state, sent(provider)) == (State.Sta11, [A_RELEASE_RQ(), A_RELEASE_RP()])
    assert events(provider, A_RELEASE_RP().encode()) == [ReleaseConfirm()]
    assert (provider.state, provider.must_close) == (State.Sta1, True)


def test_release_collision_of_the_acceptor() -> None:
    provider = established(Role.ACCEPTOR)
    provider.send(ReleaseRequest())
    assert events(provider, A_RELEASE_RQ().encode()) == [ReleaseIndication(collision=True)]
    assert provider.state is State.Sta10
    with pytest.raises(UsageError):
        provider.send(ReleaseResponse())
    assert events(provider, A_RELEASE_RP().encode()) == [ReleaseConfirm()]
    assert (provider.state, provider.must_close) == (State.Sta12, False)
    provider.send(ReleaseResponse())
    assert (provider.state, sent(provider)) == (State.Sta13, [A_RELEASE_RQ(), A_RELEASE_RP()])


def test_two_sides_that_release_at_once_both_end() -> None:
    ours, theirs = established(Role.REQUESTOR), established(Role.ACCEPTOR)
    for side in (ours, theirs):
        side.send(ReleaseRequest())
    to_theirs, to_ours = ours.data_to_send(), theirs.data_to_send()
    assert [events(ours, to_ours), events(theirs, to_theirs)] == [[ReleaseIndication(collision=True)]] * 2
    ours.send(ReleaseResponse())
    assert events(theirs, ours.data_to_send()) == [ReleaseConfirm()]
    theirs.send(ReleaseResponse())
    assert events(ours, theirs.data_to_send()) == [ReleaseConfirm()]
    theirs.transport_closed()
    assert ours.must_close
    assert theirs.must_close


def test_data_after_our_release_request_are_delivered() -> None:
    """Trap 16: a late N-EVENT-REPORT."""
    provider = established(Role.REQUESTOR)
    provider.send(ReleaseRequest())
    assert events(provider, p_data((b"ab", True))) == [PresentationDataValue(1, True, True, memoryview(b"ab"))]
    assert provider.state is State.Sta7
    assert events(provider, A_RELEASE_RP().encode()) == [ReleaseConfirm()]


def test_data_after_the_peers_own_release_request_are_a_violation() -> None:
    provider = established(Role.ACCEPTOR)
    (first, second) = events(provider, A_RELEASE_RQ().encode() + p_data((b"ab", True)))
    assert first == ReleaseIndication()
    assert second == AbortIndication(2, 2, "P-DATA-TF came in Sta8")
    assert sent(provider) == [A_ABORT(2, 2)]


@BOTH
def test_abort_by_this_side(role: Role) -> None:
    provider = established(role)
    provider.send(AbortRequest())
    assert (provider.state, sent(provider), provider.artim_running) == (State.Sta13, [A_ABORT(0, 0)], True)
    with pytest.raises(AssociationAborted):
        provider.check_can_send_data()
    provider.send(AbortRequest())
    assert sent(provider) == []


def test_abort_for_what_a_layer_above_has_seen() -> None:
    provider = established(Role.ACCEPTOR)
    provider.send(ProviderAbort(6))
    assert (provider.state, sent(provider), events(provider)) == (State.Sta13, [A_ABORT(2, 6)], [])


def test_abort_before_the_connection_is_open() -> None:
    provider = requestor(connected=False)
    provider.send(AbortRequest())
    assert (provider.state, provider.must_close, sent(provider)) == (State.Sta1, True, [])


@BOTH
@pytest.mark.parametrize("numbers", [(0, 0), (2, 1), (1, 3), (255, 254)])
def test_abort_by_the_peer_whatever_its_numbers(role: Role, numbers: tuple[int, int]) -> None:
    """Trap 14: reserved numbers are kept."""
    provider = established(role)
    assert events(provider, A_ABORT(*numbers).encode()) == [AbortIndication(*numbers)]
    assert (provider.state, provider.must_close) == (State.Sta1, True)
    with pytest.raises(AssociationAborted) as caught:
        provider.check_can_send_data()
    assert (caught.value.source, caught.value.reason) == numbers


def test_a_rejection_with_reserved_numbers_is_told() -> None:
    provider = requestor()
    assert events(provider, A_ASSOCIATE_RJ(9, 8, 7).encode()) == [AssociateRejected(A_ASSOCIATE_RJ(9, 8, 7))]


@BOTH
def test_the_connection_breaks(role: Role) -> None:
    provider = established(role)
    provider.transport_closed()
    assert events(provider) == [TransportClosed()]
    assert (provider.state, provider.must_close) == (State.Sta1, True)
    with pytest.raises(TransportError):
        provider.check_can_send_data()


def test_a_connection_without_a_request_ends_silently() -> None:
    """Trap 22: an empty connect."""
    provider = acceptor()
    provider.transport_closed()
    assert (provider.state, provider.must_close, provider.data_to_send(), events(provider)) == (
        State.Sta1,
        True,
        b"",
        [],
    )


def test_artim_ends_a_connection_without_a_request() -> None:
    provider = acceptor()
    provider.artim_expired()
    assert (provider.state, provider.must_close, provider.artim_running) == (State.Sta1, True, False)


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(6)]
)
def test_what_is_not_dicom_is_aborted_and_read_no_further(noise: bytes) -> None:
    """Trap 22: health checks, TLS on a plain port."""
    provider = acceptor()
    assert events(provider, noise) == []
    assert (provider.state, sent(provider)) == (State.Sta13, [A_ABORT(0, 0)])
    assert f"{noise[0]:02X}H" in provider.violation
    assert events(provider, RQ.encode() * 3) == []
    assert provider.data_to_send() == b""


def test_a_second_request_is_unexpected() -> None:
    provider = established(Role.ACCEPTOR)
    assert events(provider, RQ.encode()) == [AbortIndication(2, 2, "A-ASSOCIATE-RQ came in Sta6")]
    assert (provider.state, sent(provider), provider.artim_running) == (State.Sta13, [A_ABORT(2, 2)], True)


def test_after_our_abort_pdus_are_ignored_up_to_the_peers_abort() -> None:
    provider = established(Role.ACCEPTOR)
    provider.send(AbortRequest())
    provider.data_to_send()
    stream = p_data((b"ab", True), context_id=99) + A_RELEASE_RQ().encode() + A_ABORT(0, 0).encode()
    assert (events(provider, stream), provider.data_to_send(), provider.must_close) == ([], b"", True)


def test_the_rest_of_a_pdu_that_is_arriving_is_skipped_after_our_abort() -> None:
    provider = established(Role.ACCEPTOR)
    data = p_data((b"abcdef", True), (b"gh", True))
    for cut in (8, 14, 20, 24):
        provider = established(Role.ACCEPTOR)
        events(provider, data[:cut])
        provider.send(AbortRequest())
        assert events(provider, data[cut:] + A_ABORT(0, 0).encode()) == []
        assert provider.must_close


def test_a_broken_acceptance_is_aborted() -> None:
    provider = requestor()
    data = bytearray(AC.encode())
    data[-1:] = b""
    data[2:6] = (len(data) - 6).to_bytes(4, "big")
    (event,) = events(provider, bytes(data))
    assert isinstance(event, AbortIndication)
    assert (event.source, event.reason, sent(provider)) == (2, 6, [RQ, A_ABORT(2, 6)])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (bytes.fromhex("0400 00000008 00000005 01 03 0000"), "length 5"),
        (bytes.fromhex("0400 00000006 00000001 01 03"), "length 1"),
        (bytes.fromhex("0400 00000006 00000000 01 03"), "length 0"),
        (bytes.fromhex("0400 00000000"), "no presentation data value"),
        (bytes.fromhex("0400 00000009 00000002 01 03 000000"), "ends inside the header"),
        (bytes.fromhex("0400 00000009 00000002 01 03"), "ends inside the header"),  # told before the rest comes
        (bytes.fromhex("0400 00000006 00000002 03 03"), "context 3"),
        (bytes.fromhex("0400 00000006 00000002 02 03"), "context 2"),
        (bytes.fromhex("0400 00100001 00000002 01 03"), "at most 1048576"),
        (bytes.fromhex("0400 ffffffff 00000002 01 03"), "4294967295"),
        (bytes.fromhex("0500 00000005 0000000000"), "5 bytes instead of 4"),
        (bytes.fromhex("0100 00100001"), "at most 1048576"),
    ],
)
def test_values_that_break_the_protocol(data: bytes, text: str) -> None:
    provider = established(Role.ACCEPTOR)
    event = events(provider, data)[-1]
    assert isinstance(event, AbortIndication)
    assert (event.source, event.reason, provider.state) == (2, 6, State.Sta13)
    assert text in event.violation
    assert sent(provider) == [A_ABORT(2, 6)]


def test_a_pdu_over_our_limit_is_taken_up_to_a_megabyte() -> None:
    """Trap 4: some peers mix the two limits up."""
    provider = established(Role.ACCEPTOR)
    data = bytes((1 << 20) - 6)
    (event,) = events(provider, p_data((data, True)))
    assert event == PresentationDataValue(1, True, True, memoryview(data))


@pytest.mark.parametrize(
    "call",
    [
        lambda provider: provider.send(AssociateRequest(RQ)),
        lambda provider: provider.send(AssociateAccept(AC)),
        lambda provider: provider.send(AssociateReject(REJECT)),
        lambda provider: provider.send(ReleaseResponse()),
        lambda provider: provider.transport_connected(),
    ],
)
@BOTH
def test_what_the_user_may_not_do_now_is_a_usage_error(role: Role, call: object) -> None:
    assert callable(call)
    provider = established(role)
    with pytest.raises(UsageError):
        call(provider)
    assert provider.state is State.Sta6


def test_an_acceptor_does_not_request() -> None:
    with pytest.raises(UsageError):
        Provider(Role.ACCEPTOR, max_pdu_length=0).send(AssociateRequest(RQ))


def test_data_before_the_association_cannot_be_sent() -> None:
    with pytest.raises(UsageError):
        requestor().check_can_send_data()


def test_data_cannot_have_come_without_a_connection() -> None:
    with pytest.raises(UsageError):
        requestor(connected=False).receive_data(b"\0")


def test_a_buffer_is_read_to_its_end_before_the_next() -> None:
    provider = acceptor()
    provider.receive_data(RQ.encode())
    with pytest.raises(UsageError):
        provider.receive_data(b"\0")


def test_nothing_is_read_after_the_end() -> None:
    provider = requestor()
    assert events(provider, REJECT.encode() + AC.encode()) == [AssociateRejected(REJECT)]
    assert events(provider, AC.encode()) == []


def test_late_signals_are_harmless() -> None:
    provider = established(Role.REQUESTOR)
    provider.artim_expired()
    assert provider.state is State.Sta6
    provider.transport_closed()
    provider.transport_closed()
    assert events(provider) == [TransportClosed()]
