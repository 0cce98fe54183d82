"""No patient data where it does not belong: a marked patient's exam in which things go wrong, and then a search.

The mark is in every attribute of the worklist item that a person can fill, and in the peer's Error Comments.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from openmodality import Modality
from openmodality.acquisition.drop_folder import DropFolder, DroppedFile, FolderState
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.exam.session import Exam
from openmodality.services.commitment import CommitmentRequest, CommitmentResult, Failure
from tests.devices import Device, add_image, device_in_hospital, today

MARK = "XQZMARK"
SEARCHED = ("jobs", "job_instances", "events", "commitments", "commitment_instances", "job_dependencies")


def marked(profile: str) -> Dataset:
    (item,) = today(profile, name=f"{MARK}^{MARK}", patient_id=MARK)
    for keyword in ("PatientComments", "MedicalAlerts", "Allergies", "RequestedProcedureDescription", "PatientAddress"):
        setattr(item, keyword, MARK)
    item.AccessionNumber = f"{MARK}A"
    item.RequestedProcedureID = f"{MARK}R"
    item.ReferringPhysicianName = f"{MARK}^R"
    (step,) = item.ScheduledProcedureStepSequence
    step.ScheduledProcedureStepID, step.ScheduledProcedureStepDescription = f"{MARK}S", MARK
    step.ScheduledPerformingPhysicianName = f"{MARK}^P"
    return item


def everything(caplog: pytest.LogCaptureFixture) -> str:
    """All log records with all their fields and traces, as text."""
    formatter = logging.Formatter("%(message)s")
    return "\n".join(f"{formatter.format(record)} {vars(record)}" for record in caplog.records)


def rows(modality: Modality) -> str:
    database = modality.site.data_folder / "openmodality.db"
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(str(row) for table in SEARCHED for row in connection.execute(f"select * from {table}"))


def refuse_companion(exam: Exam, folder: Path) -> str:
    """Put a file with a companion that is refused into a watched folder; the texts that a person gets to read."""
    said = []

    def deliver(arrival: DroppedFile) -> None:
        try:
            exam.take(arrival)
        except ObjectInvalid as error:
            said.append(str(error))
            raise

    folder.mkdir()
    for keyword in ("AcquisitionDate", "PatientAge", "Modality"):
        np.save(folder / f"{keyword}.npy", np.ones((2, 2), np.uint8))
        (folder / f"{keyword}.json").write_text(json.dumps({keyword: f"{MARK}&"}), encoding="utf-8")
        (folder / f"{keyword}.npy.done").touch()
    DropFolder(folder, deliver).step(FolderState(), 0.0)
    reasons = sorted((folder / "failed").glob("*.txt"))
    assert len(reasons) == len(said) == 3
    return "\n".join([*said, *(reason.read_text(encoding="utf-8") for reason in reasons)])


def refuse_some(device: Device) -> None:
    """Fail one instance of two, and the first commitment."""
    seen: list[str] = []

    def status(request: object) -> int:
        seen.append("")
        return 0xC000 if len(seen) == 2 else 0

    def commitment(hospital: object, request: CommitmentRequest) -> tuple[str, CommitmentResult]:
        failed = tuple(Failure(reference, 0x0112) for reference in request.references)
        return "same", CommitmentResult(request.transaction_uid, (), failed)

    device.hospital.store_status = status
    device.hospital.decide_commitment = commitment


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_no_mark_in_logs_errors_jobs_and_events(tmp_path: Path, profile: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    errors: list[str] = []
    item = marked(profile)
    with (
        device_in_hospital(tmp_path, profile, [item], peer="automatic_commitment = true") as device,
        device.modality() as modality,
    ):
        refuse_some(device)
        modality.serve()
        (found,) = modality.worklist()
        assert found["PatientID"] == MARK
        with modality.exam(found, OperatorsName=f"{MARK}^O") as exam:
            series = exam.series(f"{MARK} series", ProtocolName=MARK)
            uids = [add_image(series, number) for number in (1, 2)]
            for broken in ({"PatientComments": [object()]}, {"Rows": MARK}, {MARK[:3]: MARK}):
                with pytest.raises(OpenModalityError) as raised:
                    series.add(b"", **broken)  # type: ignore[arg-type]
                errors.append(f"{raised.value} {raised.value.advice}")
            with pytest.raises(OpenModalityError) as raised:
                exam.series(f"{MARK} series", EchoTime="none")
            errors += [str(raised.value), refuse_companion(exam, tmp_path / "watched")]
        with pytest.raises(OpenModalityError) as raised:
            modality.delete("STUDY", exam.study_instance_uid)
        errors.append(str(raised.value))
        modality.wait_until_idle(5)
        modality.commit(exam.study_instance_uid)
        modality.wait_until_idle(5)
        assert any(job.reason for job in modality.jobs.list())
        kept = rows(modality)
    for uid in uids:
        assert uid in kept
    for text in (everything(caplog), kept, "\n".join(errors)):
        assert text
        assert MARK not in text
