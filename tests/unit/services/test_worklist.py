"""Modality worklist, SCU joined to SCP in memory (PS3.4 Annex K)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from pydicom import Dataset, config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag

from openmodality.dimse.channel import FOREVER, Message, PresentationContext, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Handler, Refuse, Response, Service
from openmodality.errors import AssociationAborted, PeerTimeout, StoreError
from openmodality.query.finding import MAX_AFTER_CANCEL
from openmodality.query.identifier import Key, identifier
from openmodality.services.worklist import WorklistFailed, find_defects, query_items, worklist_service
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.loopback import Loopback, LoopbackMessage, loopback_pair

STEP = 0x00400100
STATION, DATE, MODALITY = (STEP, 0x00400001), (STEP, 0x00400002), (STEP, 0x00080060)
PATIENT_ID, PATIENT_NAME, ACCESSION, STUDY = (0x00100020,), (0x00100010,), (0x00080050,), (0x0020000D,)
KEYS = tuple(map(Key, (STATION, DATE, MODALITY, PATIENT_ID, PATIENT_NAME, ACCESSION, STUDY)))


def item(number: int, **changes: Any) -> Dataset:
    result = Dataset()
    result.SpecificCharacterSet = "ISO_IR 100"
    result.PatientName = f"Müller^{number}"
    result.PatientID = str(number)
    result.StudyInstanceUID = f"1.2.{number}"
    result.RequestedProcedureID = f"R{number}"
    result.AccessionNumber = ""
    step = Dataset()
    step.ScheduledStationAETitle = "SCANNER"
    step.ScheduledProcedureStepStartDate = f"202611{number:02}"
    step.ScheduledProcedureStepStartTime = "1030"
    step.ScheduledProcedureStepID = f"S{number}"
    step.Modality = "MR"
    result.ScheduledProcedureStepSequence = [step]
    for keyword, value in changes.items():
        setattr(result, keyword, value)
    return result


@dataclass
class Source:
    items: list[Dataset] = field(default_factory=lambda: [item(number) for number in range(1, 11)])
    error: Exception | None = None
    given: int = 0

    def find(self, identifier: Dataset) -> Iterator[Dataset]:
        if self.error is not None:
            raise self.error
        for each in self.items:
            self.given += 1
            yield each


def channel_to(*services: Service, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Loopback:
    return loopback_pair([PresentationContext(1, MODALITY_WORKLIST_FIND, transfer_syntax)], services)[0]


def scripted(handler: Handler) -> Loopback:
    handlers = {CommandField.C_FIND_RQ: handler}
    return channel_to(Service("script", frozenset({MODALITY_WORKLIST_FIND}), handlers))


def matches_of(
    items: Iterable[Dataset], final: int, status: int = 0xFF00, final_item: Dataset | None = None
) -> Handler:
    def handler(message: Message) -> Iterator[Response]:
        for each in items:
            yield Response(status, encode_data_set(each, message.context.transfer_syntax))
        leftover = None if final_item is None else encode_data_set(final_item, message.context.transfer_syntax)
        yield Response(final, leftover, comment="as scripted")

    return handler


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_whole_worklist_comes(transfer_syntax: str) -> None:
    channel = channel_to(worklist_service(Source()), transfer_syntax=transfer_syntax)
    answer = query_items(channel, identifier(KEYS))
    assert [str(each.PatientName) for each in answer.items] == [f"Müller^{number}" for number in range(1, 11)]
    assert [each.ScheduledProcedureStepSequence[0].Modality for each in answer.items] == ["MR"] * 10
    assert (answer.status, answer.more_available, answer.must_abort, answer.unreadable) == (0, False, False, 0)
    assert "ScheduledProcedureStepID" not in answer.items[0].ScheduledProcedureStepSequence[0]


@pytest.mark.parametrize(
    ("path", "value", "numbers"),
    [
        (PATIENT_ID, "3", [3]),
        (STATION, "SCANNER", list(range(1, 11))),
        (STATION, "OTHER", []),
        (STATION, None, list(range(1, 11))),
        (MODALITY, "CT", []),
        (DATE, "20261103-20261105", [3, 4, 5]),
        (DATE, "20261109-", [9, 10]),
        (ACCESSION, "A1", []),
        (STUDY, "1.2.7", [7]),
        (PATIENT_NAME, "MÜLLER^1*", [1, 10]),
    ],
)
def test_a_key_chooses_the_items_that_match(path: tuple[int, ...], value: str | None, numbers: list[int]) -> None:
    answer = query_items(channel_to(worklist_service(Source())), identifier(KEYS, {path: value}))
    assert [int(each.PatientID) for each in answer.items] == numbers


def test_item_without_support_for_all_keys_is_an_item_too() -> None:
    channel = channel_to(worklist_service(Source(), supported={PATIENT_ID, MODALITY}))
    answer = query_items(channel, identifier(KEYS, {PATIENT_ID: "3", ACCESSION: "not looked at"}))
    assert [each.PatientID for each in answer.items] == ["3"]
    assert answer.optional_keys_unsupported
    assert "AccessionNumber" not in answer.items[0]


def test_too_many_items_are_cancelled_and_what_came_is_kept() -> None:
    source = Source()
    channel = channel_to(worklist_service(source))
    answer = query_items(channel, identifier(KEYS), limit=4)
    assert [each.PatientID for each in answer.items] == ["1", "2", "3", "4"]
    assert (answer.status, answer.more_available, answer.must_abort) == (0xFE00, True, False)
    assert [command.name for command in channel.sent] == ["C-FIND-RQ", "C-CANCEL-RQ"]
    assert source.given < 10


def test_as_many_items_as_the_limit_are_all_there_are() -> None:
    channel = channel_to(worklist_service(Source()))
    answer = query_items(channel, identifier(KEYS), limit=10)
    assert (len(answer.items), answer.status, answer.more_available) == (10, 0, False)
    assert [command.name for command in channel.sent] == ["C-FIND-RQ"]


def test_peer_that_ignores_cancel_is_given_up_and_what_came_is_kept() -> None:
    channel, other = loopback_pair([PresentationContext(1, MODALITY_WORKLIST_FIND, EXPLICIT_VR_LITTLE_ENDIAN)], [])
    raw = encode_data_set(item(1), EXPLICIT_VR_LITTLE_ENDIAN)
    pending = Command(
        CommandField=CommandField.C_FIND_RSP, MessageIDBeingRespondedTo=1, Status=0xFF00, CommandDataSetType=1
    )
    for _ in range(MAX_AFTER_CANCEL + 10):
        other.send(1, pending, raw)
    answer = query_items(channel, identifier(KEYS), limit=3)
    assert (len(answer.items), answer.must_abort, answer.more_available) == (3, True, True)
    assert [command.name for command in channel.sent] == ["C-FIND-RQ", "C-CANCEL-RQ"]


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC000, 0xC001, 0xCFFF, 0x0110, 0x0122, 0xB000, 0x1234])
def test_any_other_status_leaves_the_worklist_empty(status: int) -> None:
    with pytest.raises(WorklistFailed, match=f"{status:04X}") as caught:
        query_items(scripted(matches_of([item(1)], status)), identifier(KEYS))
    assert caught.value.status == status
    assert caught.value.advice


@pytest.mark.parametrize("left", [[2.0, 1.5, 0.5, 0.0, 0.0], [2.0, 1.5, 1.4, -0.1, -0.2]])
def test_matches_that_come_in_time_do_not_put_the_final_response_off(left: list[float]) -> None:
    source = Source()
    with pytest.raises(PeerTimeout, match=r"no final response to C-FIND-RQ from .* within 2 s"):
        query_items(channel_to(worklist_service(source)), identifier(KEYS), left_s=iter(left).__next__)
    assert source.given >= 2


def test_a_query_may_last_for_ever() -> None:
    answer = query_items(channel_to(worklist_service(Source())), identifier(KEYS), left_s=lambda: FOREVER)
    assert len(answer.items) == 10
    with pytest.raises(PeerTimeout, match="no final response"):
        query_items(scripted(lambda message: ()), identifier(KEYS), left_s=iter([1.0, 1.0, 0.0]).__next__)


def test_another_time_out_within_a_query_keeps_its_words() -> None:
    """Such as that between packets, in the middle of a message."""
    with pytest.raises(PeerTimeout, match="nothing was answered"):
        query_items(scripted(lambda message: ()), identifier(KEYS), left_s=lambda: FOREVER)


def test_requests_of_the_peer_do_not_put_the_final_response_off(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = scripted(lambda message: ())
    echo = Command(CommandField=CommandField.C_ECHO_RQ, MessageID=1)
    monkeypatch.setattr(channel, "receive", lambda _: LoopbackMessage(channel.contexts[0], echo, channel.peer, channel))
    monkeypatch.setattr(channel, "answer", lambda _: None)
    left = iter([3.0, 3.0, 2.0, 1.0, 0.0, 0.0])
    with pytest.raises(PeerTimeout, match="within 3 s"):
        query_items(channel, identifier(KEYS), left_s=left.__next__)
    assert next(left, None) is None


def test_silence_and_abort_leave_the_worklist_empty() -> None:
    with pytest.raises(PeerTimeout):
        query_items(scripted(lambda message: ()), identifier(KEYS))
    channel = scripted(lambda message: ())
    channel.close()
    with pytest.raises(AssociationAborted):
        query_items(channel, identifier(KEYS))


def test_identifier_in_the_final_response_is_no_item() -> None:
    answer = query_items(scripted(matches_of([item(1)], 0, final_item=item(2))), identifier(KEYS))
    assert [each.PatientID for each in answer.items] == ["1"]


def test_item_that_cannot_be_read_is_counted_and_the_others_stay() -> None:
    def handler(message: Message) -> Iterator[Response]:
        yield Response(0xFF00, b"\xff" * 40)
        yield Response(0xFF00, encode_data_set(item(2), message.context.transfer_syntax))
        yield Response(0)

    answer = query_items(scripted(handler), identifier(KEYS))
    assert ([each.PatientID for each in answer.items], answer.unreadable) == (["2"], 1)


def test_attributes_that_were_not_asked_for_do_no_harm() -> None:
    strange = item(1, PixelSpacing=[1, 1])
    strange.add_new(0x00091001, "UN", b"private ")
    answer = query_items(scripted(matches_of([strange], 0)), identifier(KEYS))
    assert words_of(answer.items[0]) == ()


@pytest.mark.parametrize(
    ("error", "status", "comment"),
    [(StoreError("database is gone"), 0xA700, "database is gone"), (Refuse(0xA700, "closed"), 0xA700, "closed")],
)
def test_source_that_cannot_answer_is_out_of_resources(error: Exception, status: int, comment: str) -> None:
    with pytest.raises(WorklistFailed) as caught:
        query_items(channel_to(worklist_service(Source(error=error))), identifier(KEYS))
    assert (caught.value.status, caught.value.comment) == (status, comment)


@pytest.mark.parametrize("patient_id", [None, "3"])
def test_an_identifier_without_a_step_asks_for_any_step(patient_id: str | None) -> None:
    keys = identifier([Key(PATIENT_ID)], {PATIENT_ID: patient_id})
    answer = query_items(channel_to(worklist_service(Source())), keys)
    assert [each.PatientID for each in answer.items] == ([patient_id] if patient_id else [str(n) for n in range(1, 11)])


def test_identifier_that_is_no_worklist_query_is_refused() -> None:
    channel = channel_to(worklist_service(Source()))
    two_steps = identifier(KEYS)
    two_steps.ScheduledProcedureStepSequence.append(Dataset())
    with pytest.raises(WorklistFailed, match=r"ScheduledProcedureStepSequence has several items") as caught:
        query_items(channel, two_steps)
    assert caught.value.status == 0xA900
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=MODALITY_WORKLIST_FIND)
    assert send_and_await(channel, 1, command, b"\xff" * 20).command.Status == 0xC001


KEPT = ", kept as it is, since another would name something else"


def words_of(item: Dataset) -> tuple[str, ...]:
    return tuple(map(str, find_defects(item)))


def without(tag: str) -> Callable[[Dataset], None]:
    return lambda each: delattr(each, tag)


def with_value(tag: int, vr: str, value: object) -> Callable[[Dataset], None]:
    return lambda each: each.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))


def with_read_value(tag: int, vr: str, value: object) -> Callable[[Dataset], None]:
    """As pydicom reads it: a number that is none is text."""
    return lambda each: each.add(DataElement(tag, vr, value, already_converted=True))


def with_raw_value(tag: int, vr: str, value: bytes) -> Callable[[Dataset], None]:
    """An element that is not decoded yet, right or wrong."""
    return lambda each: each.update({Tag(tag): RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)})


def code_item(**values: str) -> Dataset:
    result = Dataset()
    result.update({Tag(keyword): DataElement(Tag(keyword), "LO", value) for keyword, value in values.items()})
    return result


def steps(*found: Dataset) -> Callable[[Dataset], None]:
    return lambda each: setattr(each, "ScheduledProcedureStepSequence", list(found))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda each: None, ()),
        (without("StudyInstanceUID"), ("(0020,000D) StudyInstanceUID: missing",)),
        (without("ScheduledProcedureStepSequence"), ("(0040,0100) ScheduledProcedureStepSequence: missing",)),
        (steps(), ("(0040,0100) ScheduledProcedureStepSequence: no item",)),
        (with_value(0x0020000D, "UI", "1." + "2" * 62), ()),
        (
            with_value(0x0020000D, "UI", "1." + "2" * 63),
            ("(0020,000D) StudyInstanceUID: longer than 64 characters", "(0020,000D) StudyInstanceUID: no valid UID"),
        ),
        (with_value(0x0020000D, "UI", "1.02.3"), ("(0020,000D) StudyInstanceUID: no valid UID",)),
        (
            with_value(0x00080050, "SH", "A" * 17),
            (f"(0008,0050) AccessionNumber: longer than 16 characters{KEPT}",),
        ),
        (with_value(0x00990050, "SH", "A\\B"), ()),
        (with_value(0x00080050, "SH", "A\\B"), ("(0008,0050) AccessionNumber: 2 values where one is allowed",)),
        (
            with_value(0x00100010, "PN", "D" * 65),
            ("(0010,0010) PatientName: longer than 64 characters, mended in images and performed step",),
        ),
        (
            with_value(0x00101030, "DS", "70.1234567890123456"),
            ("(0010,1030) PatientWeight: longer than 16 characters, mended in images and performed step",),
        ),
        (
            without("SpecificCharacterSet"),
            ("(0010,0010) PatientName: characters that no Specific Character Set declares",),
        ),
        *(
            (with_read_value(tag, vr, value), (f"{words}, left out of images and performed step",))
            for tag, vr, value, words in (
                (0x00100030, "DA", "19810229", "(0010,0030) PatientBirthDate: no date of the calendar"),
                (0x00100030, "DA", "00000000", "(0010,0030) PatientBirthDate: no date of the calendar"),
                (0x00100040, "CS", "Female", "(0010,0040) PatientSex: not M, F or O"),
                (0x00101030, "DS", "1,234", "(0010,1030) PatientWeight: a comma that may part thousands"),
            )
        ),
        (
            with_read_value(0x00101030, "DS", "72,5"),
            ("(0010,1030) PatientWeight: a comma for a point, mended in images and performed step",),
        ),
        (
            with_value(0x00321064, "SQ", [code_item(CodeValue="MRHEAD")]),
            (
                "(0032,1064) RequestedProcedureCodeSequence: a code without (0008,0102) CodingSchemeDesignator and "
                "(0008,0104) CodeMeaning, left out of images and performed step",
            ),
        ),
        (
            with_value(0x00080005, "CS", "utf-7"),
            ("(0008,0005) SpecificCharacterSet: not one of DICOM's; text beyond ASCII is shown as U+FFFD",),
        ),
        (
            with_value(0x00100010, "PN", "A\ufffd"),
            ("(0010,0010) PatientName: characters that cannot be read, shown as U+FFFD",),
        ),
        (with_value(0x00100010, "PN", "^^"), ("(0010,0010) PatientName: missing",)),
        (with_value(0x00400100, "LO", "no sequence"), ("(0040,0100) ScheduledProcedureStepSequence: no item",)),
        (
            with_raw_value(0x001021C0, "US", b"\x04"),
            ("(0010,21C0) PregnancyStatus: cannot be read, left out of images and performed step",),
        ),
        (
            with_raw_value(0x00401001, "SS", b"\x04"),
            ("(0040,1001) RequestedProcedureID: cannot be read, left out of images and performed step",),
        ),
    ],
)
def test_defects_are_named_by_tag(spoil: Callable[[Dataset], None], expected: tuple[str, ...]) -> None:
    spoiled = item(1)
    spoil(spoiled)
    assert words_of(spoiled) == expected


def test_what_no_patient_is_is_named_and_taken() -> None:
    spoiled = item(1)
    spoiled.PatientBirthDate, spoiled.PatientWeight, spoiled.PatientSize = "20261201", "7000", "1.70"
    assert tuple(map(str, find_defects(spoiled, date(2026, 11, 30)))) == (
        "(0010,0030) PatientBirthDate: a day after today, which is 2026-11-30, taken as it is",
        "(0010,1030) PatientWeight: more than 1000 kg, taken as it is",
    )
    assert not find_defects(spoiled, date(2026, 12, 1))[1:]


def test_a_name_in_three_groups_is_as_long_as_its_longest_group() -> None:
    named = item(1, PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう", SpecificCharacterSet="ISO_IR 192")
    raw = encode_data_set(named, EXPLICIT_VR_LITTLE_ENDIAN)
    assert words_of(decode_data_set(raw, EXPLICIT_VR_LITTLE_ENDIAN)) == ()


def test_several_steps_in_one_item_are_a_defect() -> None:
    step = item(1).ScheduledProcedureStepSequence[0]
    spoiled = item(1, ScheduledProcedureStepSequence=[step, item(2).ScheduledProcedureStepSequence[0]])
    assert words_of(spoiled) == ("(0040,0100) ScheduledProcedureStepSequence: 2 items where one is allowed",)
    del step.ScheduledStationAETitle
    assert "(0040,0001) ScheduledStationAETitle: missing" in words_of(spoiled)


def test_every_step_of_an_item_is_looked_at() -> None:
    first, second = (item(number).ScheduledProcedureStepSequence[0] for number in (1, 2))
    second.ScheduledProcedureStepID = ""
    assert "(0040,0009) ScheduledProcedureStepID: missing" in words_of(
        item(1, ScheduledProcedureStepSequence=[first, second])
    )


def test_a_defect_says_no_value() -> None:
    spoiled = item(1, PatientID="SECRET" * 20, StudyInstanceUID="SECRET")
    assert [defect.tag for defect in find_defects(spoiled)] == [0x00100020, 0x0020000D]
    assert "SECRET" not in " ".join(words_of(spoiled))


def test_defects_survive_the_way_over_the_wire() -> None:
    def handler(message: Message) -> Iterator[Response]:
        asked = read_data_set(message)
        assert "PatientID" in asked
        spoiled = item(1)
        with_value(0x00100020, "LO", "9" * 70)(spoiled)
        with_value(0x0020000D, "UI", "not.a.uid")(spoiled)
        with_value(0x00100030, "DA", "yesterday")(spoiled)
        yield Response(0xFF00, encode_data_set(spoiled, message.context.transfer_syntax))
        yield Response(0)

    answer = query_items(scripted(handler), identifier(KEYS))
    assert words_of(answer.items[0]) == (
        f"(0010,0020) PatientID: longer than 64 characters{KEPT}",
        "(0010,0030) PatientBirthDate: no date of the calendar, left out of images and performed step",
        "(0020,000D) StudyInstanceUID: no valid UID",
    )
