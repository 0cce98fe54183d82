"""MPPS jobs against the virtual hospital, well-behaved and not (R/F Tables 4.2-37 and 4.2-38)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality import Modality
from openmodality.dimse.service import Refuse
from openmodality.exam.session import Exam
from openmodality.hospital.hospital import Hospital
from openmodality.jobs.job import Job
from openmodality.standard.dimse import Status
from openmodality.store.states import JobKind, JobState
from tests.devices import add_image, device_in_hospital, in_virtual_hospital
from tests.stand_in import hospital as stand_in


@contextmanager
def begun(
    folder: Path, *misbehaviour: str, profile: str = "rf", more: str = ""
) -> Iterator[tuple[Hospital, Modality, Exam]]:
    """A device with an exam in progress whose N-CREATE has been tried."""
    with in_virtual_hospital(folder, profile, more=more) as (hospital, site), Modality(site) as modality:
        modality.serve()
        hospital.misbehave(*misbehaviour)
        exam = modality.start_exam(patient={"PatientID": "1"})
        assert modality.wait_until(lambda: create_job(modality).state is not JobState.DOING and tried(modality), 10)
        yield hospital, modality, exam


def create_job(modality: Modality) -> Job:
    (job,) = modality.jobs.list(kinds=[JobKind.MPPS_CREATE])
    return job


def tried(modality: Modality) -> bool:
    job = create_job(modality)
    return job.attempts > 0 or job.state in (JobState.DONE, JobState.FAILED)


@pytest.mark.requirement(
    "RF-4.2.4.3.1.3-01", "RF-4.2.4.3.1.1-01", "RF-4.2.4.3.1.1-02", "RF-4.2.4.3.1.1-03", "RF-4.2.4.3.1.1-05",
    "RF-4.2.4.3.1.3-08", "RF-4.2.4.3.1.3-09", "RF-4.2.4.3.1.3-10", "RF-4.1.1-05", "RF-4.1.1-06", "RF-4.1.1-07",
    "RF-4.1.2.4-01", "RF-4.1.2.4-02", "MR-6-01", "MR-6.2.1.1-02", "MR-6.2.1.1-03", "MR-15-03", "MR-15-04",
)  # fmt: skip
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_created_and_completed(tmp_path: Path, profile: str) -> None:
    with begun(tmp_path, profile=profile) as (hospital, modality, exam):
        (step,) = hospital.ris.steps
        assert step.status == "IN PROGRESS"
        for keyword in ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime", "PerformedSeriesSequence"):
            assert step.attributes[keyword].is_empty
        series = exam.series("T1", ProtocolName="PROTOCOL")
        add_image(series)
        assert modality.wait_until_idle(10)
        (step,) = hospital.ris.steps
        assert step.status == "IN PROGRESS"
        exam.complete()
        assert modality.wait_until_idle(10)
        (step,) = hospital.ris.steps
        assert step.status == "COMPLETED"
        assert step.attributes.PerformedProcedureStepEndDate
        (performed,) = step.attributes.PerformedSeriesSequence
        assert (performed.ProtocolName, performed.SeriesInstanceUID) == ("PROTOCOL", series.series_instance_uid)
        for keyword in ("PerformingPhysicianName", "OperatorsName", "SeriesDescription", "RetrieveAETitle"):
            assert keyword in performed


@pytest.mark.requirement("RF-4.2.4.3.1.3-02", "RF-4.2.4.3.1.3-03", "RF-4.2.4.3.1.3-04")
@pytest.mark.parametrize("status", ["0110", "0116", "0107"])
def test_refused(tmp_path: Path, status: str) -> None:
    with begun(tmp_path, f"ris:mpps-{status}") as (_, modality, _exam):
        job = create_job(modality)
        assert job.state is JobState.FAILED
        assert status in job.reason
        assert "no longer be updated" not in job.reason
        probably = (
            "ris probably has the step all the same: set mpps_warning_is_success of [parameters.behaviour] for that"
        )
        assert (probably in job.reason) == (status != "0110")


@pytest.mark.parametrize("status", ["0116", "0107"])
def test_a_retry_tells_a_step_that_is_there_from_one_that_is_not(tmp_path: Path, status: str) -> None:
    with begun(tmp_path, f"ris:mpps-{status}") as (hospital, modality, _exam):
        hospital.behave()
        modality.jobs.retry(create_job(modality).id)
        assert modality.wait_until_idle(10)
        assert "the peer has the step from an earlier request" in create_job(modality).reason
        assert [step.status for step in hospital.ris.steps] == ["IN PROGRESS"]
    with begun(tmp_path / "other", "ris:mpps-0110@1") as (hospital, modality, _exam):
        assert hospital.ris.steps == []
        modality.jobs.retry(create_job(modality).id)
        assert modality.wait_until_idle(10)
        assert create_job(modality).reason == ""
        assert [step.status for step in hospital.ris.steps] == ["IN PROGRESS"]


def test_a_step_that_the_ris_does_not_have_is_named(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality() as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        assert modality.wait_until_idle(10)
        device.hospital.steps.steps.clear()
        exam.discontinue()
        assert modality.wait_until_idle(10)
        (ending,) = modality.jobs.list(kinds=[JobKind.MPPS_SET])
        assert (
            ending.state,
            ending.reason.endswith("; the peer has no such step: it did not take the N-CREATE, or forgot it"),
        ) == (JobState.FAILED, True)


@pytest.mark.parametrize(("profile", "state"), [("mr", JobState.TODO), ("rf", JobState.FAILED)])
def test_a_ris_without_room_is_asked_later_by_the_mr_device(
    tmp_path: Path, profile: str, state: JobState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_no_room(uid: str, attributes: Dataset) -> bool:
        raise Refuse(Status.RESOURCE_LIMITATION)

    with device_in_hospital(tmp_path, profile) as device, device.modality() as modality:
        monkeypatch.setattr(device.hospital.steps, "create", has_no_room)
        modality.start_exam(patient={"PatientID": "1"})
        assert modality.wait_until(lambda: tried(modality), 10)
        assert "0213" in create_job(modality).reason
        assert create_job(modality).state is state


def test_without_its_kit_the_device_tells_no_ris(tmp_path: Path) -> None:
    more = "[parameters.kits]\nmpps = false"
    with device_in_hospital(tmp_path, "rf", more=more) as device, device.modality() as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        add_image(exam.series("T1", ProtocolName="T1"))
        exam.complete()
        assert modality.wait_until_idle(20)
        assert {job.kind for job in modality.jobs.list()} == {JobKind.SEND}
        assert device.hospital.steps.received == []


def test_each_ris_is_told(tmp_path: Path) -> None:
    with stand_in(tmp_path / "second") as (second, port):
        peer = f'[peers.second]\nae_title = "HOSPITAL"\nhost = "127.0.0.1"\nport = {port}\nservices = ["mpps"]'
        with (
            in_virtual_hospital(tmp_path, "mr", more=peer) as (first, site),
            Modality(site) as modality,
        ):
            first.misbehave("ris:mpps-other-uid")
            exam = modality.start_exam(patient={"PatientID": "1"})
            assert modality.wait_until_idle(10)
            (step,) = exam.steps
            assert [told.sop_instance_uid for told in first.ris.steps] == [step.uid]
            assert step.uid != step.sop_instance_uid
            exam.discontinue()
            assert modality.wait_until_idle(10)
            assert [told.status for told in first.ris.steps] == ["DISCONTINUED"]
            assert second.steps.received == [("N-CREATE", step.sop_instance_uid), ("N-SET", step.sop_instance_uid)]
            assert {job.state for job in modality.jobs.list()} == {JobState.DONE}


@pytest.mark.parametrize("status", ["0116", "0107"])
def test_a_warning_is_success_where_the_site_says_so(tmp_path: Path, status: str) -> None:
    more = "[parameters.behaviour]\nmpps_warning_is_success = true"
    with begun(tmp_path, f"ris:mpps-{status}", more=more) as (_, modality, _exam):
        assert create_job(modality).state is JobState.DONE


def test_the_uid_that_the_ris_assigns_holds_from_then_on(tmp_path: Path) -> None:
    with begun(tmp_path, "ris:mpps-other-uid") as (hospital, modality, exam):
        (step,) = hospital.ris.steps
        assert exam.steps[0].uid == step.sop_instance_uid
        assert exam.steps[0].uid != exam.steps[0].sop_instance_uid
        exam.discontinue()
        assert modality.wait_until_idle(10)
        assert [step.status for step in hospital.ris.steps] == ["DISCONTINUED"]


@pytest.mark.requirement("RF-4.2.4.3.1.3-06")
def test_a_lost_answer_is_recognised_when_the_request_is_repeated(tmp_path: Path) -> None:
    with begun(tmp_path, "ris:mpps-lost-answer@1") as (hospital, modality, exam):
        assert create_job(modality).state is JobState.TODO
        assert create_job(modality).reason
        hospital.behave()
        modality.jobs.retry(create_job(modality).id)
        assert modality.wait_until_idle(10)
        hospital.misbehave("ris:mpps-lost-answer@1")
        exam.discontinue()
        assert modality.wait_until(lambda: modality.jobs.list(kinds=[JobKind.MPPS_SET])[0].attempts > 0, 10)
        modality.jobs.retry(modality.jobs.list(kinds=[JobKind.MPPS_SET])[0].id)
        assert modality.wait_until_idle(10)
        assert modality.jobs.list(kinds=[JobKind.MPPS_SET])[0].state is JobState.DONE
        assert [step.status for step in hospital.ris.steps] == ["DISCONTINUED"]


def test_a_step_is_tried_again_where_images_are_not(tmp_path: Path) -> None:
    more = "[parameters.storage]\nretry_delay_min = 0"
    with begun(tmp_path, "ris:mpps-lost-answer@1", more=more) as (_, modality, _exam):
        job = create_job(modality)
        assert (job.state, job.attempts) == (JobState.TODO, 1)
        assert job.due_at is not None


def test_one_request_is_one_attempt(tmp_path: Path) -> None:
    with begun(tmp_path) as (_, modality, _exam):
        (instance,) = modality.jobs.show(create_job(modality).id).instances
        assert instance.attempts == 1


@pytest.mark.requirement("MR-2.4.3-01")
def test_n_set_waits_for_a_n_create_that_failed(tmp_path: Path) -> None:
    with begun(tmp_path, "ris:mpps-0110@1", profile="mr") as (hospital, modality, exam):
        exam.discontinue()
        assert modality.wait_until_idle(10)
        assert hospital.ris.steps == []
        assert modality.jobs.list(kinds=[JobKind.MPPS_SET])[0].state is JobState.TODO
        modality.jobs.retry(create_job(modality).id)
        assert modality.wait_until(lambda: modality.jobs.list(kinds=[JobKind.MPPS_SET])[0].state is JobState.DONE, 10)
        assert [step.status for step in hospital.ris.steps] == ["DISCONTINUED"]


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_ris_and_pacs_down_the_exam_goes_on(tmp_path: Path, profile: str) -> None:
    with in_virtual_hospital(tmp_path, profile) as (hospital, site):
        with Modality(site, works=False) as modality:
            exam = modality.start_exam(patient={"PatientID": "1"})
            add_image(exam.series("T1", ProtocolName="T1"))
            exam.complete()
            assert exam.state == "COMPLETED"
            assert not modality.wait_until_idle(0)
        assert hospital.ris.steps == []
        with Modality(site) as modality:
            modality.serve()
            assert modality.wait_until_idle(20)
        assert [step.status for step in hospital.ris.steps] == ["COMPLETED"]
        assert len(hospital.pacs.instances) == 1
