"""Storage, SCU joined to SCP in memory (PS3.4 Annex B)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset

from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse
from openmodality.errors import StoreError
from openmodality.services.storage import (
    InstanceIdentity,
    MoveOriginator,
    StoreRequest,
    storage_service,
    store,
)
from openmodality.services.storage_plan import Kind, make_proposals
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from tests.loopback import Loopback, loopback_pair

IDENTITY = InstanceIdentity(MR_IMAGE_STORAGE, "1.2.3.4")


@dataclass
class Writer:
    sink: "Sink"
    data: bytearray = field(default_factory=bytearray)

    def write(self, chunk: memoryview) -> None:
        if len(self.data) + len(chunk) > self.sink.room:
            raise StoreError("no space is left")
        self.data += chunk

    def commit(self) -> int | None:
        self.sink.stored.append(bytes(self.data))
        return self.sink.status

    def abort(self) -> None:
        self.sink.aborted += 1


@dataclass
class Sink:
    room: int = 1 << 30
    status: int | None = None
    refusal: Refuse | None = None
    stored: list[bytes] = field(default_factory=list)
    requests: list[StoreRequest] = field(default_factory=list)
    aborted: int = 0

    def open(self, request: StoreRequest) -> Writer:
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        return Writer(self)


def channel_to(sink: Sink, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Loopback:
    context = PresentationContext(1, MR_IMAGE_STORAGE, transfer_syntax)
    return loopback_pair([context], [storage_service(sink, {MR_IMAGE_STORAGE})])[0]


def instance(transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN, **changes: str) -> bytes:
    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.SOPClassUID = changes.get("sop_class", MR_IMAGE_STORAGE)
    data_set.SOPInstanceUID = changes.get("sop_instance", "1.2.3.4")
    data_set.PatientName = "A^B"
    data_set.add_new("PixelData", "OW", bytes(50_000))
    return encode_data_set(data_set, transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_instance_arrives_as_it_was_sent(transfer_syntax: str) -> None:
    sink = Sink()
    channel = channel_to(sink, transfer_syntax)
    data = instance(transfer_syntax)
    result = store(channel, channel.contexts[0], IDENTITY, data)
    assert (result.status, result.verdict.meaning, result.comment) == (0, "success", "")
    assert sink.stored == [data]
    assert sink.requests[0].identity == IDENTITY
    assert sink.requests[0].transfer_syntax == transfer_syntax


def test_move_originator_is_handed_on() -> None:
    sink = Sink()
    channel = channel_to(sink)
    store(channel, channel.contexts[0], IDENTITY, instance(), originator=MoveOriginator("ARCHIVE", 12))
    assert sink.requests[0].originator == MoveOriginator("ARCHIVE", 12)


@pytest.mark.parametrize("changed", ["sop_class", "sop_instance"])
def test_data_set_of_another_instance_is_not_stored(changed: str) -> None:
    sink = Sink()
    channel = channel_to(sink)
    result = store(channel, channel.contexts[0], IDENTITY, instance(**{changed: "1.2.9"}))
    assert (result.status, result.verdict.meaning) == (0xA900, "error: data set does not match SOP class")
    assert result.comment.endswith("of data set and command differ")
    assert result.offending in ((0x00080016,), (0x00080018,))
    assert (sink.stored, sink.aborted) == ([], 1)


def test_an_instance_is_compared_with_its_command_however_many_before_it_were_alike() -> None:
    sink = Sink()
    channel = channel_to(sink)
    context, uids = channel.contexts[0], ["1.2.3.4", "1.2.3.5", "1.2.3.45", "1.2.3.6"]
    for uid in uids:
        identity = IDENTITY._replace(sop_instance_uid=uid)
        for found, status in ((uid, 0), ("1.2.3.7", 0xA900), (f"{uid}7", 0xA900)):
            assert store(channel, context, identity, instance(sop_instance=found)).status == status
    assert sink.stored == [instance(sop_instance=uid) for uid in uids]


def test_full_disk_is_out_of_resources_and_leaves_nothing() -> None:
    sink = Sink(room=20_000)
    channel = channel_to(sink)
    result = store(channel, channel.contexts[0], IDENTITY, instance())
    assert (result.status, result.verdict.meaning, result.comment) == (
        0xA700,
        "refused: out of resources",
        "no space is left",
    )
    assert (sink.stored, sink.aborted) == ([], 1)
    sink.room = 1 << 30
    assert store(channel, channel.contexts[0], IDENTITY, instance()).status == 0


def test_sink_can_refuse_and_can_warn() -> None:
    sink = Sink(refusal=Refuse(0xA701, "not now"))
    channel = channel_to(sink)
    assert store(channel, channel.contexts[0], IDENTITY, instance()).comment == "not now"
    sink.refusal, sink.status = None, 0xB000
    assert store(channel, channel.contexts[0], IDENTITY, instance()).verdict.meaning == "stored, attributes coerced"


@pytest.mark.parametrize(
    ("command", "data", "status"),
    [
        (Command(CommandField=1, AffectedSOPClassUID=MR_IMAGE_STORAGE, AffectedSOPInstanceUID="1.2"), None, 0xC001),
        (Command(CommandField=1, AffectedSOPClassUID="1.2.9", AffectedSOPInstanceUID="1.2"), b"xx", 0x0122),
        (Command(CommandField=1, AffectedSOPClassUID=MR_IMAGE_STORAGE), b"xx", 0x0117),
        (Command(CommandField=1, AffectedSOPClassUID=MR_IMAGE_STORAGE, AffectedSOPInstanceUID="../x"), b"xx", 0x0117),
    ],
)
def test_request_that_makes_no_sense_is_refused(command: Command, data: bytes | None, status: int) -> None:
    channel = channel_to(Sink())
    answer = send_and_await(channel, 1, command, data).command
    assert (answer.CommandField, answer.Status) == (CommandField.C_STORE_RSP, status)
    assert answer.ErrorComment


def test_noise_instead_of_a_data_set_is_not_stored() -> None:
    sink = Sink()
    channel = channel_to(sink)
    result = store(channel, channel.contexts[0], IDENTITY, b"\xff" * 4000)
    assert not result.verdict.is_done
    assert sink.stored == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda data: data[:-100], "is cut off at byte"),
        (lambda data: data + b"\xff" * 40, "at byte"),
        (lambda data: data + b"\x7f\xe0\x00\x11", "is cut off at byte"),
        (lambda data: data[:-50_001] + b"\1", "is cut off at byte"),
    ],
    ids=["cut off", "noise behind it", "half a header", "cut off in its last header"],
)
def test_data_set_that_does_not_end_cleanly_is_not_kept(changed: Callable[[bytes], bytes], said: str) -> None:
    sink = Sink()
    channel = channel_to(sink)
    result = store(channel, channel.contexts[0], IDENTITY, changed(instance()))
    assert (result.status, result.verdict.meaning) == (0xC001, "error: cannot understand")
    assert said in result.comment
    assert (sink.stored, sink.aborted) == ([], 1)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_nobody_could_read_is_not_answered_with_success(transfer_syntax: str) -> None:
    """A data set in another transfer syntax than that of its presentation context, or with too few pixels."""
    for other in UNCOMPRESSED:
        sink = Sink()
        channel = channel_to(sink, transfer_syntax)
        result = store(channel, channel.contexts[0], IDENTITY, instance(other))
        assert result.verdict.is_done is (other == transfer_syntax)
        assert result.status in (0, 0xC001)
        assert ("is written in" in result.comment) is (other != transfer_syntax)
    pixels = Dataset()
    pixels.SOPClassUID, pixels.SOPInstanceUID = IDENTITY
    pixels.Rows = pixels.Columns = 100
    pixels.BitsAllocated = 16
    pixels.add_new("PixelData", "OW", bytes(19_998))
    sink = Sink()
    channel = channel_to(sink, transfer_syntax)
    result = store(channel, channel.contexts[0], IDENTITY, encode_data_set(pixels, transfer_syntax))
    assert (result.status, sink.stored, sink.aborted) == (0xC001, [], 1)
    assert result.comment.startswith("(7FE0,0010) has 19998 bytes")


JPEG = "1.2.840.10008.1.2.4.70"
LITTLE = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize(
    ("transfer_syntax", "configured", "proposed"),
    [
        (IMPLICIT_VR_LITTLE_ENDIAN, (), [(IMPLICIT_VR_LITTLE_ENDIAN,)]),
        (EXPLICIT_VR_LITTLE_ENDIAN, (), [LITTLE]),
        (EXPLICIT_VR_BIG_ENDIAN, (), [(EXPLICIT_VR_BIG_ENDIAN, *LITTLE)]),
        (JPEG, (), [(JPEG,), LITTLE]),
        (EXPLICIT_VR_LITTLE_ENDIAN, (IMPLICIT_VR_LITTLE_ENDIAN,), [(IMPLICIT_VR_LITTLE_ENDIAN,)]),
        (JPEG, (IMPLICIT_VR_LITTLE_ENDIAN,), [(JPEG,), (IMPLICIT_VR_LITTLE_ENDIAN,)]),
    ],
)
def test_what_is_proposed_for_an_instance(
    transfer_syntax: str, configured: tuple[str, ...], proposed: list[tuple[str, ...]]
) -> None:
    contexts = make_proposals(Kind(MR_IMAGE_STORAGE, transfer_syntax), configured)
    assert [context.transfer_syntaxes for context in contexts] == proposed
    assert {context.abstract_syntax for context in contexts} == {MR_IMAGE_STORAGE}
