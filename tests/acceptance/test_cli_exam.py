from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from openmodality import Modality
from tests.acceptance.command_line import Ended, finish, serving, start
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call, openmodality
from tests.peers.process import wait_until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with in_hospital(tmp_path) as place:
        assert call(["worklist", "-c", str(place.site)], tmp_path)[0] == 0
        yield place


def exam(place: Place, *arguments: object) -> Ended:
    return openmodality("exam", *arguments, "-c", place.site)


def shown(place: Place, number: int = 1) -> dict[str, Any]:
    return exam(place, "show", number, "--json").item


def test_scheduled_exam_step_by_step(place: Place) -> None:
    items = openmodality("worklist", "-c", place.site, "--json").items
    chosen = items[2]["attributes"]
    started = exam(place, "start", chosen["AccessionNumber"], "-k", "OperatorsName=Doe^Jane")
    assert started.status == 0
    assert started.out.startswith(f"exam 1 IN PROGRESS: {chosen['PatientName']}, {chosen['PatientID']}")
    with serving(place.site):
        wait_until(lambda: [step.status for step in place.hospital.ris.steps] == ["IN PROGRESS"], what="the step")
        acquired = exam(place, "acquire", 1, "--simulate", "t1 se sag", "--seed", 7)
        assert (acquired.status, acquired.out) == (0, "exam 1: 9 images made\n")
        completed = exam(place, "complete", chosen["StudyInstanceUID"][:20])
        assert (completed.status, completed.err) == (0, "")
        wait_until(lambda: shown(place)["committed"] == 9, timeout_s=30, what="commitment")
        reported = ["IN PROGRESS to ris: done", "COMPLETED to ris: done"]
        wait_until(lambda: shown(place)["steps"][0]["reported"] == reported, what="both reports to the RIS")
    details = shown(place)
    assert (details["state"], details["sent"], details["series"][0]["SeriesDescription"]) == (
        "COMPLETED",
        9,
        "T1 SE SAG",
    )
    assert [step.status for step in place.hospital.ris.steps] == ["COMPLETED"]
    assert len(place.hospital.pacs.instances) == 9
    assert place.hospital.complaints == []
    text = exam(place, "show", 1).out
    assert chosen["PatientName"] in text
    listed = exam(place, "list")
    assert "COMPLETED" in listed.out.splitlines()[1]


def test_unscheduled_exam_from_files_appended_and_discontinued(place: Place, tmp_path: Path) -> None:
    started = exam(place, "unscheduled", "--patient-id", "U-1", "--patient-name", "Doe^John", "--sex", "M", "--json")
    assert (started.status, started.item["scheduled"], started.item["patient_id"]) == (0, False, "U-1")
    assert started.item["accession_number"]
    pixels = tmp_path / "slice.npy"
    np.save(pixels, np.arange(64, dtype=np.uint16).reshape(8, 8))
    geometry = {"PixelSpacing": [1, 1], "SliceThickness": 5, "ImagePositionPatient": [0, 0, 0]}
    pixels.with_suffix(".json").write_text(json.dumps(geometry | {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}))
    made = exam(place, "acquire", 1, "--from", pixels, "--json")
    assert (made.status, made.item["instances"]) == (0, 1)
    with Modality(place.site) as modality:
        modality.find_exam(1).series("interrupted before its first image")
    assert exam(place, "check", 1).status == 0
    completed = exam(place, "complete", 1)
    assert (completed.status, "'openmodality serve' does them" in completed.error_line) == (0, True)
    again = exam(place, "acquire", 1, "--from", pixels)
    assert again.status == 1
    ended_twice = exam(place, "complete", 1)
    assert (ended_twice.status, "COMPLETED already" in ended_twice.error_line) == (1, True)
    appended = exam(place, "acquire", 1, "--from", pixels, "--append", "--json")
    assert (appended.status, appended.item["instances"], len(appended.item["steps"])) == (0, 2, 2)
    wrong = exam(place, "discontinue", 1, "--reason", "4711")
    assert (wrong.status, "110513" in wrong.error_line) == (2, True)
    ended = exam(place, "discontinue", 1, "--json")
    assert (ended.status, ended.item["state"]) == (0, "DISCONTINUED")
    assert [step["state"] for step in shown(place)["steps"]] == ["COMPLETED", "DISCONTINUED"]


