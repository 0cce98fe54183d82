"""The device's storage and storage commitment against Orthanc, which reports on an association of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.store.transaction import Clock
from tests.devices import add_image, quick_source
from tests.interop.sites import PeerTable, for_both, write_site
from tests.peers import orthanc
from tests.peers.process import Address, free_port

SERVICES = ["verification", "storage", "storage_commitment"]
TITLES = {"mr": "OM_MR", "rf": "ADR_S_COMM_SCU"}
PATIENT = {"PatientID": "P1", "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"}

pytestmark = pytest.mark.needs("Orthanc")


@contextmanager
def at_orthanc(
    folder: Path, profile: str, *, automatic: bool, clock: Clock = time.time
) -> Iterator[tuple[Modality, orthanc.Orthanc]]:
    """A device that listens, and the Orthanc that knows where."""
    port = free_port()
    known = {"device": Address(TITLES[profile], port)}
    with orthanc.orthanc(folder / "orthanc", known=known) as archive:
        peer = PeerTable("pacs", archive, SERVICES, {"automatic_commitment": automatic})
        site = write_site(folder, profile, [peer], port=port)
        with Modality(site.path, clock=clock) as modality:
            modality.serve()
            yield modality, archive


@for_both(
    mr=[
        "MR-2.1-05",
        "MR-2.1.1-07",
        "MR-3-04",
        "MR-3-19",
        "MR-3-20",
        "MR-3.2.4.1-01",
        "MR-3.2.4.3.1-01",
        "MR-3.2.3.3-01",
        "MR-3-14",
    ],
    rf=[
        "RF-4.1.1-02",
        "RF-4.1.1-03",
        "RF-4.1.2.1-04",
        "RF-4.1.2.2-01",
        "RF-4.1.2.2-02",
        "RF-4.2.2.4.1.1-01",
        "RF-4.2.2.4.1.1-02",
    ],
)
def test_an_exam_is_stored_and_committed(tmp_path: Path, profile: str) -> None:
    with at_orthanc(tmp_path, profile, automatic=True) as (modality, archive):
        assert modality.echo("pacs") == 0
        with modality.exam(patient=PATIENT) as exam:
            exam.acquire(quick_source(profile))
        assert modality.wait_until_idle(20)
        assert {job.state for job in modality.jobs.list()} == {JobState.DONE}
        made = sorted(instance.SOPInstanceUID for instance in exam.instances())
        assert archive.instances() == made
        (study,) = modality.studies()
        assert (study.sent, study.committed) == (len(made), len(made))
        (stored,) = archive.rest.get("/studies", params={"expand": ""}).json()
        assert stored["MainDicomTags"]["StudyInstanceUID"] == exam.study_instance_uid
        assert stored["PatientMainDicomTags"]["PatientName"] == PATIENT["PatientName"]


@for_both(mr=["MR-3.2.4.3.1-01", "MR-3.2.4.3.1-02", "MR-3.2.4.1-02"], rf=["RF-4.2.2.4.1.3.1-02"])
def test_what_the_archive_lost_is_sent_and_asked_for_again(
    tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wait of the device, for the archive to index and then to be sent to again, is over as soon as it begins."""
    ahead_s = [0.0]

    def pass_over_waits(modality: Modality) -> bool:
        waits = [job.due_at for job in modality.jobs.list(states=[JobState.TODO, JobState.WAITING]) if job.due_at]
        if waits:
            ahead_s[0] = max(ahead_s[0], max(waits) - time.time() + 1)
        return modality.jobs.idle

    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    with at_orthanc(tmp_path, profile, automatic=False, clock=lambda: time.time() + ahead_s[0]) as (modality, archive):
        with modality.exam(patient=PATIENT) as exam:
            series = exam.series("T1", ProtocolName="T1")
            kept, lost = (add_image(series, number) for number in (1, 2))
        assert modality.wait_until_idle(20)
        assert archive.instances() == sorted([kept, lost])
        (number,) = archive.rest.post("/tools/lookup", content=lost).json()
        archive.rest.delete(number["Path"]).raise_for_status()
        asked = modality.commit(exam.study_instance_uid)
        assert modality.wait_until(lambda: pass_over_waits(modality), 30)
        results = {each.SOPInstanceUID: each for each in modality.jobs.show(asked.id).instances}
        assert results[kept].result is InstanceResult.SUCCESS
        assert (results[lost].result, results[lost].status) == (InstanceResult.FAILURE, 0x0112)
        assert "0112" in modality.jobs.show(asked.id).job.reason
        again = [job for job in modality.jobs.list() if job.id > asked.id]
        assert {job.kind: job.state for job in again} == {JobKind.SEND: JobState.DONE, JobKind.COMMIT: JobState.DONE}
        for job in again:
            (one,) = modality.jobs.show(job.id).instances
            assert (one.SOPInstanceUID, one.result) == (lost, InstanceResult.SUCCESS)
        assert archive.instances() == sorted([kept, lost])
        assert [study.committed for study in modality.studies()] == [2]


def test_an_archive_that_comes_back_gets_what_waits(tmp_path: Path) -> None:
    port = free_port()
    archive_address = Address("ORTHANC", port)
    peer = PeerTable("pacs", archive_address, SERVICES, {"automatic_commitment": True})
    site = write_site(tmp_path, "mr", [peer])
    known = {"device": site.device}
    with Modality(site.path) as modality:
        modality.serve()
        with modality.exam(patient=PATIENT) as exam:
            uid = add_image(exam.series("T1"))
        assert modality.wait_until(lambda: any(job.attempts for job in modality.jobs.list(kinds=[JobKind.SEND])), 10)
        (waiting,) = modality.jobs.list(kinds=[JobKind.SEND])
        assert waiting.state is JobState.TODO
        assert str(port) in waiting.reason
        with orthanc.orthanc(tmp_path / "orthanc", known=known, settings={"DicomPort": port}) as archive:
            modality.jobs.retry(waiting.id)
            assert modality.wait_until_idle(20)
            assert archive.instances() == [uid]
        assert [study.committed for study in modality.studies()] == [1]
