"""Fragments become messages, and what breaks PS3.7 6.3.1 or PS3.8 Annex E is refused."""

from __future__ import annotations

import pytest

from openmodality.dimse.assembler import MAX_COMMAND_LENGTH, CommandReceived, MessageAssembler
from openmodality.dimse.command import Command, encode_command
from openmodality.errors import ProtocolError
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.primitives import PresentationDataValue

ECHO = Command(CommandField=CommandField.C_ECHO_RQ, MessageID=1, AffectedSOPClassUID="1.2.840.10008.1.1")
STORE = Command(CommandField=CommandField.C_STORE_RQ, MessageID=2, CommandDataSetType=1)


def command(data: bytes, *, context_id: int = 1, last: bool = True) -> PresentationDataValue:
    return PresentationDataValue(context_id, True, last, memoryview(data))


def data(*, context_id: int = 1, last: bool = True) -> PresentationDataValue:
    return PresentationDataValue(context_id, False, last, memoryview(b"ab"))


def test_a_command_in_one_piece() -> None:
    assembler = MessageAssembler()
    assert assembler.receive(command(encode_command(ECHO), context_id=3)) == CommandReceived(3, ECHO)
    assert not assembler.in_message


def test_commands_that_are_alike_and_those_that_are_not() -> None:
    other, assembler = ECHO._replace(MessageID=2), MessageAssembler()
    for each in (ECHO, ECHO, other, ECHO):
        assert assembler.receive(command(encode_command(each))) == CommandReceived(1, each)


@pytest.mark.parametrize("cut", [0, 1, 20, 57])
def test_a_command_in_pieces_comes_when_it_is_whole(cut: int) -> None:
    raw, assembler = encode_command(ECHO), MessageAssembler()
    assert assembler.receive(command(raw[:cut], last=False)) is None
    assert assembler.in_message
    assert assembler.receive(command(raw[cut:])) == CommandReceived(1, ECHO)
    assert not assembler.in_message


def test_fragments_of_a_data_set_pass_until_its_end() -> None:
    assembler = MessageAssembler()
    assert assembler.receive(command(encode_command(STORE))) == CommandReceived(1, STORE)
    for fragment in (data(last=False), data()):
        assert assembler.in_message
        assert assembler.receive(fragment) is fragment
    assert not assembler.in_message
    with pytest.raises(ProtocolError, match="that no command set announced"):
        assembler.receive(data())


@pytest.mark.parametrize(
    ("fragments", "said"),
    [
        ([data()], "that no command set announced"),
        ([command(encode_command(ECHO)), data()], "that no command set announced"),
        ([command(encode_command(STORE)), data(context_id=3)], "that no command set announced"),
        ([command(encode_command(STORE)), command(encode_command(ECHO))], "in the middle of a data set"),
        (
            [command(encode_command(STORE)), data(last=False), command(encode_command(ECHO))],
            "in the middle of a data set",
        ),
        ([command(b"ab", last=False), command(b"cd", context_id=3)], "changed its presentation context"),
        ([command(bytes(MAX_COMMAND_LENGTH + 1))], f"longer than {MAX_COMMAND_LENGTH} bytes"),
        ([command(bytes(MAX_COMMAND_LENGTH), last=False), command(b"a")], f"longer than {MAX_COMMAND_LENGTH} bytes"),
        ([command(encode_command(ECHO._replace(MessageID=None)))], "has no Message ID"),
    ],
)
def test_what_has_no_place_breaks_the_protocol(fragments: list[PresentationDataValue], said: str) -> None:
    assembler = MessageAssembler()
    for fragment in fragments[:-1]:
        assembler.receive(fragment)
    with pytest.raises(ProtocolError, match=said):
        assembler.receive(fragments[-1])


def test_a_cancel_names_the_message_that_it_ends_and_has_no_number_of_its_own() -> None:
    cancel = Command(CommandField=CommandField.C_CANCEL_RQ, MessageIDBeingRespondedTo=7)
    assert MessageAssembler().receive(command(encode_command(cancel))) == CommandReceived(1, cancel)
