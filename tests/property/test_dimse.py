"""Messages survive any way of cutting them, and noise breaks nothing but the protocol (PS3.7 6.3, PS3.8 Annex E)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.dimse.assembler import CommandReceived, MessageAssembler
from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.dimse.outgoing import KnownLength, prepare_message
from openmodality.errors import ProtocolError
from openmodality.upper_layer.primitives import PresentationDataValue

US = st.integers(0, 0xFFFF)
UID = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,9}){0,5}", fullmatch=True)
TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=16)
TAGS = st.lists(st.integers(0, 0xFFFFFFFF), max_size=5).map(tuple)
FIELDS = {
    "AffectedSOPClassUID": UID,
    "RequestedSOPClassUID": UID,
    "MessageID": US,
    "MessageIDBeingRespondedTo": US,
    "MoveDestination": TEXT,
    "Priority": US,
    "Status": US,
    "OffendingElement": TAGS,
    "ErrorComment": TEXT,
    "AffectedSOPInstanceUID": UID,
    "RequestedSOPInstanceUID": UID,
    "EventTypeID": US,
    "AttributeIdentifierList": TAGS,
    "ActionTypeID": US,
    "NumberOfRemainingSuboperations": US,
    "MoveOriginatorApplicationEntityTitle": TEXT,
}
COMMANDS = st.fixed_dictionaries({"CommandField": US, "CommandDataSetType": US}, optional=FIELDS).map(
    lambda fields: Command(**fields)  # type: ignore[arg-type]
)


def parts_of(raw: bytes) -> list[PresentationDataValue]:
    """Presentation data values of P-DATA-TF PDUs, read without any of our own code."""
    parts, offset = [], 0
    while offset < len(raw):
        assert raw[offset] == 4
        pdu_length = int.from_bytes(raw[offset + 2 : offset + 6], "big")
        length = int.from_bytes(raw[offset + 6 : offset + 10], "big")
        assert pdu_length == length + 4
        control = raw[offset + 11]
        value = memoryview(raw)[offset + 12 : offset + 10 + length]
        parts.append(PresentationDataValue(raw[offset + 10], bool(control & 1), bool(control & 2), value))
        offset += 6 + pdu_length
    return parts


def emptied(command: Command) -> Command:
    """What an empty value becomes on the way: no value."""
    return Command(**{k: v for k in command._fields if (v := getattr(command, k)) not in ("", (), None)})


@given(COMMANDS)
def test_command_set_survives(command: Command) -> None:
    assert decode_command(encode_command(command)) == emptied(command)


@given(st.binary(max_size=300))
def test_noise_is_no_command_set_or_one(raw: bytes) -> None:
    try:
        decoded = decode_command(raw)
    except ProtocolError:
        return
    assert isinstance(decoded, Command)


@given(
    st.binary(max_size=4000).map(lambda b: b[: len(b) // 2 * 2]),
    st.integers(8, 600),
    st.lists(st.integers(1, 700), max_size=12),
    st.booleans(),
)
def test_message_survives_any_limit_and_any_chunks(data: bytes, limit: int, cuts: list[int], known: bool) -> None:
    chunks, offset = [], 0
    for cut in cuts:
        size = cut * 2 if known else cut
        chunks.append(data[offset : offset + size])
        offset += size
    chunks.append(data[offset:])
    command = Command(CommandField=1, MessageID=3, CommandDataSetType=1)
    source = KnownLength(chunks, len(data)) if known else chunks
    raw = b"".join(bytes(b) for writes in prepare_message(5, command, source, limit).writes() for b in writes)
    assembler = MessageAssembler()
    events = [event for part in parts_of(raw) if (event := assembler.receive(part)) is not None]
    assert isinstance(events[0], CommandReceived)
    assert decode_command(encode_command(events[0].command)) == command
    received = [event for event in events[1:] if isinstance(event, PresentationDataValue)]
    assert b"".join(event.data for event in received) == data
    assert [event.is_last for event in received] == [False] * (len(received) - 1) + [True]
    assert all(len(part.data) % 2 == 0 and len(part.data) + 6 <= limit for part in parts_of(raw))
    assert not assembler.in_message


@given(st.lists(st.tuples(st.sampled_from([1, 3]), st.booleans(), st.booleans(), st.binary(max_size=40)), max_size=8))
def test_fragments_without_order_are_refused_or_understood(fragments: list[tuple[int, bool, bool, bytes]]) -> None:
    assembler = MessageAssembler()
    for context_id, is_command, is_last, data in fragments:
        try:
            event = assembler.receive(PresentationDataValue(context_id, is_command, is_last, memoryview(data)))
        except ProtocolError:
            return
        assert event is None or isinstance(event, (CommandReceived, PresentationDataValue))


def test_command_set_without_end_is_bounded() -> None:
    assembler = MessageAssembler()
    part = PresentationDataValue(1, True, False, memoryview(bytes(1000)))
    for _ in range(65):
        assembler.receive(part)
    with pytest.raises(ProtocolError, match="longer than 65536"):
        assembler.receive(part)
