"""Data sets as they go out: their length is what was announced (PS3.7 6.3.1, PS3.8 E.2)."""

from itertools import chain

import pytest

from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import KnownLength, prepare_alike, prepare_message
from openmodality.errors import ObjectInvalid
from openmodality.standard.dimse import DATA_SET_PRESENT, CommandField

STORE = Command(CommandField=CommandField.C_STORE_RQ, MessageID=1, CommandDataSetType=DATA_SET_PRESENT)


def sent(chunks: list[bytes], length_bytes: int) -> tuple[list[bytes], str]:
    """The PDUs of a data set that go out, and what is raised behind them."""
    pdus: list[bytes] = []
    try:
        message = prepare_message(1, STORE, KnownLength(chunks, length_bytes), 16384)
        for buffers in chain((message.first,), message.rest):
            pdus.append(b"".join(bytes(buffer) for buffer in buffers))
    except ObjectInvalid as error:
        return pdus, str(error)
    return pdus, ""


@pytest.mark.parametrize(
    ("chunks", "length_bytes", "before"),
    [
        ([b"abcd", b"ef"], 4, [b"abcd"]),
        ([b"ab", b"cdef"], 4, [b"ab"]),
        ([b"abcdef"], 4, []),
        ([b"ab"], 0, []),
    ],
)
def test_nothing_beyond_the_announced_length_goes_out(
    chunks: list[bytes], length_bytes: int, before: list[bytes]
) -> None:
    pdus, error = sent(chunks, length_bytes)
    assert [pdu[12:] for pdu in pdus] == before
    assert error == f"the data set has more than {length_bytes} bytes where {length_bytes} were announced"


def test_data_set_that_ends_too_early_has_no_last_fragment() -> None:
    pdus, error = sent([b"ab"], 4)
    assert [(pdu[11], pdu[12:]) for pdu in pdus] == [(0, b"ab")]
    assert error == "the data set has 2 bytes where 4 were announced"


@pytest.mark.parametrize("chunks", [[], [b""]])
def test_empty_data_set_is_one_empty_last_fragment(chunks: list[bytes]) -> None:
    assert sent(chunks, 0) == ([bytes.fromhex("04000000000600000002") + b"\x01\x02"], "")


@pytest.mark.parametrize("max_pdu_length", [0, 64, 16384])
def test_messages_that_are_alike_are_what_they_are_one_by_one(max_pdu_length: int) -> None:
    data_sets = [b"", b"ab", b"c" * 300]
    together = prepare_alike(3, STORE, data_sets, max_pdu_length)
    one_by_one = [prepare_message(3, STORE, data, max_pdu_length) for data in data_sets]
    expected = b"".join(bytes(b) for each in one_by_one for buffers in each.writes() for b in buffers)
    assert [bytes(b) for buffers in together.writes() for b in buffers] == [expected]


def test_none_of_messages_that_are_alike_goes_out_where_one_is_damaged() -> None:
    with pytest.raises(ObjectInvalid, match="odd length"):
        prepare_alike(3, STORE, [b"ab", b"abc"], 0)
