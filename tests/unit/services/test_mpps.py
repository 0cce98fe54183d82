"""Modality performed procedure step, SCU joined to SCP in memory (PS3.4 Annex F.7)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydicom import Dataset

from openmodality.dimse.channel import Message, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Response, Service
from openmodality.encoding.uid import is_valid_uid
from openmodality.services.mpps import create_step, is_final_already, mpps_service, update_step
from openmodality.standard.dimse import CommandField
from openmodality.standard.performed_step import PERFORMED_STEP_RULES
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP, MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.loopback import Loopback, loopback_pair

UID = "1.2.3.4"
STATUS = 0x00400252
EMPTY = (
    "PatientBirthDate PatientSex PerformedStationName PerformedLocation PerformedProcedureStepDescription "
    "PerformedProcedureTypeDescription PerformedProcedureStepEndDate PerformedProcedureStepEndTime StudyID"
)
EMPTY_SEQUENCES = (
    "ReferencedPatientSequence ProcedureCodeSequence PerformedProtocolCodeSequence PerformedSeriesSequence"
)


def scheduled() -> Dataset:
    result = Dataset()
    result.StudyInstanceUID = "1.2.9"
    result.ReferencedStudySequence = []
    result.AccessionNumber = result.RequestedProcedureID = result.RequestedProcedureDescription = ""
    result.ScheduledProcedureStepID = result.ScheduledProcedureStepDescription = ""
    result.ScheduledProtocolCodeSequence = []
    return result


def started() -> Dataset:
    result = Dataset()
    for keyword in EMPTY.split():
        setattr(result, keyword, "")
    for keyword in EMPTY_SEQUENCES.split():
        setattr(result, keyword, [])
    result.ScheduledStepAttributesSequence = [scheduled()]
    result.SpecificCharacterSet = "ISO_IR 100"
    result.PatientName = "Müller^Ä"
    result.PatientID = "1"
    result.PerformedProcedureStepID = "P1"
    result.PerformedStationAETitle = "SCANNER"
    result.PerformedProcedureStepStartDate = "20261122"
    result.PerformedProcedureStepStartTime = "1030"
    result.PerformedProcedureStepStatus = "IN PROGRESS"
    result.Modality = "MR"
    return result


def series() -> Dataset:
    result = Dataset()
    result.PerformingPhysicianName = result.OperatorsName = result.SeriesDescription = result.RetrieveAETitle = ""
    result.ProtocolName = "T1"
    result.SeriesInstanceUID = "1.2.8"
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = MR_IMAGE_STORAGE, "1.2.7"
    result.ReferencedImageSequence = [image]
    result.ReferencedNonImageCompositeSOPInstanceSequence = []
    return result


def ended(status: str = "COMPLETED") -> Dataset:
    result = Dataset()
    result.PerformedProcedureStepStatus = status
    result.PerformedProcedureStepEndDate = "20261122"
    result.PerformedProcedureStepEndTime = "1045"
    result.PerformedSeriesSequence = [series()]
    return result


@dataclass
class Store:
    steps: dict[str, Dataset] = field(default_factory=dict)

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        if sop_instance_uid in self.steps:
            return False
        self.steps[sop_instance_uid] = attributes
        return True

    def update(self, sop_instance_uid: str, change: Callable[[Dataset], Dataset]) -> bool:
        if sop_instance_uid not in self.steps:
            return False
        self.steps[sop_instance_uid] = change(self.steps[sop_instance_uid])
        return True


def channel_to(*services: Service, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Loopback:
    return loopback_pair([PresentationContext(1, MODALITY_PERFORMED_PROCEDURE_STEP, transfer_syntax)], services)[0]


def answering(status: int, **fields: Any) -> Loopback:
    def answer(message: Message) -> Response:
        return Response(status, fields=fields)

    handlers = {CommandField.N_CREATE_RQ: answer, CommandField.N_SET_RQ: answer}
    return channel_to(Service("script", frozenset({MODALITY_PERFORMED_PROCEDURE_STEP}), handlers))


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_step_is_created_and_ended(transfer_syntax: str, final: str) -> None:
    store = Store()
    channel = channel_to(mpps_service(store), transfer_syntax=transfer_syntax)
    created = create_step(channel, UID, started())
    assert (created.status, created.sop_instance_uid) == (0, UID)
    assert str(store.steps[UID].PatientName) == "Müller^Ä"
    assert update_step(channel, UID, Dataset()).status == 0
    assert store.steps[UID].PerformedProcedureStepStatus == "IN PROGRESS"
    assert update_step(channel, UID, ended(final)).status == 0
    assert store.steps[UID].PerformedProcedureStepStatus == final
    assert store.steps[UID].PerformedSeriesSequence[0].SeriesInstanceUID == "1.2.8"
    assert store.steps[UID].PatientID == "1"


@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_ended_step_may_no_longer_be_updated(final: str) -> None:
    channel = channel_to(mpps_service(Store()))
    create_step(channel, UID, started())
    update_step(channel, UID, ended(final))
    again = update_step(channel, UID, ended(final))
    assert (again.status, is_final_already(again)) == (0x0110, True)
    assert again.comment == "Performed Procedure Step Object may no longer be updated"


def test_step_is_created_once() -> None:
    channel = channel_to(mpps_service(Store()))
    create_step(channel, UID, started())
    again = create_step(channel, UID, started())
    assert (again.status, is_final_already(again)) == (0x0111, False)


def test_unknown_step_cannot_be_set() -> None:
    assert update_step(channel_to(mpps_service(Store())), UID, ended()).status == 0x0112


def test_scp_names_a_step_that_has_no_name() -> None:
    store = Store()
    result = create_step(channel_to(mpps_service(store)), "", started())
    assert is_valid_uid(result.sop_instance_uid)
    assert list(store.steps) == [result.sop_instance_uid]


def test_name_that_the_scp_gives_counts() -> None:
    assert create_step(answering(0, AffectedSOPInstanceUID="1.2.99"), UID, started()).sop_instance_uid == "1.2.99"
    assert create_step(answering(0, AffectedSOPInstanceUID=None), UID, started()).sop_instance_uid == UID


def sequence_paths() -> list[tuple[int, ...]]:
    return [rule.path for rule in PERFORMED_STEP_RULES if rule.n_create in ("1", "2") and len(rule.path) == 1]


@pytest.mark.parametrize("path", sequence_paths())
def test_creation_without_a_needed_attribute_is_refused(path: tuple[int, ...]) -> None:
    store, attributes = Store(), started()
    del attributes[path[0]]
    result = create_step(channel_to(mpps_service(store)), UID, attributes)
    assert (result.status, result.tags, store.steps) == (0x0120, (path[0],), {})


def test_creation_with_an_empty_needed_attribute_is_refused() -> None:
    store, attributes = Store(), started()
    attributes.PerformedProcedureStepID = attributes.Modality = ""
    result = create_step(channel_to(mpps_service(store)), UID, attributes)
    assert (result.status, result.tags, store.steps) == (0x0121, (0x00400253, 0x00080060), {})
    assert result.comment == "no value: (0040,0253) PerformedProcedureStepID and 1 more"


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "AccessionNumber", "ScheduledProtocolCodeSequence"])
def test_rules_hold_inside_sequences(keyword: str) -> None:
    attributes = started()
    delattr(attributes.ScheduledStepAttributesSequence[0], keyword)
    assert create_step(channel_to(mpps_service(Store())), UID, attributes).status == 0x0120


@pytest.mark.parametrize("status", ["COMPLETED", "DISCONTINUED", "SCHEDULED"])
def test_step_begins_in_progress(status: str) -> None:
    attributes = started()
    attributes.PerformedProcedureStepStatus = status
    result = create_step(channel_to(mpps_service(Store())), UID, attributes)
    assert (result.status, result.tags) == (0x0106, (STATUS,))


@pytest.mark.parametrize(
    "path", [rule.path for rule in PERFORMED_STEP_RULES if rule.n_set == "-" and len(rule.path) == 1]
)
def test_what_is_fixed_at_creation_cannot_be_set(path: tuple[int, ...]) -> None:
    store, changes = Store(), ended()
    channel = channel_to(mpps_service(store))
    create_step(channel, UID, started())
    changes.add(started()[path[0]])
    result = update_step(channel, UID, changes)
    assert (result.status, result.tags) == (0x0105, (path[0],))
    assert store.steps[UID].PerformedProcedureStepStatus == "IN PROGRESS"


def test_status_has_three_values() -> None:
    channel = channel_to(mpps_service(Store()))
    create_step(channel, UID, started())
    for status in ("SCHEDULED", ""):
        assert update_step(channel, UID, ended(status)).status == 0x0106


def spoiled(spoil: Callable[[Dataset], None]) -> Dataset:
    result = ended()
    spoil(result)
    return result


def without(keyword: str) -> Callable[[Dataset], None]:
    return lambda each: delattr(each.PerformedSeriesSequence[0], keyword)


@pytest.mark.parametrize(
    ("changes", "status", "tag"),
    [
        (spoiled(lambda each: delattr(each, "PerformedProcedureStepEndDate")), 0x0121, 0x00400250),
        (spoiled(lambda each: delattr(each, "PerformedProcedureStepEndTime")), 0x0121, 0x00400251),
        (spoiled(lambda each: delattr(each, "PerformedSeriesSequence")), 0x0121, 0x00400340),
        (spoiled(lambda each: setattr(each, "PerformedSeriesSequence", [])), 0x0121, 0x00400340),
        *(
            (spoiled(without(keyword)), 0x0120, tag)
            for keyword, tag in (
                ("ProtocolName", 0x00181030),
                ("SeriesInstanceUID", 0x0020000E),
                ("PerformingPhysicianName", 0x00081050),
                ("OperatorsName", 0x00081070),
                ("SeriesDescription", 0x0008103E),
                ("RetrieveAETitle", 0x00080054),
            )
        ),
        (spoiled(lambda each: setattr(each.PerformedSeriesSequence[0], "ProtocolName", "")), 0x0121, 0x00181030),
        (spoiled(lambda each: setattr(each.PerformedSeriesSequence[0], "SeriesInstanceUID", "")), 0x0121, 0x0020000E),
    ],
)
def test_final_state_needs_its_attributes(changes: Dataset, status: int, tag: int) -> None:
    store = Store()
    channel = channel_to(mpps_service(store))
    create_step(channel, UID, started())
    result = update_step(channel, UID, changes)
    assert (result.status, result.tags) == (status, (tag,))
    assert store.steps[UID].PerformedProcedureStepStatus == "IN PROGRESS"


def test_final_state_may_be_reached_in_several_steps() -> None:
    store, first, last = Store(), ended(), ended()
    del first.PerformedProcedureStepStatus
    del last.PerformedSeriesSequence
    channel = channel_to(mpps_service(store))
    create_step(channel, UID, started())
    assert [update_step(channel, UID, changes).status for changes in (first, last)] == [0, 0]
    assert store.steps[UID].PerformedProcedureStepStatus == "COMPLETED"


def test_text_in_two_character_sets_is_kept() -> None:
    store, changes = Store(), ended()
    changes.SpecificCharacterSet = "ISO_IR 144"
    changes.PerformedProcedureStepDescription = "Голова"
    channel = channel_to(mpps_service(store))
    create_step(channel, UID, started())
    assert update_step(channel, UID, changes).status == 0
    kept = store.steps[UID]
    assert (kept.SpecificCharacterSet, str(kept.PatientName)) == ("ISO_IR 192", "Müller^Ä")
    assert kept.PerformedProcedureStepDescription == "Голова"


def test_refused_change_leaves_the_step_alone() -> None:
    store = Store()
    channel = channel_to(mpps_service(store))
    create_step(channel, UID, started())
    before = deepcopy(store.steps[UID])
    assert update_step(channel, UID, spoiled(lambda each: delattr(each, "PerformedSeriesSequence"))).status == 0x0121
    assert store.steps[UID] == before


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (0x0110, {"ErrorID": 0xA710}, True),
        (0x0110, {"ErrorComment": "Object may No Longer be updated"}, True),
        (0x0110, {}, False),
        (0x0111, {"ErrorID": 0xA710}, False),
        (0x0112, {}, False),
    ],
)
def test_that_a_step_has_ended_before_is_told_from_other_failures(
    status: int, fields: dict[str, Any], expected: bool
) -> None:
    result = update_step(answering(status, **fields), UID, ended())
    assert (result.status, is_final_already(result)) == (status, expected)
    assert result.comment == fields.get("ErrorComment", result.comment) != ""


def test_success_has_no_comment() -> None:
    assert update_step(answering(0x0000), UID, ended()).comment == ""


def test_attributes_that_the_scp_sends_back_are_handed_on() -> None:
    def answer(message: Message) -> Response:
        return Response(0x0116, b"\xff" * 8) if message.command.CommandField == CommandField.N_SET_RQ else Response(0)

    handlers = {CommandField.N_CREATE_RQ: answer, CommandField.N_SET_RQ: answer}
    channel = channel_to(Service("script", frozenset({MODALITY_PERFORMED_PROCEDURE_STEP}), handlers))
    noise = update_step(channel, UID, ended())
    assert (noise.status, len(noise.attributes)) == (0x0116, 0)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (Command(CommandField=CommandField.N_CREATE_RQ, AffectedSOPClassUID="1.2"), 0x0118),
        (Command(CommandField=CommandField.N_SET_RQ, RequestedSOPClassUID="1.2"), 0x0118),
        (
            Command(
                CommandField=CommandField.N_CREATE_RQ,
                AffectedSOPClassUID=MODALITY_PERFORMED_PROCEDURE_STEP,
                AffectedSOPInstanceUID="../x",
            ),
            0x0117,
        ),
        (
            Command(CommandField=CommandField.N_SET_RQ, RequestedSOPClassUID=MODALITY_PERFORMED_PROCEDURE_STEP),
            0x0112,
        ),
    ],
)
def test_request_that_makes_no_sense_is_refused(command: Command, status: int) -> None:
    assert send_and_await(channel_to(mpps_service(Store())), 1, command).command.Status == status
