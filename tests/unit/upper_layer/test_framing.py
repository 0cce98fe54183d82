"""Bytes become PDUs and slices of values, and what is no PDU is a violation (PS3.8 9.3.1, 9.3.5)."""

from __future__ import annotations

import pytest

from openmodality.errors import UsageError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.framing import MAX_ASSOCIATE_LENGTH, Framing, ReceivedPDU, Violation
from openmodality.upper_layer.primitives import PresentationDataValue

LIMIT = 4096
RELEASE = b"\5\0\0\0\0\4\0\0\0\0"


def pdv(data: bytes, *, control: int = 2, context_id: int = 1) -> bytes:
    return (len(data) + 2).to_bytes(4, "big") + bytes((context_id, control)) + data


def p_data(*values: bytes) -> bytes:
    body = b"".join(values)
    return b"\4\0" + len(body).to_bytes(4, "big") + body


@pytest.fixture
def framing() -> Framing:
    made = Framing(LIMIT)
    made.accepted_contexts = frozenset({1, 3})
    made.expects_data = True
    return made


def read(framing: Framing, *buffers: bytes | bytearray) -> list[object]:
    """All that comes of the buffers; values with their bytes copied, as a slice lives until the next buffer only."""
    found: list[object] = []
    for buffer in buffers:
        framing.feed(buffer)
        while (one := framing.next()) is not None:
            found.append(
                (one.context_id, one.is_last, bytes(one.data)) if isinstance(one, PresentationDataValue) else one
            )
    return found


def test_a_value_is_a_slice_of_the_buffer(framing: Framing) -> None:
    buffer = p_data(pdv(b"pixels"))
    framing.feed(buffer)
    value = framing.next()
    assert isinstance(value, PresentationDataValue)
    assert value.data.obj is buffer
    assert (bytes(value.data), value.is_last, value.is_command) == (b"pixels", True, False)
    assert framing.next() is None
    assert framing.is_between_pdus


@pytest.mark.parametrize("cut", range(1, 30))
def test_what_has_arrived_of_a_value_is_handed_on(framing: Framing, cut: int) -> None:
    data = p_data(pdv(b"abcdefgh", control=0)) + RELEASE
    found = read(framing, data[:cut], data[cut:])
    assert b"".join(one[2] for one in found if isinstance(one, tuple)) == b"abcdefgh"
    assert found[-1] == ReceivedPDU(facts.PDU_A_RELEASE_RQ, bytes(4))


def test_short_values_that_lie_behind_one_another_are_moved_together(framing: Framing) -> None:
    short = p_data(pdv(b"ab", control=0)) + p_data(pdv(b"cd", control=0)) + p_data(pdv(b"ef"))
    assert read(framing, bytearray(short)) == [(1, True, b"abcdef")]
    assert read(framing, short) == [(1, False, b"ab"), (1, False, b"cd"), (1, True, b"ef")], "it may not be written"


def test_values_of_two_contexts_stay_apart(framing: Framing) -> None:
    both = p_data(pdv(b"ab", control=0)) + p_data(pdv(b"cd", context_id=3))
    assert read(framing, bytearray(both)) == [(1, False, b"ab"), (3, True, b"cd")]


def test_data_that_are_not_expected_are_reported_once_and_skipped(framing: Framing) -> None:
    framing.expects_data = False
    data = p_data(pdv(bytes(100))) + RELEASE
    unexpected, release = ReceivedPDU(facts.PDU_P_DATA_TF, b""), ReceivedPDU(facts.PDU_A_RELEASE_RQ, bytes(4))
    assert read(framing, data[:40], data[40:]) == [unexpected, release]


def test_the_rest_of_a_value_is_skipped_when_data_are_no_longer_expected(framing: Framing) -> None:
    data = p_data(pdv(bytes(100))) + RELEASE
    assert read(framing, data[:40]) == [(1, False, bytes(28))]
    framing.expects_data = False
    assert read(framing, data[40:]) == [ReceivedPDU(facts.PDU_A_RELEASE_RQ, bytes(4))]


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (b"\x09\0\0\0\0\0", facts.ABORT_UNRECOGNIZED_PDU, "PDU type 09H does not exist"),
        (b"\5\0\0\0\0\5", facts.ABORT_INVALID_PDU_PARAMETER_VALUE, "of 5 bytes instead of 4"),
        (b"\1\0" + (MAX_ASSOCIATE_LENGTH + 1).to_bytes(4, "big"), None, f"at most {MAX_ASSOCIATE_LENGTH} are taken"),
        (b"\4\0\0\x20\0\0", None, "at most 1048576 are taken"),
        (b"\4\0\0\0\0\5", None, "has no presentation data value"),
        (p_data(pdv(b"ab", context_id=5)), None, "for context 5, which was not accepted"),
        (p_data(b"\0\0\0\1\1\2"), None, "presentation data value of length 1"),
        (p_data(b"\0\0\1\0\1\2ab"), None, "presentation data value of length 256"),
        (p_data(pdv(b"ab"), b"\0\0\0"), None, "ends inside the header"),
    ],
)
def test_after_a_violation_nothing_more_is_read(framing: Framing, data: bytes, reason: int | None, said: str) -> None:
    found = read(framing, data + RELEASE)
    violation = found[-1]
    assert isinstance(violation, Violation)
    assert violation.reason == (reason or facts.ABORT_INVALID_PDU_PARAMETER_VALUE)
    assert said in violation.text
    assert read(framing, RELEASE) == []


def test_a_buffer_is_read_to_its_end_before_the_next(framing: Framing) -> None:
    framing.feed(p_data(pdv(b"ab")))
    assert framing.has_unread
    with pytest.raises(UsageError, match="before next_event had returned None"):
        framing.feed(RELEASE)


@pytest.mark.parametrize(
    ("arrived", "missing"),
    [
        (p_data(pdv(bytes(100)))[:12], 100),
        (p_data(pdv(bytes(100)))[:50], 62),
        (p_data(pdv(bytes(100))), 0),
        (p_data(pdv(bytes(100)))[:11], 0),
        (RELEASE, 0),
        (p_data(pdv(bytes(100), context_id=7))[:50], 0),
    ],
)
def test_what_a_value_lacks_is_known_from_its_headers(framing: Framing, arrived: bytes, missing: int) -> None:
    assert framing.missing(memoryview(arrived)) == missing
