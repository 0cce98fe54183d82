"""Properties of the upper layer: round trips, any chunking gives the same events, no input makes the provider raise."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.errors import ProtocolError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.framing import MAX_ASSOCIATE_LENGTH
from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ, UnknownItem
from openmodality.upper_layer.p_data import cut_fragments
from openmodality.upper_layer.pdu import (
    A_ABORT,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
    PDU,
    PresentationDataValueItem,
    decode,
)
from openmodality.upper_layer.primitives import (
    AbortRequest,
    AssociateAccept,
    AssociateIndication,
    Indication,
    PresentationDataValue,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    Role,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.state_table import State
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from tests.unit.upper_layer.dialogue import AC, RQ, acceptor, established, requestor

T = TypeVar("T")
BYTE = st.integers(0, 255)
UINT16 = st.integers(0, 0xFFFF)
SHORT_BYTES = st.binary(max_size=40)
UIDS = st.text("0123456789.", max_size=70)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=16).map(str.strip)
UNKNOWN_SUB_ITEMS = st.builds(UnknownItem, st.sampled_from((0, 0x50, 0x5A, 0xFF)), SHORT_BYTES)
UNKNOWN_ITEMS = st.builds(UnknownItem, st.sampled_from((0, 0x11, 0x51, 0xFF)), SHORT_BYTES)


def several(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


USER_INFORMATION = st.builds(
    UserInformation,
    maximum_length=st.none() | st.integers(0, 0xFFFFFFFF),
    implementation_class_uid=st.none() | UIDS,
    implementation_version_name=st.none() | TEXTS,
    asynchronous_operations_window=st.none() | st.builds(AsynchronousOperationsWindow, UINT16, UINT16),
    role_selections=several(st.builds(RoleSelection, UIDS, st.booleans(), st.booleans())),
    extended_negotiations=several(st.builds(SOPClassExtendedNegotiation, UIDS, SHORT_BYTES)),
    common_extended_negotiations=several(st.builds(SOPClassCommonExtendedNegotiation, UIDS, UIDS, several(UIDS))),
    user_identity_rq=st.none() | st.builds(UserIdentityRQ, BYTE, SHORT_BYTES, SHORT_BYTES, st.booleans()),
    user_identity_ac=st.none() | st.builds(UserIdentityAC, SHORT_BYTES),
    unknown_items=several(UNKNOWN_SUB_ITEMS),
)
COMMON = {
    "called_ae_title": TEXTS,
    "calling_ae_title": TEXTS,
    "user_information": USER_INFORMATION,
    "application_context_name": UIDS,
    "protocol_version": UINT16,
}
REQUESTS = st.builds(
    A_ASSOCIATE_RQ,
    presentation_contexts=several(st.builds(PresentationContextRQ, BYTE, UIDS, several(UIDS))),
    unknown_items=several(UNKNOWN_ITEMS | st.builds(UnknownItem, st.just(0x21), SHORT_BYTES)),
    **COMMON,
)
ACCEPTANCES = st.builds(
    A_ASSOCIATE_AC,
    presentation_contexts=several(st.builds(PresentationContextAC, BYTE, BYTE, UIDS)),
    unknown_items=several(UNKNOWN_ITEMS | st.builds(UnknownItem, st.just(0x20), SHORT_BYTES)),
    **COMMON,
)
DATA = st.builds(
    P_DATA_TF,
    st.lists(
        st.builds(
            PresentationDataValueItem, st.sampled_from((1, 1, 1, 1, 3)), st.booleans(), st.booleans(), SHORT_BYTES
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)
PDUS: st.SearchStrategy[PDU] = st.one_of(
    REQUESTS,
    ACCEPTANCES,
    st.builds(A_ASSOCIATE_RJ, BYTE, BYTE, BYTE),
    DATA,
    st.builds(A_RELEASE_RQ),
    st.builds(A_RELEASE_RP),
    st.builds(A_ABORT, BYTE, BYTE),
)

MAKERS: Mapping[str, Callable[[], Provider]] = {
    "Sta2": acceptor,
    "Sta5": requestor,
    "Sta6 acceptor": lambda: established(Role.ACCEPTOR),
    "Sta6 requestor": lambda: established(Role.REQUESTOR),
    "Sta7 acceptor": lambda: after(established(Role.ACCEPTOR), ReleaseRequest()),
    "Sta7 requestor": lambda: after(established(Role.REQUESTOR), ReleaseRequest()),
    "Sta13": lambda: after(established(Role.ACCEPTOR), AbortRequest()),
}
STARTS = st.sampled_from(sorted(MAKERS))
Buffer = type[bytes] | type[bytearray]
BUFFERS = st.sampled_from((bytes, bytearray))


def after(provider: Provider, primitive: ReleaseRequest | AbortRequest) -> Provider:
    provider.send(primitive)
    provider.data_to_send()
    return provider


def obedient(provider: Provider, chunks: Iterable[bytes | bytearray]) -> tuple[list[object], bytes, State]:
    """What a user that answers every request hears; slices are joined, for where they are cut is no meaning."""
    heard: list[object] = []
    sent = b""
    for chunk in chunks:
        if provider.must_close:
            break
        provider.receive_data(chunk)
        while (event := provider.next_event()) is not None:
            note(heard, event)
            answer(provider, event)
        sent += provider.data_to_send()
    return heard, sent, provider.state


def note(heard: list[object], event: Indication) -> None:
    if not isinstance(event, PresentationDataValue):
        heard.append(event)
        return
    key, data = (event.context_id, event.is_command), bytes(event.data)
    if heard and isinstance(heard[-1], tuple) and heard[-1][0] == key and not heard[-1][2]:
        heard[-1] = (key, heard[-1][1] + data, event.is_last)
    elif data or event.is_last:
        heard.append((key, data, event.is_last))


def answer(provider: Provider, event: Indication) -> None:
    if isinstance(event, AssociateIndication):
        provider.send(AssociateAccept(AC))
    elif isinstance(event, ReleaseIndication) and provider.state is not State.Sta10:
        provider.send(ReleaseResponse())


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """``data`` in pieces of the lengths given, over and over."""
    pieces, position = [], 0
    for length in itertools.cycle(lengths):
        if position >= len(data):
            break
        pieces.append(data[position : position + length])
        position += length
    return pieces


@given(PDUS)
def test_every_pdu_survives_the_round_trip(pdu: PDU) -> None:
    data = pdu.encode()
    assert int.from_bytes(data[2:6], "big") == len(data) - 6
    assert decode(data[0], data[6:]) == pdu


@given(st.integers(0, 9), st.binary(max_size=300))
def test_decoding_noise_raises_protocol_error_or_nothing(pdu_type: int, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(pdu_type, data), PDU)


@given(st.sampled_from((RQ, AC)), st.lists(st.tuples(st.integers(0, 400), BYTE), min_size=1, max_size=5))
def test_decoding_mutated_requests_raises_protocol_error_or_nothing(pdu: PDU, changes: list[tuple[int, int]]) -> None:
    data = bytearray(pdu.encode())
    for position, value in changes:
        data[position % len(data)] = value
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(data[0], data[6:]), PDU)


@given(STARTS, st.lists(PDUS, max_size=6), st.lists(st.integers(1, 50), min_size=1, max_size=10))
def test_any_chunking_of_the_bytes_gives_the_same_events(start: str, pdus: list[PDU], lengths: list[int]) -> None:
    head = RQ.encode() if start == "Sta2" else AC.encode() if start == "Sta5" else b""
    data = head + b"".join(pdu.encode() for pdu in pdus)
    heard = obedient(MAKERS[start](), cut(data, lengths))
    assert heard == obedient(MAKERS[start](), [data]) == obedient(MAKERS[start](), [bytearray(data)])


@given(st.lists(DATA, max_size=20), st.lists(st.integers(1, 50) | st.just(2000), min_size=1, max_size=10), BUFFERS)
def test_data_arrive_whole_in_any_chunking(pdus: list[P_DATA_TF], lengths: list[int], buffer: Buffer) -> None:
    """Also where short values are moved together, as in a buffer that may be written."""
    provider = established(Role.ACCEPTOR)
    provider.accepted_contexts = {1, 3}
    expected: list[object] = []
    for value in (value for pdu in pdus for value in pdu.presentation_data_values):
        view = memoryview(value.data)
        note(expected, PresentationDataValue(value.context_id, value.is_command, value.is_last, view))
    heard, sent, state = obedient(provider, map(buffer, cut(b"".join(pdu.encode() for pdu in pdus), lengths)))
    assert (heard, sent, state) == (expected, b"", State.Sta6)


@given(
    st.binary(max_size=300).map(lambda data: data + data),
    st.integers(8, 120) | st.just(0),
    st.lists(st.integers(1, 90) | st.just(2000), min_size=1, max_size=5),
    BUFFERS,
)
def test_what_is_sent_in_fragments_is_received(data: bytes, limit: int, lengths: list[int], buffer: Buffer) -> None:
    buffers = cut_fragments(data, context_id=1, is_command=False, last=True, max_pdu_length=limit)
    heard, _, _ = obedient(established(Role.REQUESTOR), map(buffer, cut(b"".join(buffers), lengths)))
    assert heard == [((1, False), data, True)]


@given(STARTS, st.binary(max_size=400), st.lists(st.integers(1, 50), min_size=1, max_size=10))
def test_noise_never_raises(start: str, data: bytes, lengths: list[int]) -> None:
    provider = MAKERS[start]()
    _, sent, state = obedient(provider, cut(data, lengths))
    assert not sent or state is not State.Sta6


@given(
    STARTS,
    st.lists(PDUS, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 2000), BYTE), min_size=1, max_size=8),
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
)
def test_mutated_exchanges_never_raise(
    start: str, pdus: list[PDU], changes: list[tuple[int, int]], lengths: list[int]
) -> None:
    head = RQ.encode() if start == "Sta2" else AC.encode() if start == "Sta5" else b""
    data = bytearray(head + b"".join(pdu.encode() for pdu in pdus))
    for position, value in changes:
        data[position % len(data)] = value
    provider = MAKERS[start]()
    heard, _, state = obedient(provider, cut(bytes(data), lengths))
    assert state in State
    assert len(heard) <= len(data)
    assert obedient(MAKERS[start](), [bytes(data)]) == obedient(MAKERS[start](), [data])


@given(STARTS, st.sampled_from(sorted(facts.PDU_TYPES)), st.integers(0, 0xFFFFFFFF))
def test_memory_is_bounded_whatever_length_is_announced(start: str, pdu_type: int, length: int) -> None:
    provider = MAKERS[start]()
    obedient(provider, [bytes((pdu_type, 0)) + length.to_bytes(4, "big"), *[bytes(65536)] * 40])
    assert len(provider._framing._partial) <= MAX_ASSOCIATE_LENGTH


@pytest.mark.parametrize("start", sorted(MAKERS))
def test_every_start_is_in_the_state_it_names(start: str) -> None:
    assert MAKERS[start]().state.name == start.split()[0]
