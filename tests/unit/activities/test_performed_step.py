"""Performed steps told to a RIS: which request goes out, and what its status does to the job; both ends in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.activities.connection import Connector
from openmodality.activities.performed_step import StepExecutor
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.service import Refuse
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Retry
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.services.mpps import mpps_service
from openmodality.store.local import open_store
from openmodality.store.states import InstanceResult, JobKind
from tests.in_memory import InMemoryPeer
from tests.stand_in import Steps

PEER = '[peers.ris]\nae_title = "RIS"\nhost = "localhost"\nport = 104\nservices = ["mpps"]\n'


class Ris(Steps):
    """Answers with a status where it has one."""

    status = 0

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        self._refuse()
        return super().create(sop_instance_uid, attributes)

    def update(self, sop_instance_uid: str, change: Callable[[Dataset], Dataset]) -> bool:
        self._refuse()
        return super().update(sop_instance_uid, change)

    def _refuse(self) -> None:
        if self.status:
            raise Refuse(self.status, "no")


class Bench:
    """An exam in progress, and an executor that is called by hand."""

    def __init__(self, workflow: Workflow, connector: Connector) -> None:
        self.ris, self.queue = Ris(), workflow.queue
        self.peer = InMemoryPeer([mpps_service(self.ris)])
        user = Dataset()
        user.PatientID = "1"
        self.exam = Exam(workflow, workflow.register([], user).id).begin()
        self._executor = StepExecutor(self.queue.database, connector)

    def run(self, kind: JobKind) -> JobOutcome:
        job = self.queue.claim("test", [kind])
        assert job is not None
        report = JobReport(self.queue, job, threading.Event())
        outcome = self._executor.run(job, report)
        report.keep()
        self.queue.finish(job.id, outcome)
        (self.instance,) = self.queue.instances(job.id)
        return outcome


@pytest.fixture
def bench(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', encoding="utf-8")
    site = load_site(tmp_path)
    with open_store(site.data_folder, url=database_url, durability="os") as store:
        made = Bench(Workflow(site, store, Queue(store.database), []), Connector(site))
        monkeypatch.setattr("openmodality.activities.connection.associate", made.peer.associate)
        yield made


def test_a_step_is_created_and_set(bench: Bench) -> None:
    assert bench.run(JobKind.MPPS_CREATE) == Done("")
    assert (bench.instance.result, bench.instance.status) == (InstanceResult.SUCCESS, 0)
    bench.exam.discontinue()
    assert bench.run(JobKind.MPPS_SET) == Done("")
    (uid,) = bench.ris.steps
    assert uid == bench.exam.steps[0].sop_instance_uid
    assert bench.ris.steps[uid].PerformedProcedureStepStatus == "DISCONTINUED"
    assert [association.end for association in bench.peer.opened] == ["released"] * 2


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (0x0110, Fail, "ris answered N-CREATE with 0110"),
        (0x0106, Fail, "ris answered N-CREATE with 0106"),
        (0x0107, Fail, "set mpps_warning_is_success of [parameters.behaviour]"),
        (0x0213, Retry, "ris answered N-CREATE with 0213"),
    ],
)
def test_what_a_status_does_to_the_job(bench: Bench, status: int, kind: type[Fail | Retry], said: str) -> None:
    bench.ris.status = status
    outcome = bench.run(JobKind.MPPS_CREATE)
    assert isinstance(outcome, kind)
    assert said in outcome.reason
    assert (bench.instance.result, bench.instance.status) == (InstanceResult.FAILURE, status)
    assert bench.instance.comment == outcome.reason
    assert "has no such step" not in outcome.reason


def test_a_step_that_the_ris_does_not_have_is_named(bench: Bench) -> None:
    assert bench.run(JobKind.MPPS_CREATE) == Done("")
    bench.exam.discontinue()
    bench.ris.steps.clear()
    outcome = bench.run(JobKind.MPPS_SET)
    assert isinstance(outcome, Fail)
    assert "ris answered N-SET with 0112" in outcome.reason
    assert outcome.reason.endswith("; the peer has no such step: it did not take the N-CREATE, or forgot it")


def test_another_failure_of_a_set_names_no_missing_step(bench: Bench) -> None:
    assert bench.run(JobKind.MPPS_CREATE) == Done("")
    bench.exam.discontinue()
    bench.ris.status = 0x0106
    outcome = bench.run(JobKind.MPPS_SET)
    assert isinstance(outcome, Fail)
    assert "has no such step" not in outcome.reason
