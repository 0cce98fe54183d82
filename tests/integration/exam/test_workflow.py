"""States of an exam, and what a new process makes of one that was left in the middle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from sqlalchemy import update

from openmodality import Modality
from openmodality.acquisition.drop_folder import DroppedFile, make_arrival_key
from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.exam.workflow import Workflow
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import Ending, ExamRecord
from openmodality.store.rows.exams import save_exam
from openmodality.store.schema import performed_steps
from openmodality.store.states import ExamState, JobKind, JobState
from tests.devices import add_image, device_in_hospital, quick_source, today


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_an_ending_that_was_noted_is_carried_out_at_the_next_start(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile, today(profile)) as device:
        with device.modality(works=False) as modality:
            exam = modality.start_exam(modality.worklist()[0])
            exam.acquire(quick_source(profile))
            with modality._store.write() as connection:
                save_exam(connection, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
        with device.modality() as modality:
            assert modality.find_exam(exam.id).state == "COMPLETED"
            assert modality.wait_until_idle(10)
            (step,) = device.hospital.steps.steps.values()
            assert step.PerformedProcedureStepStatus == "COMPLETED"
            assert len(device.hospital.stored) == len(modality.instances()) == (2 if profile == "mr" else 4)


def test_images_that_nobody_queued_are_queued_at_the_next_start(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        with device.modality(works=False) as modality:
            exam = modality.start_exam(patient={"PatientID": "1"})
            uid = add_image(exam.series("T1"))
            assert modality.jobs.list(kinds=[JobKind.SEND]) == []
        with device.modality() as modality:
            assert modality.wait_until_idle(10)
            assert [arrival.request.identity.sop_instance_uid for arrival in device.hospital.stored] == [uid]
            assert modality.find_exam(exam.id).state == "IN PROGRESS"


def test_one_process_works_the_queue(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality() as first:
        with device.modality() as second:
            assert (first.works_queue, second.works_queue) == (True, False)
            with pytest.raises(StoreError, match="another process serves"):
                second.serve()
            with second.exam(patient={"PatientID": "1"}) as exam:
                add_image(exam.series("T1"))
            assert second.wait_until_idle(10)  # the first has done it
        assert [job.state for job in first.jobs.list()] == [JobState.DONE] * 3


def test_states_refuse_what_makes_no_sense(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        with pytest.raises(UsageError, match="has no image"):
            exam.complete()
        with pytest.raises(UsageError, match="CID 9300"):
            exam.discontinue("999999")
        with pytest.raises(UsageError, match="no images of modality CT; it makes MR"):
            exam.series("T1", modality="CT")
        exam.discontinue()
        with pytest.raises(UsageError, match="DISCONTINUED already"):
            exam.complete()
        with pytest.raises(UsageError, match="is DISCONTINUED"):
            exam.series("T1")
        with pytest.raises(UsageError, match="Patient ID"):
            modality.start_exam()
        with pytest.raises(UsageError, match="Patient ID"):
            modality.start_exam(patient={"PatientID": " ", "PatientName": " "})
        born = {"PatientID": "1", "PatientName": "A^B", "PatientBirthDate": "20991231"}
        with pytest.raises(ObjectInvalid, match="PatientBirthDate: a day after today"):
            modality.start_exam(patient=born)
        with pytest.raises(ObjectInvalid, match="PatientSize: more than 4 m"):
            modality.register(born | {"PatientBirthDate": ""}, PatientSize=170)
        with pytest.raises(UsageError, match="no exam 99"):
            modality.find_exam(99)
        with pytest.raises(UsageError, match="no worklist item 99"):
            modality.start_exam(99)


def test_an_exam_that_another_process_ended_takes_no_image(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as here:
        exam = here.start_exam(patient={"PatientID": "1"})
        series = exam.series("T1")
        uid = add_image(series)
        with device.modality(works=False) as there:
            ended = there.find_exam(exam.id).complete()
            with pytest.raises(UsageError, match=f"exam {exam.id} is COMPLETED"):
                add_image(series, 2)
            assert [each.SOPInstanceUID for each in ended.instances()] == [uid]
            assert [each.name for each in device.site.parent.rglob("*.dcm")] == [f"{uid}.dcm"]
            ended.begin()
            with pytest.raises(UsageError, match="another performed step"):
                add_image(series, 2)
        with here._store.write() as connection:
            save_exam(connection, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
        with pytest.raises(UsageError, match="about to be COMPLETED"):
            exam.series("T2")


def test_an_ending_is_not_replaced_by_another(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        add_image(exam.series("T1"))
        with modality._store.write() as connection:
            save_exam(connection, replace(exam.record, ending=Ending(StepStatus.COMPLETED, 1.7e9)))
        with pytest.raises(UsageError, match="about to be COMPLETED"):
            exam.discontinue("110514")
        with pytest.raises(ZeroDivisionError), exam:
            _ = 1 / 0
        assert exam.state == "IN PROGRESS"
        assert exam.complete().state == "COMPLETED"


def test_two_processes_carry_out_an_ending_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        device_in_hospital(tmp_path, "rf") as device,
        device.modality(works=False) as here,
        device.modality(works=False) as there,
    ):
        exam = here.start_exam(patient={"PatientID": "1"})
        exam.acquire(quick_source("rf"))
        make_at_end = Workflow._make_at_end

        def overtaken(*arguments: Any) -> ExamRecord:
            monkeypatch.undo()
            there.find_exam(exam.id).complete()
            return make_at_end(*arguments)

        monkeypatch.setattr(Workflow, "_make_at_end", overtaken)
        assert exam.complete().state == "COMPLETED"
        assert len(here.jobs.list(kinds=[JobKind.MPPS_SET])) == 1
        assert len(exam.record.series) == 2
        assert len(exam.instances()) == 4  # two images, a PARTIAL and a COMPLETE dose report


def test_images_that_came_after_the_end_are_queued_at_the_next_start(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        with device.modality(works=False) as modality:
            exam = modality.start_exam(patient={"PatientID": "1"})
            uids = {add_image(exam.series("T1"))}
            running = exam.record
            exam.complete()
            with modality._store.write() as connection:  # a process died between naming a file and indexing it
                connection.execute(update(performed_steps).values(state="IN PROGRESS"))
                save_exam(connection, running)
            uids.add(add_image(exam.series("T2")))
            with modality._store.write() as connection:
                connection.execute(update(performed_steps).values(state="COMPLETED"))
                save_exam(connection, replace(exam.record, state=ExamState.COMPLETED, ended_at=running.created_at))
        with device.modality() as modality:
            assert modality.wait_until_idle(10)
            stored = [arrival.request.identity.sop_instance_uid for arrival in device.hospital.stored]
            assert sorted(stored) == sorted(uids)
            assert modality.find_exam(exam.id).state == "COMPLETED"


def test_an_exam_in_progress_and_what_is_queued_cannot_be_deleted(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        add_image(exam.series("T1"))
        with pytest.raises(StoreError, match="in progress"):
            modality.delete("STUDY", exam.study_instance_uid, force=True)
        exam.complete()
        with pytest.raises(StoreError, match="unfinished jobs"):
            modality.delete("STUDY", exam.study_instance_uid, force=True)


def test_a_file_of_a_watched_folder_makes_the_same_images_twice(tmp_path: Path) -> None:
    path = tmp_path / "image.npy"
    np.save(path, np.ones((8, 8), np.uint16))
    with device_in_hospital(tmp_path, "rf") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        arrival = DroppedFile(path, make_arrival_key(path))
        exam.take(arrival)
        exam.take(arrival)
        assert len(exam.instances()) == len(exam.record.series) == 1


def test_by_hand_to_a_peer(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        uid = add_image(exam.series("T1"))
        (job,) = modality.send(exam.study_instance_uid)
        assert [instance.SOPInstanceUID for instance in modality.jobs.show(job.id).instances] == [uid]
        with pytest.raises(UsageError, match="no such instances"):
            modality.send("1.2.3")
        assert modality.jobs.cancel(job.id).state is JobState.CANCELLED


def test_import_files_and_folders(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path / "one", "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        uid = add_image(exam.series("T1"))
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "image").write_bytes(modality.instance_path(uid).read_bytes())
        (folder / "note.txt").write_text("no DICOM", "utf-8")
        with device_in_hospital(tmp_path / "two", "mr") as other, Modality(other.site, works=False) as there:
            imported = there.import_files([folder])
            assert (imported.new, imported.same, imported.passed_over, imported.refused) == (1, 0, 1, [])
            assert there.import_files([folder]).same == 1
            assert [found["SOPInstanceUID"] for found in there.instances()] == [uid]
            with pytest.raises(UsageError, match="no such file"):
                there.import_files([tmp_path / "nothing"])


@pytest.mark.requirement("RF-8.1.1.6-05")
def test_a_body_part_that_the_operator_gives_is_one_of_the_device(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf") as device, device.modality(works=False) as modality:
        assert "KNEE" in modality.body_parts
        with pytest.raises(UsageError, match="'KNIE' is no Body Part Examined") as caught:
            modality.start_exam(patient={"PatientID": "1"}, BodyPartExamined="KNIE")
        assert "KNEE" in caught.value.advice
        exam = modality.start_exam(patient={"PatientID": "1"}, BodyPartExamined="KNEE")
        with pytest.raises(UsageError, match="'TAIL' is no Body Part Examined"):
            exam.series("T1", BodyPartExamined="TAIL")
        uid = add_image(exam.series("T1", BodyPartExamined="ELBOW"))
        assert dcmread(modality.instance_path(uid)).BodyPartExamined in ("ELBOW", "KNEE")


def test_a_scheduled_body_part_that_the_device_does_not_know_is_told(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", today("rf")) as device, device.modality(works=False) as modality:
        (item, *_) = modality.worklist()
        item.attributes.BodyPartExamined = "TAIL"
        exam = modality.start_exam(item)
        assert any("'TAIL', which this device does not list" in notice for notice in exam.notices)


def test_the_name_of_a_companion_is_never_the_patients(tmp_path: Path) -> None:
    """The exam has no name, the file that came with the pixels has one: it may be of somebody else."""
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1"})
        file = tmp_path / "a.npy"
        np.save(file, np.arange(16, dtype=np.uint16).reshape(4, 4))
        geometry = {"PixelSpacing": [1, 1], "SliceThickness": 5, "ImagePositionPatient": [0, 0, 0]}
        said = geometry | {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PatientName": "Roe^Rita", "PatientSex": "F"}
        file.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
        (series,) = exam.take(DroppedFile(file, make_arrival_key(file)))
        (instance,) = modality.instances()
        image = dcmread(modality.instance_path(instance["SOPInstanceUID"]))
        assert (str(image.PatientName), image.PatientSex) == ("", "")
        assert series.overridden == ("PatientSex",)
