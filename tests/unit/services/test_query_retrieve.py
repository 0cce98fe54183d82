"""Query/Retrieve, SCU joined to SCP in memory (PS3.4 Annex C)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset

from openmodality.dimse.channel import Message, PresentationContext, context_for
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.errors import OpenModalityError, StoreError, TransportError
from openmodality.query.matching import Supported
from openmodality.query.moving import MAX_FAILED_UIDS, Counts, MoveResult, SubOperation, move
from openmodality.services.query_retrieve import (
    FindRequest,
    MoveRequest,
    QueryFailed,
    move_service,
    query_archive,
    query_service,
)
from openmodality.standard.dimse import CommandField
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, STUDY_ROOT_FIND, STUDY_ROOT_MOVE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.loopback import Loopback, loopback_pair

FINDS, MOVES = [PATIENT_ROOT_FIND, STUDY_ROOT_FIND], [PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE]
SYNTAXES = [*FINDS, *MOVES]
DONE, WARNING, FAILED = SubOperation.COMPLETED, SubOperation.WARNING, SubOperation.FAILED


def data_set(**values: object) -> Dataset:
    result = Dataset()
    for keyword, value in values.items():
        setattr(result, keyword, value)
    return result


def entity(number: int) -> Dataset:
    return data_set(
        PatientID=f"P{number % 2}",
        PatientName=f"Doe^{number}",
        StudyInstanceUID=f"1.{number}",
        StudyDate=f"202611{number:02}",
        SeriesInstanceUID=f"1.{number}.1",
        SOPInstanceUID=f"1.{number}.1.1",
    )


@dataclass
class Archive:
    error: Exception | None = None
    levels: list[str] = field(default_factory=list)
    supported: Supported = None

    def list_supported(self, level: Level, identifier: Dataset) -> Supported:
        return self.supported

    def find(self, request: FindRequest) -> Iterator[Dataset]:
        self.levels.append(request.level)
        if self.error is not None:
            raise self.error
        yield from map(entity, range(1, 7))


@dataclass
class Sending:
    """Sub-operations as they are scripted; an error ends them."""

    script: Sequence[SubOperation]
    error: OpenModalityError | None = None
    announced: int | None = None
    is_closed: bool = False
    reason: str = ""

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        count = len(self.script) if self.announced is None else self.announced
        return [f"1.2.{number}" for number in range(count)]

    def perform(self) -> Iterator[tuple[str, SubOperation]]:
        try:
            for number, ended in enumerate(self.script):
                yield f"1.2.{number}", ended
            if self.error is not None:
                raise self.error
        finally:
            self.is_closed = True


@dataclass
class Mover:
    sending: Sending | Exception
    requests: list[MoveRequest] = field(default_factory=list)

    def open(self, request: MoveRequest) -> Sending:
        self.requests.append(request)
        if isinstance(self.sending, Exception):
            raise self.sending
        return self.sending


def channel_to(*services: Service, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Loopback:
    contexts = [PresentationContext(2 * i + 1, syntax, transfer_syntax) for i, syntax in enumerate(SYNTAXES)]
    return loopback_pair(contexts, services)[0]


# C-FIND


@pytest.mark.parametrize("sop_class_uid", FINDS)
@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_studies_of_a_patient_are_found(sop_class_uid: str, transfer_syntax: str) -> None:
    archive = Archive()
    channel = channel_to(query_service(archive, "ARCHIVE"), transfer_syntax=transfer_syntax)
    asked = data_set(QueryRetrieveLevel="STUDY", PatientID="P1", StudyInstanceUID="", StudyDate="20261102-")
    answer = query_archive(channel, sop_class_uid, asked)
    assert [each.StudyInstanceUID for each in answer.items] == ["1.3", "1.5"]
    assert (answer.status, archive.levels) == (0, ["STUDY"])
    assert {(each.QueryRetrieveLevel, each.RetrieveAETitle) for each in answer.items} == {("STUDY", "ARCHIVE")}
    assert all("PatientName" not in each for each in answer.items)


def test_names_are_found_by_wild_card_and_by_value() -> None:
    channel = channel_to(query_service(Archive(), "ARCHIVE"))
    for name, found in (("doe*", 6), ("Doe^?", 6), ("Doe^3", 1), ("Roe*", 0)):
        asked = data_set(QueryRetrieveLevel="PATIENT", PatientName=name, PatientID="")
        assert len(query_archive(channel, PATIENT_ROOT_FIND, asked).items) == found


@pytest.mark.parametrize(
    ("sop_class_uid", "asked", "is_fine"),
    [
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY"}, True),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}, False),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "FRAME"}, False),
        (STUDY_ROOT_FIND, {"PatientID": "P1"}, False),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "SERIES"}, False),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": "1.1"}, True),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": ["1.1", "1.2"]}, False),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "SeriesInstanceUID": "1.1"}, False),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "SeriesInstanceUID": ""}, True),
        (STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": ["1.1", "1.2"]}, True),
        (PATIENT_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "PatientID": "P1"}, True),
        (PATIENT_ROOT_FIND, {"QueryRetrieveLevel": "STUDY"}, False),
        (PATIENT_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "PatientID": "P*"}, False),
        (PATIENT_ROOT_FIND, {"QueryRetrieveLevel": "IMAGE", "PatientID": "P1", "StudyInstanceUID": "1.1"}, False),
        (
            PATIENT_ROOT_FIND,
            {
                "QueryRetrieveLevel": "IMAGE",
                "PatientID": "P1",
                "StudyInstanceUID": "1.1",
                "SeriesInstanceUID": "1.1.1",
            },
            True,
        ),
    ],
)
def test_levels_above_are_named_by_their_unique_keys(
    sop_class_uid: str, asked: dict[str, object], is_fine: bool
) -> None:
    channel = channel_to(query_service(Archive(), "ARCHIVE"))
    if is_fine:
        assert query_archive(channel, sop_class_uid, data_set(**asked)).status == 0
        return
    with pytest.raises(QueryFailed) as caught:
        query_archive(channel, sop_class_uid, data_set(**asked))
    assert caught.value.status == 0xA900


@pytest.mark.parametrize("sop_class_uid", FINDS)
def test_query_that_cannot_be_answered_says_why(sop_class_uid: str) -> None:
    asked = data_set(QueryRetrieveLevel="STUDY", PatientID="P1")
    with pytest.raises(QueryFailed) as caught:
        query_archive(channel_to(query_service(Archive(StoreError("no memory")), "ARCHIVE")), sop_class_uid, asked)
    assert (caught.value.status, caught.value.comment) == (0xA700, "no memory")
    channel = channel_to(query_service(Archive(), "ARCHIVE"))
    context = context_for(channel, sop_class_uid)
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=sop_class_uid)
    answer = send_and_await(channel, context.context_id, command, b"\xff" * 20).command
    assert (answer.Status, bool(answer.ErrorComment)) == (0xC000, True)


@pytest.mark.parametrize("sop_class_uid", FINDS)
def test_query_ends_when_it_is_cancelled(sop_class_uid: str) -> None:
    channel = channel_to(query_service(Archive(), "ARCHIVE"))
    answer = query_archive(channel, sop_class_uid, data_set(QueryRetrieveLevel="STUDY", PatientID="P1"), limit=1)
    assert (len(answer.items), answer.status, answer.more_available) == (1, 0xFE00, True)


@pytest.mark.parametrize("sop_class_uid", FINDS)
def test_matches_are_handed_over_as_they_come_until_no_more_are_wanted(sop_class_uid: str) -> None:
    archive, came = Archive(), []

    def take(match: Dataset) -> bool:
        came.append(match.StudyInstanceUID)
        return len(came) < 2

    asked = data_set(QueryRetrieveLevel="STUDY", PatientID="P1", StudyInstanceUID="")
    answer = query_archive(channel_to(query_service(archive, "ARCHIVE")), sop_class_uid, asked, hand_over=take)
    assert (came, answer.items, answer.status) == (["1.1", "1.3"], (), 0xFE00)
    whole: list[Dataset] = []

    def take_all(match: Dataset) -> bool:
        whole.append(match)
        return True

    channel = channel_to(query_service(archive, "ARCHIVE"))
    answer = query_archive(channel, sop_class_uid, asked, hand_over=take_all, limit=2)
    assert (len(whole), answer.more_available) == (2, True)


# C-MOVE

STUDY = data_set(QueryRetrieveLevel="STUDY", PatientID="P1", StudyInstanceUID=["1.1", "1.2"])


def moved(sending: Sending | Exception, sop_class_uid: str = STUDY_ROOT_MOVE) -> MoveResult:
    return move(channel_to(move_service(Mover(sending))), sop_class_uid, STUDY, "STORE")


@pytest.mark.parametrize("sop_class_uid", MOVES)
@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_retrieve_tells_how_far_it_is(sop_class_uid: str, transfer_syntax: str) -> None:
    mover, seen = Mover(Sending([DONE, WARNING, DONE])), []
    channel = channel_to(move_service(mover), transfer_syntax=transfer_syntax)

    def follow(counts: Counts) -> bool:
        seen.append(counts)
        return True

    move(channel, sop_class_uid, STUDY, "STORE", go_on=follow)
    assert seen == [Counts(2, 1, 0, 0), Counts(1, 1, 0, 1), Counts(0, 2, 0, 1)]
    asked = mover.requests[0]
    assert (asked.level, asked.destination, asked.message_id) == ("STUDY", "STORE", 1)
    assert asked.keys[0x0020000D] == ("1.1", "1.2")
    assert asked.keys.get(0x00100020) == (("P1",) if sop_class_uid == PATIENT_ROOT_MOVE else None)
    assert asked.peer.calling_ae_title == "REQUESTOR"


@pytest.mark.parametrize("sop_class_uid", MOVES)
@pytest.mark.parametrize(
    ("script", "status", "effect", "counts", "failed"),
    [
        ([DONE, DONE], 0x0000, "succeed", Counts(0, 2, 0, 0), ()),
        ([], 0x0000, "succeed", Counts(), ()),
        ([DONE, FAILED], 0xB000, "partial", Counts(0, 1, 1, 0), ("1.2.1",)),
        ([DONE, WARNING], 0xB000, "partial", Counts(0, 1, 0, 1), ()),
        ([FAILED, FAILED], 0xA702, "fail", Counts(0, 0, 2, 0), ("1.2.0", "1.2.1")),
    ],
)
def test_end_of_a_retrieve(
    sop_class_uid: str,
    script: Sequence[SubOperation],
    status: int,
    effect: str,
    counts: Counts,
    failed: tuple[str, ...],
) -> None:
    result = moved(Sending(script), sop_class_uid)
    assert (result.status, result.verdict.effect, result.counts, result.failed_uids) == (status, effect, counts, failed)
    assert bool(result.comment) is (status != 0)


@pytest.mark.parametrize("sop_class_uid", MOVES)
@pytest.mark.parametrize(
    ("error", "status"),
    [(Refuse(0xA801, "nobody"), 0xA801), (StoreError("no memory"), 0xA701), (Refuse(0xC000, "broken"), 0xC000)],
)
def test_retrieve_that_cannot_begin_says_why(sop_class_uid: str, error: Exception, status: int) -> None:
    result = moved(error, sop_class_uid)
    assert (result.status, result.verdict.effect, result.comment) == (status, "fail", str(error))


def test_destination_that_is_lost_fails_what_is_left_and_the_association_stays() -> None:
    mover = Mover(Sending([DONE, DONE], TransportError("connection reset"), announced=5))
    channel = channel_to(move_service(mover))
    for _ in range(2):
        result = move(channel, STUDY_ROOT_MOVE, STUDY, "STORE")
        assert (result.status, result.counts) == (0xB000, Counts(0, 2, 3, 0))
        assert result.failed_uids == ("1.2.2", "1.2.3", "1.2.4")
        assert result.comment == "connection reset"


@pytest.mark.parametrize("sop_class_uid", MOVES)
def test_retrieve_ends_when_it_is_cancelled(sop_class_uid: str) -> None:
    sending = Sending([DONE, FAILED, DONE, DONE, DONE])
    channel = channel_to(move_service(Mover(sending)))
    result = move(channel, sop_class_uid, STUDY, "STORE", go_on=lambda counts: counts.remaining > 3)
    assert (result.status, result.verdict.effect) == (0xFE00, "partial")
    assert (result.counts, result.failed_uids) == (Counts(3, 1, 1, 0), ("1.2.1",))
    assert sending.is_closed
    assert [command.name for command in channel.sent] == ["C-MOVE-RQ", "C-CANCEL-RQ"]


def test_large_numbers_fit_into_the_response() -> None:
    result = moved(Sending([FAILED] * 1500, announced=100_000))
    assert result.counts == Counts(0, 0, 0xFFFF, 0)
    assert len(result.failed_uids) == MAX_FAILED_UIDS


@pytest.mark.parametrize(
    ("asked", "destination", "status"),
    [
        (data_set(QueryRetrieveLevel="STUDY"), "STORE", 0xA900),
        (data_set(QueryRetrieveLevel="SERIES", SeriesInstanceUID="1.1"), "STORE", 0xA900),
        (data_set(QueryRetrieveLevel="PATIENT", PatientID=["P1", "P2"]), "STORE", 0xA900),
        (STUDY, "", 0xA801),
    ],
)
def test_retrieve_needs_its_unique_keys_and_a_destination(asked: Dataset, destination: str, status: int) -> None:
    channel = channel_to(move_service(Mover(Sending([]))))
    assert move(channel, PATIENT_ROOT_MOVE, asked, destination).status == status


def test_final_response_of_another_maker_is_understood() -> None:
    def answer(message: Message) -> Response:
        listed = data_set(FailedSOPInstanceUIDList=["1.5"])
        return Response(0xA700, encode_data_set(listed, message.context.transfer_syntax))

    service = Service("script", frozenset({STUDY_ROOT_MOVE}), {CommandField.C_MOVE_RQ: answer})
    result = move(channel_to(service), STUDY_ROOT_MOVE, STUDY, "STORE")
    assert (result.verdict.effect, result.counts, result.failed_uids) == ("fail", Counts(), ("1.5",))