def test_files_of_a_watched_folder_become_images(place: Place, tmp_path: Path) -> None:
    assert exam(place, "start", 1).status == 0
    folder = tmp_path / "drop"
    folder.mkdir()
    process = start("exam", "acquire", 1, "--watch", folder, "-c", place.site)
    assert process.stderr is not None
    assert "watching" in process.stderr.readline()
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "bad.png.done").touch()
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    geometry = {"PixelSpacing": [1, 1], "SliceThickness": 5, "ImagePositionPatient": [0, 0, 0]}
    (folder / "good.json").write_text(json.dumps(geometry | {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}))
    np.save(folder / "good.npy", pixels)
    (folder / "good.npy.done").touch()
    wait_until(lambda: (folder / "done" / "good.npy").exists(), what="the file to be taken")
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    assert ended.status == 0, ended.err
    assert "1 image made" in ended.out
    assert "bad.png: not taken" in ended.err
    assert (folder / "failed" / "bad.png").exists()


def test_several_items_of_one_patient(place: Place) -> None:
    items = openmodality("worklist", "-c", place.site, "--json").items
    patients = [item["attributes"]["PatientID"] for item in items]
    twice = next(patient for patient in patients if patients.count(patient) > 1)
    numbers = [item["item"] for item in items if item["attributes"]["PatientID"] == twice]
    assert exam(place, "start", *numbers).status == 0
    other = exam(place, "start", 1, numbers[0])
    assert other.status == 2
    assert "several patients" in other.error_line


def test_what_changed_at_the_ris_is_said(place: Place) -> None:
    items = openmodality("worklist", "-c", place.site, "--json").items
    patient = items[0]["attributes"]["PatientID"]
    place.hospital.ris.change_patient(patient, PatientName="Renamed^Rita")
    started = exam(place, "start", 1)
    assert started.status == 0
    assert "has changed: PatientName" in started.err
    assert "Renamed^Rita" in started.out


def test_an_exam_that_is_not_there_is_an_error(place: Place) -> None:
    for arguments, status, said in (
        (("start", "99"), 1, "there is no worklist item 99"),
        (("show", "99"), 1, "there is no exam 99"),
        (("acquire", "1"), 2, "nothing says where the pixels come from"),
        (("complete", "1"), 1, "there is no exam 1"),
    ):
        ended = exam(place, *arguments)
        assert (ended.status, said in ended.error_line) == (status, True), ended.err
    assert exam(place, "start", 1).status == 0
    unknown = exam(place, "acquire", 1, "--simulate", "nothing")
    assert (unknown.status, "T1 SE SAG" in unknown.error_line) == (2, True)
    empty = exam(place, "complete", 1)
    assert (empty.status, "discontinue it" in empty.error_line) == (1, True)


def test_a_simulated_scan_becomes_the_object_that_is_named_in_other_slices(place: Place) -> None:
    assert exam(place, "start", 1).status == 0
    made = exam(
        place, "acquire", 1, "--simulate", "DWI TENSOR AX", "--object", "Enhanced MR Image", "--noise", 0,
        "--orientation", "0,0.6,0.8",
    )  # fmt: skip
    assert (made.status, made.out.splitlines()[-1]) == (0, "exam 1: 1 image made")
    [file] = (place.site.parent / "data").rglob("*.dcm")
    image = dcmread(file)
    shared = image.SharedFunctionalGroupsSequence[0]
    assert [item.DimensionDescriptionLabel for item in image.DimensionIndexSequence] == [
        "Stack", "b-value", "Direction", "Position",
    ]  # fmt: skip
    row, column = np.split(np.asarray(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float), 2)
    assert np.allclose(np.cross(row, column), [0, 0.6, 0.8], atol=1e-5)
    assert not image.pixel_array[0, :4, :4].any()
    for words, said in (
        (("--noise", "-1"), "a number from 0"),
        (("--orientation", "sideways"), "there is no orientation"),
        (("--orientation", "1,2"), "three numbers"),
        (("--object", "CT Image"), "the simulator makes no CT Image"),
    ):
        refused = exam(place, "acquire", 1, "--simulate", "DWI TENSOR AX", *words)
        assert refused.status == 2
        assert said in refused.err
