"""States of items, and what the hospital complains about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.uid import UID, XRayRadiationDoseSRStorage, generate_uid

from openmodality.errors import ConfigurationError, UsageError
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState
from openmodality.standard.discontinuation_reasons import UNSPECIFIED, WRONG_WORKLIST_ENTRY
from tests import hospital_scu as scu


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with scu.hospital(tmp_path) as running:
        yield running


def stored(hospital: Hospital, change: Callable[[FileDataset], object]) -> list[str]:
    """Do an exam of one image that is changed before it is sent; the complaints."""
    item, uid = hospital.ris.items[0], generate_uid()
    scu.create_step(hospital, scu.step_attributes(item), uid)
    (image,) = scu.images(item, uid, 1)
    change(image)
    assert scu.store(hospital, image)[0].status == 0
    return [complaint.text for complaint in hospital.complaints]


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("StudyInstanceUID", "1.02.3", "(0020,000D) StudyInstanceUID breaks PS3.5 9.1"),
        ("SeriesInstanceUID", "", "(0020,000E) SeriesInstanceUID is missing"),
        ("StudyInstanceUID", "1.2.3", "names no step scheduled for this study"),
        ("PatientID", "SOMEBODY-ELSE", "(0010,0020) PatientID is not that of the worklist item"),
        ("AccessionNumber", "OTHER", "(0008,0050) AccessionNumber is not that of the worklist item"),
        ("RequestAttributesSequence", [], "(0040,0275) RequestAttributesSequence is missing in a scheduled study"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_instance_that_disagrees(hospital: Hospital, keyword: str, value: object, said: str) -> None:
    complaints = stored(hospital, lambda image: setattr(image, keyword, value))
    assert any(said in text for text in complaints)
    assert not any("SOMEBODY" in text for text in complaints)


def test_an_instance_that_agrees(hospital: Hospital) -> None:
    assert stored(hospital, lambda image: None) == []


def as_document(image: FileDataset, requested_procedure_id: str = "") -> None:
    """Make it a document (the hospital looks at the header alone) that names a requested procedure, or none."""
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = UID(XRayRadiationDoseSRStorage)
    del image.RequestAttributesSequence
    if requested_procedure_id:
        request = Dataset()
        request.StudyInstanceUID, request.RequestedProcedureID = image.StudyInstanceUID, requested_procedure_id
        image.ReferencedRequestSequence = [request]


def test_a_document_has_no_request_attributes(hospital: Hospital) -> None:
    assert stored(hospital, as_document) == []


def test_a_document_names_the_requested_procedure(hospital: Hospital) -> None:
    procedure = hospital.ris.items[0].requested_procedure_id
    assert stored(hospital, lambda image: as_document(image, procedure)) == []


def test_a_document_names_a_request_of_another_study(hospital: Hospital) -> None:
    (complaint,) = stored(hospital, lambda image: as_document(image, "OTHER"))
    assert "(0040,A370) ReferencedRequestSequence names no step" in complaint


def test_an_instance_of_an_unknown_step(hospital: Hospital) -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2", "1.2.3"
    complaints = stored(hospital, lambda image: setattr(image, "ReferencedPerformedProcedureStepSequence", [reference]))
    assert any("that the RIS does not know" in text for text in complaints)


def test_other_content_under_the_same_uid(hospital: Hospital) -> None:
    (image,) = scu.images(hospital.ris.items[0], generate_uid(), 1)
    scu.store(hospital, image)
    image.PixelData = bytes(len(image.PixelData))
    assert scu.store(hospital, image)[0].status == 0x0110
    assert any("came again with other content" in complaint.text for complaint in hospital.complaints)


def test_a_completed_step_that_leaves_an_instance_out(hospital: Hospital) -> None:
    item, uid = hospital.ris.items[0], generate_uid()
    scu.create_step(hospital, scu.step_attributes(item), uid)
    first, second, late = scu.images(item, uid, 3)
    scu.store(hospital, first, second)
    scu.end_step(hospital, uid, [first])
    assert [complaint.fields for complaint in hospital.complaints] == [{"step": uid}]
    scu.store(hospital, late)
    assert "does not list this instance" in hospital.complaints[-1].text


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("ScheduledProcedureStepID", "SPS99", "is not scheduled for this study"),
        ("StudyInstanceUID", "1.2.3", "is not that of a worklist item"),
    ],
)
def test_a_step_for_something_that_is_not_scheduled(hospital: Hospital, keyword: str, value: str, said: str) -> None:
    attributes = scu.step_attributes(hospital.ris.items[0])
    setattr(attributes.ScheduledStepAttributesSequence[0], keyword, value)
    scu.create_step(hospital, attributes)
    assert [said in complaint.text for complaint in hospital.complaints] == [True]


def test_a_step_of_another_patient(hospital: Hospital) -> None:
    attributes = scu.step_attributes(hospital.ris.items[0])
    attributes.PatientID = "SOMEBODY-ELSE"
    scu.create_step(hospital, attributes)
    (complaint,) = hospital.complaints
    assert "(0010,0020) PatientID is not that of the worklist item" in complaint.text
    assert "SOMEBODY" not in complaint.text


def test_an_unscheduled_step_is_no_reason_to_complain(hospital: Hospital) -> None:
    attributes = scu.step_attributes(hospital.ris.items[0])
    attributes.ScheduledStepAttributesSequence[0].ScheduledProcedureStepID = ""
    attributes.ScheduledStepAttributesSequence[0].StudyInstanceUID = generate_uid()
    assert scu.create_step(hospital, attributes).status == 0
    assert hospital.complaints == []
    assert {item.state for item in hospital.ris.items} == {ItemState.SCHEDULED}


@pytest.mark.parametrize(
    ("reason", "state", "is_shown"),
    [(UNSPECIFIED, ItemState.DISCONTINUED, False), (WRONG_WORKLIST_ENTRY, ItemState.SCHEDULED, True)],
)
def test_a_discontinued_step(hospital: Hospital, reason: str, state: ItemState, is_shown: bool) -> None:
    item, uid = hospital.ris.items[0], generate_uid()
    scu.create_step(hospital, scu.step_attributes(item), uid)
    result = scu.end_step(hospital, uid, status="DISCONTINUED", reason=reason)
    assert result.status == 0, result
    assert hospital.ris.items[0].state is state
    assert (item.key.study_instance_uid in {i.StudyInstanceUID for i in scu.query(hospital).items}) is is_shown


def test_two_steps_for_one_item(hospital: Hospital) -> None:
    item = hospital.ris.items[0]
    first, second = generate_uid(), generate_uid()
    for uid in (first, second):
        scu.create_step(hospital, scu.step_attributes(item), uid)
    states = []
    for uid, status in ((first, "COMPLETED"), (second, "DISCONTINUED")):
        scu.end_step(hospital, uid, status=status)
        states.append(hospital.ris.items[0].state)
    assert states == [ItemState.IN_PROGRESS, ItemState.COMPLETED]
    assert [step.sop_instance_uid for step in hospital.ris.steps] == [first, second]


def test_a_changed_patient_comes_with_the_next_query(hospital: Hospital) -> None:
    item = hospital.ris.items[0]
    assert hospital.ris.change_patient(item.patient_id, PatientName="Married^Now", PatientWeight=71) == 1
    assert hospital.ris.item(item.step_id).patient_name == "Married^Now"
    assert "Married^Now" in {str(found.PatientName) for found in scu.query(hospital).items}
    assert not any("Married" in event.text for event in hospital.events)


def test_an_item_is_scheduled_by_hand(hospital: Hospital) -> None:
    item = Dataset()
    item.update(hospital.ris.items[0].data_set)
    item.PatientID, item.RequestedProcedureID = "NEW-1", "RP99"
    del item.StudyInstanceUID, item.ReferencedStudySequence
    added = hospital.ris.schedule(item)
    assert added.state is ItemState.SCHEDULED
    assert added.study_instance_uid in {found.StudyInstanceUID for found in scu.query(hospital).items}
    assert len(hospital.ris.items) == 13


def test_a_defective_item_is_not_scheduled(hospital: Hospital) -> None:
    with pytest.raises(ConfigurationError):
        hospital.ris.schedule(Dataset())
    with pytest.raises(UsageError):
        hospital.ris.item("SPS99")
