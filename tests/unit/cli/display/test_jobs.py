"""Why a job is where it is, and what became of its instances, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.cli.display.jobs import JOB_COLUMNS, ListedJob, describe_answer, describe_reason, describe_results
from openmodality.cli.terminal.output import format_time
from openmodality.jobs.job import Job, JobInstance, RetryParameters
from openmodality.store.states import InstanceResult, JobKind, JobState

JOB = Job(
    7, JobKind.SEND, JobState.TODO, "pacs", {}, RetryParameters(), None, 0, 0.0, "", "queued", False, 0.0, None, None
)


@pytest.mark.parametrize(
    ("job", "held_by", "words"),
    [
        (JOB, (), "queued"),
        (JOB, (replace(JOB, id=3),), "waits for job 3"),
        (JOB, (replace(JOB, id=3), replace(JOB, id=4, state=JobState.FAILED)), "waits for job 4, which failed"),
        (replace(JOB, state=JobState.WAITING, waiting_for="an answer", due_at=None), (), "waiting for an answer"),
        (
            replace(JOB, state=JobState.WAITING, waiting_for="an answer", due_at=0.0),
            (),
            f"waiting for an answer, next {format_time(0.0)}",
        ),
        (replace(JOB, attempts=2, due_at=None), (), "queued (attempt 3)"),
        (replace(JOB, state=JobState.FAILED, attempts=2), (), "queued"),
    ],
)
def test_the_reason(job: Job, held_by: tuple[Job, ...], words: str) -> None:
    assert describe_reason(job, held_by) == words


def test_results_are_counted_and_a_column_is_declared_once() -> None:
    results = dict.fromkeys(InstanceResult, 0) | {InstanceResult.SUCCESS: 3, InstanceResult.WARNING: 1}
    assert describe_results(results) == "4 of 4, 1 warning"
    results[InstanceResult.FAILURE] = 2
    assert describe_results(results) == "4 of 6, 1 warning, 2 failed"
    row = {column.heading: column.value(ListedJob(JOB, results)) for column in JOB_COLUMNS}
    assert list(row) == ["job", "kind", "peer", "state", "instances", "queued", "reason"]
    assert (row["job"], row["instances"]) == (7, "4 of 6, 1 warning, 2 failed")


@pytest.mark.parametrize(
    ("status", "comment", "said"),
    [
        (None, "not sent", "not sent"),
        (0, "", "0000 Success"),
        (0xA900, "status A900: data set does not match its SOP class", "A900: data set does not match its SOP class"),
        (0xA900, "A900 it is wrong", "A900 it is wrong"),
        (0xA700, "disk full", "A700 Failure (disk full)"),
    ],
)
def test_an_answer_names_its_status_once(status: int | None, comment: str, said: str) -> None:
    assert describe_answer(JobInstance("1.2", "1.2.3", InstanceResult.FAILURE, status, comment)) == said
