"""A whole exam on both devices against a hospital made of the services: worklist, step, images, dose, commitment."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from openmodality.errors import StoreError
from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE
from openmodality.store.states import JobState
from tests.content_tree import find_items
from tests.devices import Device, add_image, device_in_hospital, today

AUTOMATIC = "automatic_commitment = true"


def states(device: Device) -> list[str]:
    return [str(step.PerformedProcedureStepStatus) for step in device.hospital.steps.steps.values()]


def referenced(device: Device, number: int = 0) -> set[str]:
    step = list(device.hospital.steps.steps.values())[number]
    return {
        item.ReferencedSOPInstanceUID
        for series in step.PerformedSeriesSequence
        for sequence in (series.ReferencedImageSequence, series.ReferencedNonImageCompositeSOPInstanceSequence)
        for item in sequence
    }


@pytest.mark.requirement(
    "MR-2.3.2-08", "MR-2.3.2-09", "MR-2.3.2-11", "MR-2.4.1-01", "MR-2.4.1-03", "MR-2.4.1-04", "MR-2.4.2-01",
    "MR-2.4.2-05", "MR-2.4.2-06", "MR-2.4.3-01", "MR-2.1.1-07", "MR-3-04", "MR-3-20", "MR-3.2.3.3-01",
    "MR-3.2.3.3-03", "MR-3.2.4.1-01", "MR-2.1-02", "MR-2.1-06", "RF-4.1.3-01",
)  # fmt: skip
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_scheduled_exam_from_worklist_to_commitment(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile, today(profile), peer=AUTOMATIC) as device, device.modality() as modality:
        modality.serve()
        (item,) = modality.worklist()
        assert item.defects == ()
        with modality.exam(item, OperatorsName="Operator^O") as exam:
            exam.acquire(device.source)
        assert exam.state == "COMPLETED"
        assert modality.wait_until_idle(20)
        assert [job.state for job in modality.jobs.list() if job.state is not JobState.DONE] == []
        made = {instance.SOPInstanceUID for instance in exam.instances()}
        assert {arrival.request.identity.sop_instance_uid for arrival in device.hospital.stored} == made
        # Of the R/F device also a PARTIAL dose report, and the COMPLETE one.
        assert len(device.hospital.stored) == len(made) == (2 if profile == "mr" else 4)
        assert states(device) == ["COMPLETED"]
        assert referenced(device) == made
        (study,) = modality.studies()
        assert (study.sent, study.committed) == (len(made), len(made))
        assert device.hospital.steps.received[0][0] == "N-CREATE"


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_images_carry_worklist_and_step(tmp_path: Path, profile: str) -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    with (
        device_in_hospital(tmp_path, profile, today(profile, name=name)) as device,
        device.modality() as modality,
    ):
        with modality.exam(modality.worklist()[0]) as exam:
            exam.acquire(device.source)
        image = dcmread(modality.instance_path(exam.instances()[0].SOPInstanceUID))
        assert str(image.PatientName) == name
        assert image.StudyInstanceUID == exam.study_instance_uid
        assert image.AccessionNumber == "A0001"
        (request,) = image.RequestAttributesSequence
        assert (request.ScheduledProcedureStepID, request.RequestedProcedureID) == ("SPS1", "RP1")
        (reference,) = image.ReferencedPerformedProcedureStepSequence
        assert reference.ReferencedSOPInstanceUID == exam.steps[0].sop_instance_uid
        assert image.PerformedProcedureStepID == exam.steps[0].step_id
        assert modality.wait_until_idle(20)


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_all_instances_carry_the_issuer_that_a_ris_names(tmp_path: Path, profile: str) -> None:
    """A Patient ID without its issuer is another patient to an archive; a RIS may name it without being asked."""
    with device_in_hospital(tmp_path, profile, today(profile)) as device, device.modality() as modality:
        (item,) = modality.worklist()
        item.attributes.IssuerOfPatientID = "HOSPITAL"
        with modality.exam(item) as exam:
            exam.acquire(device.source)
        files = [dcmread(modality.instance_path(each.SOPInstanceUID)) for each in exam.instances()]
        assert {file.get("IssuerOfPatientID") for file in files} == {"HOSPITAL"}
        assert modality.wait_until_idle(20)


def test_a_patient_registered_with_an_issuer_is_one_patient(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf") as device, device.modality() as modality:
        with modality.exam(patient={"PatientID": "1", "IssuerOfPatientID": "HOSPITAL"}) as exam:
            exam.acquire(device.source)
        assert modality.wait_until_idle(20)
        modality.delete("STUDY", exam.study_instance_uid, force=True)
        modality.delete("PATIENT", "1", issuer="HOSPITAL")
        with pytest.raises(StoreError):
            modality.delete("PATIENT", "1")


def test_several_scheduled_steps_in_one_exam(tmp_path: Path) -> None:
    items = today("mr", 2, patient_id="1")
    with device_in_hospital(tmp_path, "mr", items) as device, device.modality() as modality:
        with modality.exam(modality.worklist()) as exam:
            add_image(exam.series("T1"))
        assert modality.wait_until_idle(20)
        (step,) = device.hospital.steps.steps.values()
        ids = [(each.ScheduledProcedureStepID, each.AccessionNumber) for each in step.ScheduledStepAttributesSequence]
        assert ids == [("SPS1", "A0001"), ("SPS2", "A0002")]
        image = dcmread(modality.instance_path(exam.instances()[0].SOPInstanceUID))
        assert [each.ScheduledProcedureStepID for each in image.RequestAttributesSequence] == ["SPS1", "SPS2"]


@pytest.mark.requirement("RF-4.1.3-02")
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_unscheduled_exam(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile) as device, device.modality() as modality:
        with modality.exam(patient={"PatientID": "U1", "PatientName": "Unknown^John"}) as exam:
            exam.acquire(device.source)
        assert modality.wait_until_idle(20)
        assert states(device) == ["COMPLETED"]
        (step,) = device.hospital.steps.steps.values()
        (scheduled,) = step.ScheduledStepAttributesSequence
        assert scheduled.StudyInstanceUID == exam.study_instance_uid
        assert scheduled.ScheduledProcedureStepID in ("", None)
        assert exam.accession_number.startswith("L")
        assert dcmread(device.hospital.files.path(exam.instances()[0].SOPInstanceUID)).PatientID == "U1"


def test_append_to_a_finished_exam(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", today()) as device, device.modality() as modality:
        with modality.exam(modality.worklist()[0]) as exam:
            add_image(exam.series("first"), 1)
        with modality.find_exam(exam.id).begin() as again:
            add_image(again.series("second"), 2)
        assert modality.wait_until_idle(20)
        assert states(device) == ["COMPLETED", "COMPLETED"]
        first, second = (referenced(device, number) for number in range(2))
        assert len(first) == len(second) == 1
        assert first != second
        assert [series.number for series in again.record.series] == [1, 2]
        assert len(modality.studies()) == 1


@pytest.mark.parametrize("images", [0, 1])
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_discontinue_before_and_after_images(tmp_path: Path, profile: str, images: int) -> None:
    with device_in_hospital(tmp_path, profile, today(profile)) as device, device.modality() as modality:
        exam = modality.start_exam(modality.worklist()[0])
        for number in range(images):
            add_image(exam.series("T1", ProtocolName="T1"), number)
        exam.discontinue("110514")
        assert modality.wait_until_idle(20)
        (step,) = device.hospital.steps.steps.values()
        assert step.PerformedProcedureStepStatus == "DISCONTINUED"
        (reason,) = step.PerformedProcedureStepDiscontinuationReasonCodeSequence
        assert (reason.CodeValue, reason.CodingSchemeDesignator) == ("110514", "DCM")
        assert len(referenced(device)) == len(device.hospital.stored) == images


def test_an_exception_discontinues(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", today()) as device, device.modality() as modality:
        exam = modality.start_exam(modality.worklist()[0])
        add_image(exam.series("T1"))
        with pytest.raises(ZeroDivisionError), exam:
            raise ZeroDivisionError
        assert exam.state == "DISCONTINUED"
        assert modality.wait_until_idle(20)
        assert states(device) == ["DISCONTINUED"]


@pytest.mark.requirement("MR-2.4.1-02")
def test_registered_by_hand_the_first_image_begins_the_step(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality() as modality:
        exam = modality.register({"PatientID": "H1", "PatientName": "Hand^Made"})
        assert exam.state == "REGISTERED"
        assert exam.steps == []
        add_image(exam.series("T1"))
        assert exam.state == "IN PROGRESS"
        exam.complete()
        assert modality.wait_until_idle(20)
        assert states(device) == ["COMPLETED"]


def test_dose_report_is_part_of_the_step(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", today("rf")) as device, device.modality() as modality:
        with modality.exam(modality.worklist()[0]) as exam:
            exam.acquire(device.source)
        assert modality.wait_until_idle(20)
        reports = [each for each in exam.instances() if each.SOPClassUID == X_RAY_RADIATION_DOSE_SR_STORAGE]
        doses = [dcmread(device.hospital.files.path(report.SOPInstanceUID)) for report in reports]
        assert [dose.CompletionFlag for dose in doses] == ["PARTIAL", "COMPLETE"]
        (predecessors,) = doses[1].PredecessorDocumentsSequence
        (named,) = predecessors.ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert named.ReferencedSOPInstanceUID == doses[0].SOPInstanceUID
        (step,) = device.hospital.steps.steps.values()
        assert step.TotalTimeOfFluoroscopy is not None
        assert float(step.ImageAndFluoroscopyAreaDoseProduct) > 0
        assert {report.SOPInstanceUID for report in reports} <= set(referenced(device))


def test_each_step_has_dose_reports_of_its_own(tmp_path: Path) -> None:
    """A step that is discontinued, one that is appended, and one of fluoroscopy that nobody kept."""
    with device_in_hospital(tmp_path, "rf", today("rf"), peer=AUTOMATIC) as device, device.modality() as modality:
        modality.serve()
        exam = modality.start_exam(modality.worklist()[0])
        exam.acquire(device.source)
        exam.discontinue("110514")
        exam.begin()
        exam.acquire(device.source)
        exam.complete()
        exam.begin()
        exam.irradiation(KVP=70, IrradiationEventType="Fluoroscopy", IrradiationDuration=0.01, DoseAreaProduct=1e-6)
        exam.discontinue("110513")
        assert modality.wait_until_idle(30)
        assert states(device) == ["DISCONTINUED", "COMPLETED", "DISCONTINUED"]
        made = [each.SOPInstanceUID for each in exam.instances()]
        (study,) = modality.studies()
        assert (study.sent, study.committed) == (len(made), len(made))
        reports = [
            dcmread(device.hospital.files.path(each.SOPInstanceUID))
            for each in exam.instances()
            if each.SOPClassUID == X_RAY_RADIATION_DOSE_SR_STORAGE
        ]
        flags = [["PARTIAL", "COMPLETE"], ["PARTIAL", "COMPLETE"], ["COMPLETE"]]
        for number, (uid, step) in enumerate(device.hospital.steps.steps.items()):
            own = sorted(
                (each for each in reports if find_step(each) == uid), key=lambda each: int(each.InstanceNumber)
            )
            assert [each.CompletionFlag for each in own] == flags[number]
            assert [predecessors(each) for each in own] == [[], [own[0].SOPInstanceUID]][: len(own)]
            assert {each.SeriesInstanceUID for each in own} == {own[0].SeriesInstanceUID}
            assert {each.SOPInstanceUID for each in own} == referenced(device, number) & {
                each.SOPInstanceUID for each in reports
            }
            (product,) = find_items(own[-1], "113722")
            told = Decimal(str(product.MeasuredValueSequence[0].NumericValue)) * 100000
            assert told == Decimal(str(step.ImageAndFluoroscopyAreaDoseProduct)) > 0
        assert len({each.SeriesInstanceUID for each in reports}) == len(flags)
        assert len({each.SOPInstanceUID for each in reports}) == len(reports) == 5


def find_step(report: Dataset) -> str:
    (step,) = report.ReferencedPerformedProcedureStepSequence
    return str(step.ReferencedSOPInstanceUID)


def predecessors(report: Dataset) -> list[str]:
    return [
        str(item.ReferencedSOPInstanceUID)
        for study in report.get("PredecessorDocumentsSequence", ())
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    ]
