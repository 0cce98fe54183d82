"""R/F 4.2.x: how each application entity of the R/F device calls, in an exam from end to end."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from openmodality import Modality
from openmodality.device.paths import parse_path
from openmodality.exam.session import Exam
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    VERIFICATION,
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)
from tests.acceptance.requirements.pynetdicom_hospital import (
    COMMITMENT,
    EXPLICIT,
    IMPLICIT,
    Recorder,
    listening,
    recorded_device,
)
from tests.acceptance.requirements.tables import paths_of
from tests.devices import quick_source, today
from tests.made_objects import code
from tests.peers.process import wait_until

SPEC = Path(__file__).parents[2] / "data" / "spec" / "rf"
CLASS_UID, VERSION = "2.16.840.1.113669.632.3.1.1.2.7", "Harmony"
IDENTITY = f'[device]\nimplementation_class_uid = "{CLASS_UID}"\nimplementation_version_name = "{VERSION}"'
BOTH = (IMPLICIT, EXPLICIT)
PEER = 'automatic_commitment = true\ntransfer_syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian"]'
DOSE_SR = X_RAY_RADIATION_DOSE_SR_STORAGE
RF_IMAGE = X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
WORKLIST = MODALITY_WORKLIST_FIND
MPPS = MODALITY_PERFORMED_PROCEDURE_STEP
Contexts = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Whole:
    """A device that has done everything once, and the record of it."""

    recorder: Recorder
    exam: Exam
    modality: Modality
    item: Dataset


def full_item() -> Dataset:
    """A worklist item with all that an image may take from it (Table 4.2-30, column IOD)."""
    (item,) = today("rf")
    study, equipment = Dataset(), Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", "1.2.3.4"
    equipment.InstitutionName, equipment.InstitutionAddress = "Hospital", "Street 1"
    equipment.InstitutionalDepartmentName = "Radiology"
    item.ReferencedStudySequence, item.ContributingEquipmentSequence = [study], [equipment]
    item.PatientComments, item.NameOfPhysiciansReadingStudy = "Comment", "Reader^R"
    item.PerformingPhysicianName, item.OperatorsName = "Physician^P", "Operator^O"
    item.RequestedProcedureCodeSequence = [code("RC1", "Procedure")]
    for each in (item, item.ScheduledProcedureStepSequence[0]):
        for sequence in ("RequestedProcedureCodeSequence", "ScheduledProtocolCodeSequence"):
            for coded in each.get(sequence, ()):
                coded.CodingSchemeVersion = "1"
    return item


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder, item = tmp_path_factory.mktemp("rf"), full_item()
    with recorded_device(folder, "rf", items=[item], peer=PEER, more=IDENTITY) as recorded:
        recorder = recorded.recorder
        with recorded.modality() as modality:
            modality.serve()
            assert modality.echo("hospital") == 0
            with modality.exam(modality.worklist()[0], PerformedProcedureTypeDescription="GI") as exam:
                exam.acquire(quick_source("rf"))
            wait_until(
                lambda: len(recorder.requests("N-ACTION-RQ")) == 2
            )  # the images with a PARTIAL dose report, then the COMPLETE one
            recorder.closed()
            address = listening(recorded, "storage_commitment", "ADR_S_COMM_SCU")
            for request in recorder.requests("N-ACTION-RQ"):
                transaction, references = request.data.TransactionUID, request.data.ReferencedSOPSequence
                assert recorder.report(address, transaction, references) == 0
            assert modality.wait_until_idle(20)
            yield Whole(recorder, exam, modality, item)


def entity(section: int, title: str, contexts: Contexts, *ids: str) -> ParameterSet:
    """An application entity: by which title it calls, and what it proposes in all."""
    own = [f"RF-4.2.{section}.2.{number}-01" for number in (1, 2, 3, 4)]
    return pytest.param(title, contexts, id=title, marks=pytest.mark.requirement(*own, *ids))


ENTITIES = [
    entity(8, "ADR_VER_SCU", {VERIFICATION: BOTH}, "RF-4.2.8.1-01"),
    entity(3, "ADR_MWM_SCU", {WORKLIST: BOTH}, "RF-4.2.3.1-01", "RF-4.2.3.3.1.2-01"),
    entity(4, "ADR_MPPS_SCU", {MPPS: BOTH}, "RF-4.2.4.1-01", "RF-4.2.4.3.1.2-01"),
    entity(1, "ADR_STORAGE_SCU", {RF_IMAGE: BOTH, DOSE_SR: (EXPLICIT,)}, "RF-4.2.1.3.1.2-02"),
    entity(2, "ADR_S_COMM_SCU", {COMMITMENT: BOTH}, "RF-4.2.2.1-01", "RF-4.2.2.3.1.2-01"),
]


@pytest.mark.parametrize(("title", "contexts"), ENTITIES)
def test_how_an_entity_calls(whole: Whole, title: str, contexts: Contexts) -> None:
    calls = whole.recorder.of(title)
    assert calls
    proposed: Contexts = {}
    for call in calls:
        proposed.update(call.contexts)
        assert (call.class_uid, call.version) == (CLASS_UID, VERSION)
        assert call.application_context == "1.2.840.10008.3.1.1.1"
        assert call.operations == (1, 1)
        assert call.roles == {}
        assert not call.has_extended_negotiation
        assert call.operations == (1, 1)
        assert call.end == "released"
    assert proposed == contexts
    assert whole.recorder.peaks[title] == 1


def test_no_other_entity_calls(whole: Whole) -> None:
    assert {call.calling for call in whole.recorder.calls} == {str(row.values[0]) for row in ENTITIES}


# Worklist


def rows(table: str) -> list[dict[str, str]]:
    with (SPEC / table).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def filled(step: Dataset, keywords: set[str]) -> Iterator[str]:
    """Those of the keywords that a data set has, in its order."""
    return (element.keyword for element in step if element.keyword in keywords)


@pytest.mark.requirement(
    "RF-4.2.3.3.1.1-02", "RF-4.2.3.3.1.1-04", "RF-4.1.2.3-01", "RF-8.5.1-01", "RF-4.2.3.3.1.3-10", "RF-4.2.3.3.1.3-12",
)  # fmt: skip
def test_update_worklist(whole: Whole) -> None:
    (call,) = whole.recorder.of("ADR_MWM_SCU")
    assert (call.names, call.end) == (["C-FIND-RQ"], "released")
    asked = call.requests[0].data
    keys = {parse_path(row["path"]) for row in rows("worklist_keys.csv")}
    assert set(paths_of(asked)) == keys
    step = asked.ScheduledProcedureStepSequence[0]
    matching = {"ScheduledStationAETitle", "Modality", "ScheduledProcedureStepStartDate"}
    assert [each.keyword for each in asked.iterall() if each.VR != "SQ" and each.value] == [*filled(step, matching)]
    assert (step.ScheduledStationAETitle, step.Modality) == ("ADR_MWM_SCU", "RF")
    assert step.ScheduledProcedureStepStartDate


IN_IMAGES = {
    "ScheduledPerformingPhysicianName": "PerformingPhysicianName",
    "RequestedProcedureDescription": "StudyDescription",
}
"""Attributes that have another name in images (Table 8.1-29)."""

INSIDE = {"ReferencedStudySequence": "ReferencedSOPInstanceUID", "ScheduledProtocolCodeSequence": "CodeMeaning"}
"""Sequences are known by what is in them."""


def values(data_set: Dataset, keyword: str) -> set[str]:
    return {str(element.value) for element in data_set.iterall() if element.tag == tag_for_keyword(keyword)}


NOT_IN_REPORTS = {
    "Modality", "OperatorsName", "PerformingPhysicianName", "RequestedProcedureID", "ScheduledPerformingPhysicianName",
    "ScheduledProcedureStepDescription", "ScheduledProcedureStepID", "ScheduledProtocolCodeSequence",
}  # fmt: skip
"""What the modules of the dose report have no place for (Tables 8.1-25 to 8.1-27); its own Modality is SR."""


@pytest.mark.requirement("RF-4.2.3.3.1.3-13")
@pytest.mark.parametrize("keyword", [row["keyword"] for row in rows("worklist_keys.csv") if row["copied_to_iod"]])
def test_instances_carry_the_worklist_item(whole: Whole, keyword: str) -> None:
    stored = [each.data for each in whole.recorder.requests("C-STORE-RQ")]
    assert [instance.SOPClassUID for instance in stored] == [RF_IMAGE, RF_IMAGE, DOSE_SR, DOSE_SR]
    source = whole.item
    if keyword == "ScheduledProtocolCodeSequence":
        source = source.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence[0]
    expected = values(source, INSIDE.get(keyword, keyword))
    assert expected
    for instance in stored[: 2 if keyword in NOT_IN_REPORTS else 4]:
        assert expected <= values(instance, IN_IMAGES.get(keyword, INSIDE.get(keyword, keyword)))


@pytest.mark.requirement("RF-4.1.2.3-02")
@pytest.mark.parametrize("keyword", ["PatientName", "PatientID", "PatientBirthDate", "PatientSex"])
def test_the_patient_of_the_worklist_is_registered(whole: Whole, keyword: str) -> None:
    for request in whole.recorder.requests("C-STORE-RQ"):
        assert request.data[keyword].value == whole.item[keyword].value
    (study,) = whole.modality.studies()
    assert str(study.attributes[keyword]) == str(whole.item[keyword].value)


# Performed procedure step

CONTRIBUTING = "ContributingEquipmentSequence"
BEYOND = {
    "ncreate": {CONTRIBUTING, "ScheduledStepAttributesSequence>ReferencedStudySequence"},
    "nset": {CONTRIBUTING, "PerformedSeriesSequence>ReferencedNonImageCompositeSOPInstanceSequence"},
}
"""Sent beyond the table, with all below: a sequence whose items the table has, or which the standard asks for."""

NOT_HERE = {"SpecificCharacterSet", "FilmConsumptionSequence"}
"""What this exam has no occasion for: text beyond ASCII, films."""


def below(path: tuple[int, ...], names: set[str]) -> bool:
    return any(path[: len(above)] == above for above in map(parse_path, names))


@pytest.mark.requirement("RF-4.2.4.3.1.3-07", "RF-8.5.2-01")
@pytest.mark.parametrize(("name", "column"), [("N-CREATE-RQ", "ncreate"), ("N-SET-RQ", "nset")])
def test_attributes_of_the_performed_step(whole: Whole, name: str, column: str) -> None:
    (request,) = whole.recorder.requests(name)
    table = {parse_path(row["path"]): row[column] for row in rows("mpps_attributes.csv")}
    sent = set(paths_of(request.data))
    assert [path for path in sent if not table.get(path) and not below(path, BEYOND[column])] == []
    assert [path for path, kind in table.items() if kind and path not in sent and not below(path, NOT_HERE)] == []
    zero = [path for path, kind in table.items() if kind == "zero" and len(path) == 1]
    assert [path for path in zero if request.data[path[0]].value] == []


# Storage and its commitment


@pytest.mark.requirement("RF-4.2.2.3.1.1-02", "RF-4.2.2.3.1.1-04")
def test_commit_sent_images(whole: Whole) -> None:
    sent: list[set[str]] = []
    for call in whole.recorder.calls:
        if call.calling == "ADR_STORAGE_SCU":
            sent.append({str(request.data.SOPInstanceUID) for request in call.requests})
        elif call.calling == "ADR_S_COMM_SCU":
            (request,) = call.requests
            assert (request.name, call.end) == ("N-ACTION-RQ", "released")
            asked = {str(each.ReferencedSOPInstanceUID) for each in request.data.ReferencedSOPSequence}
            sent.remove(asked)  # what one association before has sent
    assert sent == []
