"""Peers that send what no DICOM application sends: rejected or aborted, one log line, nothing left, alive after it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.dimse.channel import Message, read_data_set
from openmodality.dimse.command import Command, encode_command
from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.service import Response, Service
from openmodality.encoding.part10 import encode_file_head
from openmodality.errors import ObjectInvalid
from openmodality.services.storage import StoreRequest
from openmodality.standard.dimse import CommandField
from openmodality.store.files.instance_file import StorageFull, Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.items import PresentationContextRQ
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.user_information import RoleSelection, UserInformation
from tests.fault.wire import (
    BY_USER,
    ECHO_COMMAND,
    ECHO_ID,
    IMPLICIT,
    INVALID_PARAMETER,
    MR,
    MR_EXPLICIT_ID,
    MR_ID,
    PATIENT,
    RELEASE,
    RQ,
    SHORT,
    UNEXPECTED_PDU,
    Peer,
    Scene,
    echo_message,
    element,
    image,
    p_data,
    pdv,
    scene,
    store_command,
)

HTTP = b"GET / HTTP/1.1\r\nHost: pacs.example\r\nUser-Agent: browser\r\n\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(194)
TLS_ALERT = bytes.fromhex("15030100020246")
ENDLESS = struct.pack(">BxL", 1, 0xFFFFFFFF)
UID = "1.2.826.0.1.7"


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as listening:
        yield listening


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HTTP, "PDU type 47H does not exist: this looks like HTTP, not DICOM"),
        (TLS_HELLO, "PDU type 16H does not exist: a TLS handshake came"),
        (TLS_ALERT, "PDU type 15H does not exist: a TLS alert came"),
        (ENDLESS, "A-ASSOCIATE-RQ of 4294967295 bytes, at most 1048576 are taken"),
        (p_data(length=0xFFFFFFFF), "P-DATA-TF came in Sta2"),
        (RELEASE, "A-RELEASE-RQ came in Sta2"),
    ],
    ids=[
        "HTTP",
        "TLS hello",
        "TLS alert",
        "4 GB request",
        "4 GB of data before an association",
        "release before an association",
    ],
)
def test_what_is_no_association_request_is_aborted(listening: Scene, data: bytes, said: str) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.send(data, b"x" * 100_000)
        assert peer.receive() == BY_USER
    listening.ended_with(f"association.none {said}")


def test_a_request_that_cannot_be_understood_is_rejected(listening: Scene) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.send(RQ.encode()[:90].replace(struct.pack(">L", len(RQ.encode()) - 6), struct.pack(">L", 84)))
        assert peer.receive() == A_ASSOCIATE_RJ(1, 2, 1)
    listening.ended_with("association.none A-ASSOCIATE-RQ: ")


def test_a_slow_sender_is_served_byte_by_byte(listening: Scene) -> None:
    data_set = image(UID, 200)
    with Peer(listening.acceptor.port) as peer:
        for byte in RQ.encode():
            peer.send(bytes((byte,)))
        peer.receive()
        for byte in p_data(pdv(MR_ID, 3, store_command(UID))) + p_data(pdv(MR_ID, 2, data_set)):
            peer.send(bytes((byte,)))
        assert peer.response().Status == 0
        for byte in RELEASE:
            peer.send(bytes((byte,)))
        assert peer.closed()
    assert listening.stored() == {UID: data_set}
    listening.ended_with()


@pytest.mark.parametrize("sent", [1, 12, 20], ids=["a byte", "headers", "half"])
def test_the_rest_of_a_command_has_the_time_between_packets(tmp_path: Path, sent: int) -> None:
    """Not the time between messages, which may be without end."""
    timeouts = replace(PATIENT, data_s=0.3, idle_s=None)
    with scene(tmp_path, timeouts=timeouts) as listening, Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(echo_message()[:sent])
        assert peer.receive() == BY_USER
        listening.ended_with(
            "association.ended no answer from the peer within 0.3 s while waiting for the next DIMSE message"
        )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (p_data(length=0xFFFFFFFF), "P-DATA-TF of 4294967295 bytes"),
        (ENDLESS, "A-ASSOCIATE-RQ of 4294967295 bytes"),
        (p_data(pdv(ECHO_ID, 3, b"", length=100)), "presentation data value of length 100 in 6 bytes"),
        (p_data(pdv(ECHO_ID, 3, b"", length=0xFFFFFFFF)), "presentation data value of length 4294967295"),
        (p_data(pdv(ECHO_ID, 3, b"", length=0)), "presentation data value of length 0"),
        (p_data(pdv(ECHO_ID, 3, b"", length=1)), "presentation data value of length 1"),
        (p_data(b"\0\0\0"), "P-DATA-TF of 3 bytes has no presentation data value"),
        (p_data(pdv(ECHO_ID, 1, b"ab"), b"\0\0"), "P-DATA-TF ends inside the header"),
        (p_data(pdv(99, 3, ECHO_COMMAND)), "presentation data value for context 99"),
        (struct.pack(">BxL", 5, 5) + bytes(5), "A-RELEASE-RQ of 5 bytes instead of 4"),
    ],
)
def test_a_pdu_that_is_wrong_is_aborted_as_invalid(listening: Scene, data: bytes, said: str) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(data, b"y" * 300_000)  # what follows is never looked at, and does not cost the peer our A-ABORT
        assert peer.receive() == INVALID_PARAMETER
    listening.ended_with(f"association.ended PEER broke the protocol: {said}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (RQ.encode(), "A-ASSOCIATE-RQ came in Sta6"),
        (p_data(pdv(ECHO_ID, 2, b"data")), "a data set fragment arrived that no command set announced"),
        (p_data(pdv(ECHO_ID, 1, b"ab"), pdv(MR_ID, 3, b"cd")), "a command set changed its presentation context"),
        (p_data(pdv(ECHO_ID, 3, b"\0\0\0\0\xff\xff\xff\xff")), "command set: element (0000,0000) is longer"),
        (p_data(pdv(ECHO_ID, 3, b"")), "command set: Command Field (0000,0100) is missing"),
        (p_data(pdv(ECHO_ID, 1, bytes(30_000))) * 4, "a command set is longer than 65536 bytes"),
    ],
    ids=["second request", "data first", "mixed contexts", "overlong element", "empty command", "endless command"],
)
def test_a_message_that_is_wrong_is_aborted_as_unexpected(listening: Scene, data: bytes, said: str) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(data)
        assert peer.receive() == UNEXPECTED_PDU
    listening.ended_with(f"association.ended PEER broke the protocol: {said}")


def test_empty_fragments_and_a_wrong_group_length_do_no_harm(listening: Scene) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        for length in (0, 1, 0xFFFFFFFF):
            command = ECHO_COMMAND[:8] + struct.pack("<L", length) + ECHO_COMMAND[12:]
            peer.send(p_data(pdv(ECHO_ID, 1, b""), pdv(ECHO_ID, 1, command[:7]), pdv(ECHO_ID, 3, command[7:])))
            assert peer.response().Status == 0
        peer.release()
    listening.ended_with()


def test_uids_that_are_none_are_answered_not_echoed_into_a_failure(listening: Scene) -> None:
    command = ECHO_COMMAND.replace(b"1.2.840.10008.1.1", b"1.2.\xff40.10008.1.1")
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(echo_message(command))
        answer = peer.response()
        assert (answer.Status, answer.AffectedSOPClassUID) == (0, "1.2.?40.10008.1.1")
        peer.release()
    listening.ended_with()


class LimitedSink:
    """A sink with room for a thousand bytes; remembers whether everything that was begun has been ended."""

    def __init__(self) -> None:
        self.room = 1000
        self.open_writers = 0

    def open(self, request: StoreRequest) -> LimitedSink:
        self.open_writers += 1
        return self

    def write(self, chunk: memoryview) -> None:
        self.room -= len(chunk)
        if self.room < 0:
            raise StorageFull("cannot write an instance file: no space left")

    def commit(self) -> None:
        self.open_writers -= 1

    def abort(self) -> None:
        self.open_writers -= 1


@pytest.mark.parametrize("ends", [True, False], ids=["ends at last", "never ends"])
def test_endless_data_for_a_full_sink_is_refused(tmp_path: Path, ends: bool) -> None:
    sink = LimitedSink()
    with scene(tmp_path, sink=sink) as listening, Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(MR_ID, 3, store_command(UID))), p_data(pdv(MR_ID, 0, image(UID))))
        for _ in range(400):
            peer.send(p_data(pdv(MR_ID, 0, bytes(16000))))
        assert sink.open_writers == 0
        if not ends:
            peer.socket.close()
            cut = "association.ended PEER closed the connection without releasing the association"
            listening.ended_with("storage.failed", cut)
            return
        peer.send(p_data(pdv(MR_ID, 2, b"")))
        answer = peer.response()
        assert (answer.Status, answer.ErrorComment) == (0xA700, "cannot write an instance file: no space left")
        peer.release()
        peer.socket.close()
        listening.ended_with("storage.failed", "dimse.refused")


LEVELS = 100_000
DEEP_IMPLICIT = b"\x08\0\x06\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * LEVELS
DEEP_EXPLICIT = b"\x08\0\x06\0SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * LEVELS


def deep_with_lengths() -> bytes:
    """As deep, but each sequence and item says how long it is."""
    total = 16 * LEVELS
    levels = (struct.pack("<HHLHHL", 8, 6, left - 8, 0xFFFE, 0xE000, left - 16) for left in range(total, 0, -16))
    return b"".join(levels)


def behind_the_uids(deep: bytes) -> bytes:
    return image(UID)[:-2008] + deep.replace(b"\x08\0\x06\0", b"\x40\0\x30\xa7")


@pytest.mark.parametrize(
    ("context_id", "data"),
    [
        (MR_ID, DEEP_IMPLICIT),
        (MR_EXPLICIT_ID, DEEP_EXPLICIT),
        (MR_ID, behind_the_uids(DEEP_IMPLICIT)),
    ],
    ids=["implicit", "explicit", "behind the UIDs"],
)
def test_100_000_levels_in_an_instance_are_refused(listening: Scene, context_id: int, data: bytes) -> None:
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(context_id, 3, store_command(UID))))
        for start in range(0, len(data), 100_000):
            peer.send(p_data(pdv(context_id, 0, data[start : start + 100_000])))
        peer.send(p_data(pdv(context_id, 2, b"")))
        answer = peer.response()
        assert answer.Status == 0xC001
        assert "nested deeper than 64 sequences" in (answer.ErrorComment or "")
        peer.release()
    assert listening.stored() == {}
    listening.ended_with("dimse.refused")


def test_100_000_levels_with_lengths_are_stepped_over_and_the_uids_are_missed(listening: Scene) -> None:
    """Lengths say where they end, so nobody looks inside; what comes after them has no UIDs."""
    data = deep_with_lengths()
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(MR_ID, 3, store_command(UID))))
        for start in range(0, len(data), 100_000):
            peer.send(p_data(pdv(MR_ID, 0, data[start : start + 100_000])))
        peer.send(p_data(pdv(MR_ID, 2, b"")))
        answer = peer.response()
        assert answer.Status == 0xA900
        assert answer.ErrorComment == "SOP Class UID of data set and command differ"
        peer.release()
    assert listening.stored() == {}
    listening.ended_with("dimse.refused")


def test_100_000_levels_that_nobody_has_to_look_at_are_stored_as_they_are(listening: Scene) -> None:
    """Lengths say where they end."""
    data = behind_the_uids(deep_with_lengths())
    with Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(MR_ID, 3, store_command(UID))))
        for start in range(0, len(data), 100_000):
            peer.send(p_data(pdv(MR_ID, 0, data[start : start + 100_000])))
        peer.send(p_data(pdv(MR_ID, 2, b"")))
        assert peer.response().Status == 0
        peer.release()
    assert listening.stored() == {UID: data}
    listening.ended_with()


def test_100_000_levels_in_an_identifier_are_refused(tmp_path: Path) -> None:
    def find(message: Message) -> Response:
        read_data_set(message)
        return Response(0)

    service = Service("Query", frozenset({MR}), {CommandField.C_FIND_RQ: find})
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=MR, MessageID=1, CommandDataSetType=0)
    with scene(tmp_path, services=[service]) as listening, Peer(listening.acceptor.port) as peer:
        peer.associate()
        peer.send(p_data(pdv(MR_ID, 3, encode_command(command))))
        for start in range(0, len(DEEP_IMPLICIT), 100_000):
            peer.send(p_data(pdv(MR_ID, 0, DEEP_IMPLICIT[start : start + 100_000])))
        peer.send(p_data(pdv(MR_ID, 2, b"")))
        answer = peer.response()
        assert answer.Status == 0xC000
        assert "nested deeper than 64 sequences" in (answer.ErrorComment or "")
        peer.release()
        peer.socket.close()
        listening.ended_with("dimse.refused")


def test_an_identifier_of_very_many_elements_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="more than 250000 elements"):
        decode_data_set(element(0x00100020, b"") * 250_001, IMPLICIT)


def test_no_association_may_take_longer_to_ask_for_than_artim_allows(tmp_path: Path) -> None:
    with scene(tmp_path, timeouts=SHORT) as listening:
        with Peer(listening.acceptor.port) as peer:
            for byte in RQ.encode():  # each comes in time, all together do not
                peer.send(bytes((byte,)))
                if peer.closed_within(0.02):
                    break
            assert peer.closed()
        listening.ended_with("association.ended no answer from * within 0.3 s while waiting for A-ASSOCIATE-RQ")


def test_an_abstract_syntax_that_is_too_long_to_be_answered_is_rejected_by_itself(listening: Scene) -> None:
    long_syntax = "1." * 16_000 + "1"
    request = A_ASSOCIATE_RQ(
        called_ae_title="ACCEPTOR",
        calling_ae_title="PEER",
        presentation_contexts=(*RQ.presentation_contexts, PresentationContextRQ(7, long_syntax, (IMPLICIT,))),
        user_information=UserInformation(role_selections=(RoleSelection(long_syntax, True, True),) * 2),
    )
    with Peer(listening.acceptor.port) as peer:
        peer.send(request.encode())
        answer = peer.receive()
        assert isinstance(answer, A_ASSOCIATE_AC)
        assert [context.result for context in answer.presentation_contexts] == [0, 0, 0, 3]
        peer.release()
    listening.ended_with()


@pytest.mark.filterwarnings("error")
def test_no_value_of_an_identifier_gets_into_a_warning() -> None:
    data_set = decode_data_set(element(0x00080018, b"Doe^Jane") + element(0x00100030, b"no date "), IMPLICIT)
    assert data_set.SOPInstanceUID == "Doe^Jane"


def test_a_damaged_deflated_instance_may_come_twice(tmp_path: Path) -> None:
    deflated = "1.2.840.10008.1.2.1.99"
    files = InstanceFiles(tmp_path, durability="os", fan_out=False)
    for damaged, expected in ((b"\xff\xff", Stored.NEW), (b"\xff\xfe", Stored.DIFFERENT)):
        file = files.create(UID, encode_file_head(MR, UID, deflated, "1.2.3"))
        file.write(damaged)
        assert file.commit() is expected
    files.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{UID}.dcm"]
