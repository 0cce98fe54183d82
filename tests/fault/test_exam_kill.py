"""A device that dies at any moment: what it took is in its exam, once, and an ending that it noted is carried out."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.app import ending_watch
from openmodality.exam.workflow import Workflow
from openmodality.standard.performed_step import StepStatus
from openmodality.store.states import ExamState
from tests.devices import device_in_hospital, quick_source, today
from tests.peers.forked import STDERR, fork
from tests.peers.process import wait_until

KILLS = {False: 8, True: 200}
"""How often a device that takes files is killed: in the suite, in a soak."""
ENDINGS = {False: 4, True: 60}
"""How often one that completes an exam with a dose report is."""
LONGEST_RUN_S = 100
POINTS = 60
"""Taking a file has some thirty moments, completing an exam with a report some forty."""


def run_dying(command: str, site: Path, argument: object, point: int) -> int:
    """Run a device that kills itself, a fork of the process that has everything imported; the signal, or its status."""
    words = ("tests.fault.dying_device", command, site, argument, point)
    return abs(fork(*words, stdout=subprocess.DEVNULL, stderr=STDERR).wait(LONGEST_RUN_S))


def drop(folder: Path, number: int) -> None:
    """A file that a scanner leaves, with the attributes beside it."""
    folder.mkdir(exist_ok=True)
    np.save(folder / f"slice{number:03}.npy", np.full((8, 8), number, np.uint16))
    geometry = {
        "ImagePositionPatient": [0, 0, number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1, 1],
        "SliceThickness": 5,
    }
    (folder / f"slice{number:03}.json").write_text(json.dumps(geometry))


@pytest.mark.timeout(600)
def test_what_was_taken_is_in_its_exam_once_wherever_the_device_died(tmp_path: Path, soak: bool) -> None:
    chance, folder, dropped, killed = random.Random(20261129), tmp_path / "drop", 0, 0
    with device_in_hospital(tmp_path, "mr", today()) as device:
        with device.modality(works=False) as modality:
            modality.start_exam(modality.worklist())
        while killed < KILLS[soak]:
            while len(list(folder.glob("*.npy"))) < 2:
                dropped += 1
                drop(folder, dropped)
            ended = run_dying("take", device.site, folder, chance.randint(1, POINTS))
            assert ended in (0, signal.SIGKILL)
            killed += ended == signal.SIGKILL
        assert run_dying("take", device.site, folder, 0) == 0
        with device.modality(works=False) as modality:
            exam = modality.find_exam(1)
            numbers = sorted(each["InstanceNumber"] for each in modality.instances())
            exam.complete()
            made = exam.instances()
            assert len(list((folder / "done").glob("*.npy"))) == dropped
            assert not list((folder / "failed").glob("*")) if (folder / "failed").exists() else True
            assert (len(made), len(numbers)) == (dropped, dropped)
            assert all(modality.instance_path(each.SOPInstanceUID).exists() for each in made)
            assert modality.problems.list(dismissed=True) == []
            (step,) = exam.steps
            assert list_performed(step.n_set) == {each.SOPInstanceUID for each in made}
        shutil.rmtree(folder)


def list_performed(n_set: object) -> set[str]:
    """The SOP Instance UIDs that the RIS is told of."""
    found: set[str] = set()
    pending = [n_set]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            if "00081155" in each and "00081150" in each:
                found.update(each["00081155"]["Value"])
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
    return found


@pytest.mark.timeout(600)
def test_an_ending_that_was_noted_is_carried_out_by_the_device_that_serves(
    tmp_path: Path, soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, noted = random.Random(20261130), 0

    def watch(workflow: Workflow, look: Callable[[], object]) -> ending_watch.EndingWatch:
        return ending_watch.EndingWatch(workflow, look, look_s=0.1)

    monkeypatch.setattr("openmodality.app.runtime.EndingWatch", watch)
    with (
        device_in_hospital(tmp_path, "rf", today("rf")) as device,
        device.modality() as serving,
    ):
        for number in range(1, ENDINGS[soak] + 1):
            exam = serving.start_exam(patient={"PatientID": f"K{number}", "PatientName": "Kill^Test"})
            exam.acquire(quick_source("rf"))
            ended = run_dying("complete", device.site, exam.id, chance.randint(1, POINTS))
            assert ended in (0, signal.SIGKILL)
            if exam.record.ending is None and exam.state.is_open:
                exam.complete()  # it died before it had noted anything
            else:
                noted += 1
            wait_until(lambda: exam.state is ExamState.COMPLETED, timeout_s=60, what="the ending")  # noqa: B023
            check_dose_report(serving, exam.id)
        assert noted
        assert serving.problems.list(dismissed=True) == []


def check_dose_report(modality: Modality, exam_id: int) -> None:
    """One is COMPLETE, all that was made has its file, and the RIS is told of it."""
    exam = modality.find_exam(exam_id)
    made = exam.instances()
    reports = [each for each in made if each.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.67"]
    assert all(modality.instance_path(each.SOPInstanceUID).exists() for each in made)
    flags = {
        each.SOPInstanceUID: dcmread(modality.instance_path(each.SOPInstanceUID)).CompletionFlag for each in reports
    }
    (complete,) = (uid for uid, flag in flags.items() if flag == "COMPLETE")
    (step,) = exam.steps
    assert step.state is StepStatus.COMPLETED
    assert list_performed(step.n_set) >= {each.SOPInstanceUID for each in made} - {complete}
