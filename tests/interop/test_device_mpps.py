"""The device's performed procedure steps against an SCP of pynetdicom: attributes, states, what it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    MRImageStorage,
    XRayRadiationDoseSRStorage,
    XRayRadiofluoroscopicImageStorage,
)

from openmodality import Modality
from openmodality.jobs.job import Job
from openmodality.store.states import JobKind, JobState
from tests.devices import MODALITY, add_image, quick_source
from tests.interop import pynetdicom_ris
from tests.interop.pynetdicom_ris import Ris, status
from tests.interop.sites import PeerTable, for_both, write_site
from tests.peers import pynetdicom_ae
from tests.peers.process import Address, free_port

PROFILES = pytest.mark.parametrize("profile", ["mr", "rf"])
PATIENT = {"PatientID": "P1", "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "PatientSex": "M"}
CALLING = {"mr": "OM_MR", "rf": "ADR_MPPS_SCU"}

ONE_AT_N_CREATE = (
    "PerformedProcedureStepID", "PerformedStationAETitle", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime", "PerformedProcedureStepStatus", "Modality", "ScheduledStepAttributesSequence",
)  # fmt: skip
TWO_AT_N_CREATE = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferencedPatientSequence", "PerformedStationName",
    "PerformedLocation", "PerformedProcedureStepDescription", "PerformedProcedureTypeDescription",
    "ProcedureCodeSequence", "PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime", "StudyID",
    "PerformedProtocolCodeSequence", "PerformedSeriesSequence",
)  # fmt: skip
NEVER_IN_N_SET = (
    "ScheduledStepAttributesSequence", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "ReferencedPatientSequence", "PerformedProcedureStepID", "PerformedStationAETitle", "PerformedStationName",
    "PerformedLocation", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "Modality", "StudyID",
)  # fmt: skip
TWO_IN_A_SERIES = (
    "PerformingPhysicianName", "OperatorsName", "SeriesDescription", "RetrieveAETitle", "ReferencedImageSequence",
    "ReferencedNonImageCompositeSOPInstanceSequence",
)  # fmt: skip
"""PS3.4 Table F.7.2-1, written down here a second time."""


def site_of(folder: Path, profile: str, ris: Address, *, warning_is_success: bool = False) -> Path:
    settings = {"mpps_warning_is_success": warning_is_success}
    return write_site(folder, profile, [PeerTable("ris", ris, ["mpps"])], parameters={"behaviour": settings}).path


@contextmanager
def at_ris(folder: Path, profile: str, ris: Ris, *, warning_is_success: bool = False) -> Iterator[Modality]:
    with (
        pynetdicom_ris.serving(ris) as address,
        Modality(site_of(folder, profile, address, warning_is_success=warning_is_success)) as modality,
    ):
        yield modality


def after_a_run(modality: Modality, kind: JobKind, attempts: int = 1) -> Job:
    """The job of a kind, after so many runs that failed."""
    assert modality.wait_until(lambda: any(job.attempts >= attempts for job in modality.jobs.list(kinds=[kind])), 10)
    (job,) = modality.jobs.list(kinds=[kind])
    return job


@for_both(
    mr=["MR-2.4-01", "MR-2.4.2-01", "MR-2.4.2-05", "MR-2.4.1-03", "MR-6-01", "MR-15-02", "MR-15-03", "MR-15-04"],
    rf=["RF-4.1.1-05", "RF-4.1.2.4-02", "RF-4.2.4.3.1.1-03", "RF-4.2.4.3.1.1-05", "RF-4.2.4.3.1.3-08"],
)
def test_attributes_of_a_whole_step(tmp_path: Path, profile: str) -> None:
    ris = Ris()
    with at_ris(tmp_path, profile, ris) as modality:
        with modality.exam(patient=PATIENT, OperatorsName="Operator^O") as exam:
            exam.acquire(quick_source(profile))
        assert modality.wait_until_idle(20)
        (create, uid, created), (set_, same_uid, changes) = ris.requests
        assert (create, set_, uid) == ("N-CREATE", "N-SET", same_uid)
        assert [keyword for keyword in ONE_AT_N_CREATE if not created.get(keyword)] == []
        assert [keyword for keyword in TWO_AT_N_CREATE if keyword not in created] == []
        assert created.PerformedProcedureStepStatus == "IN PROGRESS"
        assert created.Modality == MODALITY[profile]
        assert created.PerformedStationAETitle == CALLING[profile]
        assert str(created.PatientName) == PATIENT["PatientName"]
        assert created.ScheduledStepAttributesSequence[0].StudyInstanceUID == exam.study_instance_uid
        assert [keyword for keyword in NEVER_IN_N_SET if keyword in changes] == []
        assert changes.PerformedProcedureStepStatus == "COMPLETED"
        assert changes.PerformedProcedureStepEndDate
        assert changes.PerformedProcedureStepEndTime
        assert_series(changes, {instance.SOPInstanceUID for instance in exam.instances()})
        assert ris.steps[uid].PerformedProcedureStepStatus == "COMPLETED"
        assert ris.aborted == []


def assert_series(changes: Dataset, made: set[str]) -> None:
    listed = set()
    for series in changes.PerformedSeriesSequence:
        assert series.SeriesInstanceUID
        assert series.ProtocolName
        assert [keyword for keyword in TWO_IN_A_SERIES if keyword not in series] == []
        for references in (series.ReferencedImageSequence, series.ReferencedNonImageCompositeSOPInstanceSequence):
            listed |= {item.ReferencedSOPInstanceUID for item in references}
    assert listed == made


@for_both(mr=["MR-2.4.1-04"], rf=["RF-4.2.4.3.1.3-08"])
def test_a_discontinued_step(tmp_path: Path, profile: str) -> None:
    ris = Ris()
    with at_ris(tmp_path, profile, ris) as modality:
        exam = modality.start_exam(patient=PATIENT)
        add_image(exam.series("T1", ProtocolName="T1"))
        exam.discontinue("110514")
        assert modality.wait_until_idle(20)
        (step,) = ris.steps.values()
        assert step.PerformedProcedureStepStatus == "DISCONTINUED"
        (reason,) = step.PerformedProcedureStepDiscontinuationReasonCodeSequence
        assert reason.CodeValue == "110514"


@for_both(rf=["RF-4.2.4.3.1.3-04"])
@pytest.mark.parametrize("code", [0x0110, 0x0106, 0xC123])
def test_a_step_that_is_refused_waits_for_a_person(tmp_path: Path, profile: str, code: int) -> None:
    ris = Ris()
    ris.answers.append(status(code, ErrorComment="SECRET^NAME"))
    with at_ris(tmp_path, profile, ris) as modality:
        with modality.exam(patient=PATIENT) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        job = after_a_run(modality, JobKind.MPPS_CREATE)
        assert job.state is JobState.FAILED
        assert f"{code:04X}" in job.reason
        assert "SECRET" not in job.reason
        assert modality.wait_until_idle(10)  # what comes after it is held up
        assert [operation for operation, _, _ in ris.requests] == ["N-CREATE"]
        modality.jobs.retry(job.id)
        assert modality.wait_until(lambda: len(ris.requests) == 3, 10)
        assert modality.wait_until_idle(10)
        assert [step.PerformedProcedureStepStatus for step in ris.steps.values()] == ["COMPLETED"]
    assert ris.aborted == [True]


@for_both(rf=["RF-4.2.4.3.1.3-03"])
@pytest.mark.parametrize("is_success", [False, True])
def test_a_value_out_of_range_is_taken_as_the_site_says(tmp_path: Path, profile: str, is_success: bool) -> None:
    ris = Ris()
    ris.answers.append(status(0x0116))
    with at_ris(tmp_path, profile, ris, warning_is_success=is_success) as modality:
        modality.start_exam(patient=PATIENT)
        assert modality.wait_until(lambda: all(job.state.finished for job in modality.jobs.list()), 10)
        (job,) = modality.jobs.list(kinds=[JobKind.MPPS_CREATE])
        assert job.state is (JobState.DONE if is_success else JobState.FAILED)
        if not is_success:
            assert "0116" in job.reason


@PROFILES
def test_the_uid_that_the_ris_assigns_names_the_step(tmp_path: Path, profile: str) -> None:
    ris = Ris()
    ris.answers.append(status(0x0000, AffectedSOPInstanceUID="1.2.3.4.5"))
    with at_ris(tmp_path, profile, ris) as modality:
        exam = modality.start_exam(patient=PATIENT)
        assert modality.wait_until_idle(10)
        uid = add_image(exam.series("T1", ProtocolName="T1"))
        exam.complete()
        assert modality.wait_until_idle(10)
        assert [uid for _, uid, _ in ris.requests][1] == "1.2.3.4.5"
        assert ris.steps["1.2.3.4.5"].PerformedProcedureStepStatus == "COMPLETED"
        (reference,) = dcmread(modality.instance_path(uid)).ReferencedPerformedProcedureStepSequence
        assert reference.ReferencedSOPInstanceUID == "1.2.3.4.5"


@for_both(rf=["RF-4.2.4.3.1.3-06"])
@pytest.mark.parametrize("kept", [False, True])
def test_an_abort_is_tried_again(tmp_path: Path, profile: str, kept: bool) -> None:
    """Whether the RIS has kept the step before it aborted or not, one step is the end of it."""
    ris = Ris()

    def cut(event: object) -> int:
        if kept:
            _, uid, attributes = ris.requests[-1]
            ris.steps[uid] = attributes
        return pynetdicom_ris.abort(event)

    ris.answers.append(cut)
    with at_ris(tmp_path, profile, ris) as modality:
        with modality.exam(patient=PATIENT) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        job = after_a_run(modality, JobKind.MPPS_CREATE)
        assert job.state is JobState.TODO
        assert "abort" in job.reason
        modality.jobs.retry(job.id)
        assert modality.wait_until_idle(10)
        assert [step.PerformedProcedureStepStatus for step in ris.steps.values()] == ["COMPLETED"]
        assert {job.state for job in modality.jobs.list()} == {JobState.DONE}


@PROFILES
def test_the_ris_comes_back_after_the_exam(tmp_path: Path, profile: str) -> None:
    """Images go at once; the step follows in its order, also when the device was switched off in between."""
    ris, images = Ris(), list[Dataset]()
    ris_address = Address("RIS", free_port())

    def keep(event: Any) -> int:
        images.append(event.dataset)
        return 0x0000

    classes = [MRImageStorage, XRayRadiofluoroscopicImageStorage, XRayRadiationDoseSRStorage]
    with pynetdicom_ae.serving(classes, [(evt.EVT_C_STORE, keep)], aet="PACS") as pacs:
        peers = [PeerTable("ris", ris_address, ["mpps"]), PeerTable("pacs", pacs, ["storage"])]
        site = write_site(tmp_path, profile, peers).path
        with Modality(site) as modality:
            with modality.exam(patient=PATIENT) as exam:
                exam.acquire(quick_source(profile))
            job = after_a_run(modality, JobKind.MPPS_CREATE)
            assert str(ris_address.port) in job.reason
            made = {instance.SOPInstanceUID for instance in exam.instances()}
            assert modality.wait_until(lambda: modality.studies()[0].sent == len(made), 10)
        assert {image.SOPInstanceUID for image in images} == made
        assert ris.requests == []
        with pynetdicom_ris.serving(ris, port=ris_address.port), Modality(site) as modality:
            modality.jobs.retry(job.id)
            assert modality.wait_until_idle(20)
    assert [operation for operation, _, _ in ris.requests] == ["N-CREATE", "N-SET"]
    ((uid, step),) = ris.steps.items()
    assert step.PerformedProcedureStepStatus == "COMPLETED"
    assert_series(step, made)
    for image in images:
        if image.Modality != "SR":  # the R/F statement leaves the sequence of its dose report empty
            (reference,) = image.ReferencedPerformedProcedureStepSequence
            assert reference.ReferencedSOPInstanceUID == uid
