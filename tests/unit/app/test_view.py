"""Looking at a data folder: beside a device that holds the lock, and where nothing may be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openmodality.app.view import look_at
from openmodality.errors import ConfigurationError, NotFound
from openmodality.jobs.job import NewJob
from openmodality.jobs.queue import Queue
from openmodality.jobs.worker_lock import LOCK_FILE, WorkerLock, is_worker_running
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.query_retrieve import Level
from openmodality.store.local import open_store
from openmodality.store.names import DATABASE_FILE
from openmodality.store.rows.exams import insert_exam
from openmodality.store.rows.patients import keep_patient
from openmodality.store.rows.steps import insert_step
from openmodality.store.states import ExamState, JobKind, JobState
from tests.peers.objects import mr_image, save

HOLDER = """
import sys
from pathlib import Path
from openmodality.jobs.worker_lock import WorkerLock
print(WorkerLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""
AS_NOBODY = """
import difflib, os, sys
from pathlib import Path
from openmodality.app.view import look_at
os.seteuid(65534)
with look_at(Path(sys.argv[1])) as view:
    print([job.id for job in view.jobs.list()], len(view.find("STUDY", {})))
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    """A site with a job, an exam and a study; that its profile is none stops nobody from looking."""
    file = tmp_path / "site.toml"
    file.write_text('profile = "none"\n')
    with open_store(tmp_path / "data", durability="os", clock=lambda: 1000.0) as store:
        store.add_file(save(mr_image(rows=4, columns=4, StudyInstanceUID="1.2", SOPInstanceUID="1.2.3"), tmp_path))
        store.flush()
        queue = Queue(store.database)
        with store.write() as transaction:
            queue.enqueue(transaction, NewJob(JobKind.SEND, "pacs", instances=[("1.2.840", "1.2.3")]))
            patient = keep_patient(transaction, {"PatientID": "1", "IssuerOfPatientID": "", "PatientName": "DOE"})
            exam = insert_exam(transaction, patient, "1.2", {}, [])
            insert_step(transaction, exam.id, "1.9", "S1", {})
    return file


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_jobs_exams_and_data_are_there_to_look_at(site_file: Path) -> None:
    before = names(site_file.parent / "data")
    with look_at(site_file) as view:
        [job] = view.jobs.list(states=[JobState.TODO])
        details = view.jobs.show(job.id)
        [exam] = view.exams(ExamState.REGISTERED)
        [step] = view.steps(exam.id)
        [study] = view.find(Level.STUDY, {"StudyInstanceUID": "1.2"})
        with pytest.raises(NotFound):
            view.exam(99)
    assert (job.kind, job.destination, [each.SOPInstanceUID for each in details.instances]) == (
        JobKind.SEND,
        "pacs",
        ["1.2.3"],
    )
    assert (exam.study_instance_uid, exam.created_at, step.state) == ("1.2", 1000.0, StepStatus.IN_PROGRESS)
    assert (study.instances, view.instance_path("1.2.3").is_file()) == (1, True)
    assert names(site_file.parent / "data") == before
    assert LOCK_FILE not in before


def test_another_process_that_holds_the_lock_stops_nobody_from_looking(site_file: Path) -> None:
    folder = site_file.parent / "data"
    assert not is_worker_running(folder)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert is_worker_running(folder)
        assert not WorkerLock(folder).acquire()
        with look_at(site_file) as view:
            assert len(view.jobs.list()) == 1
        holder.communicate()
    assert not is_worker_running(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may write nothing")
@pytest.mark.parametrize("beside_a_device", [False, True])
def test_a_folder_where_nothing_may_be_written_can_be_looked_at(site_file: Path, *, beside_a_device: bool) -> None:
    with TemporaryDirectory() as open_to_all, ExitStack() as device:
        place = Path(shutil.copytree(site_file.parent, Path(open_to_all) / "site"))
        if beside_a_device:
            device.enter_context(open_store(place / "data"))
        for folder in (place.parent, place, place / "data"):
            folder.chmod(0o755)
        for file in (place / "data").glob("openmodality.db*"):
            file.chmod(0o644)  # who gives others the folder to look at gives them its database
        before = names(place / "data")
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, place / "site.toml"], capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("[1] 1\n", "")
        assert names(place / "data") == before


def test_what_is_not_there_yet_is_made_as_the_device_makes_it(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text("")
    with look_at(file) as view:
        assert (view.jobs.list(), view.exams(), view.jobs.idle) == ([], [], True)
    assert DATABASE_FILE in names(tmp_path / "data")


def test_a_mistake_in_the_place_of_the_data_is_named(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('profile = "mr"\n[data]\nfoldr = "x"\n')
    with pytest.raises(ConfigurationError, match="foldr"), look_at(file):
        pass
