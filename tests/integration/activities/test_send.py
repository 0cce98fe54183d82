"""Send jobs against a hospital that answers as it is told (R/F Table 4.2-7, DECISIONS)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

import pytest

from openmodality import Modality
from openmodality.errors import ProtocolError
from openmodality.jobs.job import Job
from openmodality.services.storage import StoreRequest
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.devices import Device, add_image, device_in_hospital, in_virtual_hospital
from tests.unit.jobs.conftest import Clock


@contextmanager
def two_images(
    folder: Path, profile: str, status: int, *, peer: str = "", more: str = ""
) -> Iterator[tuple[Device, Modality, Job]]:
    """The send job of two images, of which the first is answered with ``status``, after its first run."""
    first: list[str] = []

    def answer(request: StoreRequest) -> int:
        first.append(request.identity.sop_instance_uid)
        return status if request.identity.sop_instance_uid == first[0] else 0

    with device_in_hospital(folder, profile, peer=peer, more=more) as device, device.modality() as modality:
        device.hospital.store_status = answer
        with modality.exam(patient={"PatientID": "1"}) as exam:
            series = exam.series("T1", ProtocolName="T1")
            for number in (1, 2):
                add_image(series, number)
        assert wait_for_run(modality)
        (job,) = modality.jobs.list(kinds=[JobKind.SEND])
        yield device, modality, job


def wait_for_run(modality: Modality) -> bool:
    """Wait until each send job has run: it is done, failed, or due again later."""

    def has_run() -> bool:
        jobs = modality.jobs.list(kinds=[JobKind.SEND])
        return all(job.state in (JobState.DONE, JobState.FAILED) or job.attempts > 0 for job in jobs)

    return modality.wait_until(has_run, 10)


def results(modality: Modality, job: Job) -> list[InstanceResult]:
    return [instance.result for instance in modality.jobs.show(job.id).instances]


@pytest.mark.requirement(
    "RF-4.2.1.3.1.3-02", "RF-4.2.1.3.1.3-03", "RF-4.2.1.3.1.3-04", "RF-4.2.1.3.1.3-06"
)  # fmt: skip
@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0xA700, JobState.TODO),
        (0xA7FF, JobState.TODO),
        (0xA900, JobState.FAILED),
        (0xC123, JobState.FAILED),
        (0x0122, JobState.FAILED),
    ],
)
def test_rf_ends_at_the_first_instance_that_is_not_stored(tmp_path: Path, status: int, state: JobState) -> None:
    with two_images(tmp_path, "rf", status) as (device, modality, job):
        assert job.state is state
        assert f"{status:04X}" in job.reason
        assert results(modality, job) == [InstanceResult.FAILURE, InstanceResult.PENDING]
        assert modality.jobs.show(job.id).instances[0].status == status
        assert device.hospital.stored == []


@pytest.mark.parametrize(
    ("status", "state"), [(0xA700, JobState.TODO), (0xA900, JobState.FAILED), (0xC123, JobState.FAILED)]
)
def test_mr_goes_on_with_the_next_instance(tmp_path: Path, status: int, state: JobState) -> None:
    with two_images(tmp_path, "mr", status) as (device, modality, job):
        assert job.state is state
        assert results(modality, job) == [InstanceResult.FAILURE, InstanceResult.SUCCESS]
        assert len(device.hospital.stored) == 1


@pytest.mark.requirement("RF-4.2.1.3.1.3-01", "RF-4.2.1.3.1.1-02", "RF-4.2.1.3.1.1-04", "RF-4.2.1.3.1.1-01")
def test_several_images_over_one_association(tmp_path: Path) -> None:
    with two_images(tmp_path, "rf", 0) as (device, modality, job):
        assert job.state is JobState.DONE
        assert results(modality, job) == [InstanceResult.SUCCESS, InstanceResult.SUCCESS]
        storing = [request for request in device.hospital.requests if request.calling_ae_title == "ADR_STORAGE_SCU"]
        assert len(storing) == 1


@pytest.mark.requirement("RF-4.2.1.3.1.3-05")
@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007, 0x0111])
def test_stored_with_a_warning_or_as_a_duplicate(tmp_path: Path, status: int) -> None:
    with two_images(tmp_path, "rf", status) as (_, modality, job):
        assert job.state is JobState.DONE
        assert results(modality, job) == [InstanceResult.WARNING, InstanceResult.SUCCESS]


@pytest.mark.requirement("RF-4.2.1.3.1.3-05")
def test_warnings_fail_where_the_site_says_so(tmp_path: Path) -> None:
    more = "[parameters.behaviour]\nstore_warnings_are_success = false"
    with two_images(tmp_path, "rf", 0xB000, more=more) as (_, modality, job):
        assert job.state is JobState.FAILED
        assert results(modality, job) == [InstanceResult.FAILURE, InstanceResult.PENDING]


def test_a_peer_s_own_meaning_of_a_status(tmp_path: Path) -> None:
    peer = '[peers.hospital.statuses]\n"C123" = "success"\n'
    with two_images(tmp_path, "rf", 0xC123, peer=peer) as (_, _modality, job):
        assert job.state is JobState.DONE


@pytest.mark.requirement("RF-4.2.1.3.1.3-09", "RF-4.2.1.3.1.1-03", "RF-4.1.2.1-03")
def test_only_what_has_no_success_is_sent_again(tmp_path: Path) -> None:
    with two_images(tmp_path, "mr", 0xA700) as (device, modality, job):
        assert (job.state, job.attempts) == (JobState.TODO, 1)
        assert job.due_at is not None
        device.hospital.store_status = lambda request: 0
        modality.jobs.retry(job.id)
        assert modality.wait_until_idle(10)
        assert results(modality, job) == [InstanceResult.SUCCESS, InstanceResult.SUCCESS]
        uids = [arrival.request.identity.sop_instance_uid for arrival in device.hospital.stored]
        assert len(uids) == len(set(uids)) == 2


def test_a_refusal_for_good_does_not_stop_the_retry_of_what_may_pass(tmp_path: Path) -> None:
    clock = Clock(time())
    seen: list[str] = []

    def answer(request: StoreRequest) -> int:
        seen.append(request.identity.sop_instance_uid)
        return {1: 0xA900, 2: 0xA700}.get(len(seen), 0)

    with device_in_hospital(tmp_path, "mr") as device, Modality(device.site, clock=clock) as modality:
        device.hospital.store_status = answer
        with modality.exam(patient={"PatientID": "1"}) as exam:
            uids = [add_image(exam.series("T1"), number) for number in (1, 2)]
        assert modality.wait_until(lambda: len(seen) == 2 and wait_for_run(modality), 10)
        (job,) = modality.jobs.list(kinds=[JobKind.SEND])
        assert (job.state, results(modality, job)) == (JobState.TODO, [InstanceResult.FAILURE, InstanceResult.FAILURE])
        clock.now += 301
        assert modality.wait_until(lambda: modality.jobs.show(job.id).job.state is JobState.FAILED, 10)
        assert results(modality, job) == [InstanceResult.FAILURE, InstanceResult.SUCCESS]
        assert "A900" in modality.jobs.show(job.id).job.reason
        assert seen == [*uids, uids[1]]
        modality.jobs.retry(job.id)
        assert modality.wait_until(lambda: modality.jobs.show(job.id).job.state is JobState.DONE, 10)
        assert seen == [*uids, uids[1], uids[0]]


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_an_image_at_which_the_archive_aborts_keeps_no_other_and_is_named(tmp_path: Path, profile: str) -> None:
    """In the first run already, and it comes last in each."""
    seen: list[str] = []

    def answer(request: StoreRequest) -> int:
        seen.append(request.identity.sop_instance_uid)
        if request.identity.sop_instance_uid == uids[1]:
            raise ProtocolError("an image that this archive cannot bear")
        return 0

    with device_in_hospital(tmp_path, profile) as device, device.modality() as modality:
        device.hospital.store_status = answer
        with modality.exam(patient={"PatientID": "1"}) as exam:
            series = exam.series("T1", ProtocolName="T1")
            uids = [add_image(series, number) for number in range(1, 5)]
        assert wait_for_run(modality)
        (job,) = modality.jobs.list(kinds=[JobKind.SEND])
        assert seen == [*uids, uids[1]]
        wanted = {uid: InstanceResult.FAILURE if uid == uids[1] else InstanceResult.SUCCESS for uid in uids}
        assert {each.SOPInstanceUID: each.result for each in modality.jobs.show(job.id).instances} == wanted
        assert job.state is not JobState.DONE
        assert "aborted the association" in job.reason
        assert uids[1] in job.reason


def test_a_retry_begins_with_what_was_not_offered(tmp_path: Path) -> None:
    """As after an archive that aborted at too many in a row to go on."""
    seen: list[str] = []
    culprits: set[str] = set()

    def answer(request: StoreRequest) -> int:
        seen.append(request.identity.sop_instance_uid)
        if request.identity.sop_instance_uid in culprits:
            raise ProtocolError("an image that this archive cannot bear")
        return 0

    with device_in_hospital(tmp_path, "mr") as device:
        device.hospital.store_status = answer
        with device.modality(works=False) as modality, modality.exam(patient={"PatientID": "1"}) as exam:
            series = exam.series("T1", ProtocolName="T1")
            uids = [add_image(series, number) for number in range(1, 7)]
        culprits.update(uids[:4])
        with device.modality() as modality:
            assert wait_for_run(modality)
            (job,) = modality.jobs.list(kinds=[JobKind.SEND])
            assert (seen, results(modality, job)[3:]) == (uids[:3], [InstanceResult.PENDING] * 3)
            seen.clear()
            modality.jobs.retry(job.id)
            assert modality.wait_until(lambda: len(seen) > 8, 10)
            assert wait_for_run(modality)
            assert seen[:6] == [*uids[3:], *uids[:3]]
            assert results(modality, job) == [InstanceResult.FAILURE] * 4 + [InstanceResult.SUCCESS] * 2


def test_a_ris_that_does_not_answer_holds_up_no_image(tmp_path: Path) -> None:
    """MR has one AE for both: the send waits in the queue, and comes next, before the other steps that are due."""
    more = "[parameters.mpps]\ncreate_response_timeout_s = 1"
    with in_virtual_hospital(tmp_path, "mr", more=more) as (hospital, site):
        with Modality(site, works=False) as modality:
            exams = [modality.start_exam(patient={"PatientID": str(number)}) for number in range(3)]
            add_image(exams[0].series("T1", ProtocolName="T1"))
            exams[0].complete()
            hospital.misbehave("ris:mpps-hang")
        with Modality(site) as modality:
            stepping = [modality.jobs.list(kinds=[JobKind.MPPS_CREATE])[number].id for number in range(3)]
            assert wait_for_run(modality)
            tried = [modality.jobs.show(job).job.attempts for job in stepping]
        assert len(hospital.pacs.instances) == 1
        assert sum(tried) <= 1


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        with modality.exam(patient={"PatientID": "1"}) as exam:
            uid = add_image(exam.series("T1"))
        modality.instance_path(uid).unlink()
        with device.modality() as again:
            assert wait_for_run(again)
            (job,) = again.jobs.list(kinds=[JobKind.SEND])
            assert job.state is JobState.FAILED
            assert "missing or damaged" in job.reason


@pytest.mark.requirement("MR-3.2.3.1-02", "MR-3.2.3.1-03")
def test_a_sop_class_that_the_peer_may_not_get(tmp_path: Path) -> None:
    others = ("1.2.840.10008.1.1", "1.2.840.10008.1.20.1", "1.2.840.10008.5.1.4.31", "1.2.840.10008.3.1.2.3.3")
    peer = f"sop_classes = {json.dumps(['SecondaryCaptureImageStorage', *others])}"
    with two_images(tmp_path, "mr", 0, peer=peer) as (device, _, job):
        assert job.state is JobState.FAILED
        assert device.hospital.stored == []
