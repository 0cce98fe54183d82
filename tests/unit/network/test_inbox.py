"""What an association has read before it works on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openmodality.errors import PeerTimeout
from openmodality.network.inbox import BUFFER_BYTES, Inbox
from openmodality.upper_layer.primitives import AssociateAccept, AssociateIndication, PresentationDataValue, Role
from openmodality.upper_layer.provider import Provider
from tests.unit.upper_layer.dialogue import AC, RQ, established, events


def said(inbox: Inbox, read: Callable[..., int | None], *, whole: bool = True) -> bytes | None:
    """What an inbox has read, outliving its buffer."""
    data = inbox.read(read, whole=whole)
    return None if data is None else bytes(data)


def p_data(value: bytes, *, context_id: int = 1, control: int = 2) -> bytes:
    """One P-DATA-TF with one value."""
    size = len(value) + 2
    return b"\4\0" + (size + 4).to_bytes(4, "big") + size.to_bytes(4, "big") + bytes((context_id, control)) + value


def reading(*pieces: bytes | PeerTimeout | None) -> Callable[..., int | None]:
    """A connection on which these arrive in turn; ``None``: nothing is there, empty: the peer has closed."""
    waiting = list(pieces)

    def read(buffer: memoryview) -> int | None:
        piece = waiting.pop(0)
        if isinstance(piece, PeerTimeout):
            raise piece
        if piece is None:
            return None
        part = piece[: len(buffer)]
        if part != piece:
            waiting.insert(0, piece[len(part) :])
        buffer[: len(part)] = part
        return len(part)

    return read


@pytest.fixture
def provider() -> Provider:
    return established(Role.ACCEPTOR)


@pytest.fixture
def inbox(provider: Provider) -> Inbox:
    return Inbox(provider)


@pytest.mark.parametrize("cuts", [(12,), (13,), (12, 40), (50,), (20, 21, 22)])
def test_a_value_that_comes_in_parts_is_read_to_its_end(inbox: Inbox, cuts: tuple[int, ...]) -> None:
    data = p_data(bytes(range(50)))
    ends = (*cuts, len(data))
    read = reading(*(data[start:end] for start, end in zip((0, *cuts), ends, strict=True)), b"later")
    assert said(inbox, read) == data


def test_the_rest_of_a_value_that_was_begun_is_waited_for_too(inbox: Inbox, provider: Provider) -> None:
    data = p_data(bytes(range(50)))
    provider.receive_data(data[:20])
    assert provider.next_event() is not None
    assert said(inbox, reading(data[20:30], data[30:], b"later")) == data[20:]


@pytest.mark.parametrize(
    "data",
    [
        p_data(b"whole") + p_data(b"the next one")[:15],
        p_data(b"its header is not whole")[:11],
        p_data(b"not accepted", context_id=9)[:20],
        b"\4\0\0\0\0\x08\xff\xff\xff\xff\1\2",
        b"\4\0\xff\xff\xff\xff\0\0\1\0\1\2",
        bytes.fromhex("050000000004 00000000 0000")[:10],
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["whole", "short", "context", "value too long", "PDU too long", "release", "foreign"],
)
def test_nothing_is_waited_for_that_need_not_come(inbox: Inbox, data: bytes) -> None:
    assert said(inbox, reading(data)) == data


def test_a_value_longer_than_the_buffer_streams_through_it() -> None:
    provider = Provider(Role.ACCEPTOR, max_pdu_length=0)
    provider.transport_connected()
    assert events(provider, RQ.encode()) == [AssociateIndication(RQ)]
    provider.send(AssociateAccept(AC))
    inbox = Inbox(provider)
    value = bytes(3 * BUFFER_BYTES // 2)
    data = p_data(value)
    read = reading(data[:1000], data[1000:])
    got = bytearray()
    while len(got) < len(value):
        part = said(inbox, read)
        assert part is not None
        for event in events(provider, part):
            assert isinstance(event, PresentationDataValue)
            got += event.data
    assert got == value


def test_a_peer_that_closes_in_the_middle_of_a_value(inbox: Inbox) -> None:
    data = p_data(b"cut off here")[:18]
    read = reading(data, b"", b"")
    assert said(inbox, read) == data
    assert said(inbox, read) == b""


@pytest.mark.parametrize("whole", [True, False])
def test_what_came_before_a_time_out_is_not_lost(inbox: Inbox, *, whole: bool) -> None:
    data = p_data(bytes(range(50)))
    read = reading(data[:20], PeerTimeout("late", waiting_for="data"), data[20:30], data[30:])
    with pytest.raises(PeerTimeout):
        said(inbox, read)
    assert said(inbox, read, whole=whole) == (data if whole else data[:20])


def test_parts_are_given_out_where_a_value_need_not_be_whole(inbox: Inbox) -> None:
    data = p_data(b"a command")
    read = reading(data[:12], data[12:])
    assert [said(inbox, read, whole=False) for _ in range(2)] == [data[:12], data[12:]]


def test_nothing_is_there(inbox: Inbox) -> None:
    assert said(inbox, reading(None)) is None
    data = p_data(b"the rest is not there yet")[:18]
    assert said(inbox, reading(data, None)) == data
