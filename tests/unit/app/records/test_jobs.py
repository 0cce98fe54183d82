"""Why a job is where it is, and what a program reads of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.app.records.jobs import describe_reason
from openmodality.app.records.values import format_time
from openmodality.jobs.job import Job, RetryParameters
from openmodality.store.states import JobKind, JobState

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
def test_a_job_says_why_it_is_in_its_state(job: Job, held_by: tuple[Job, ...], words: str) -> None:
    assert describe_reason(job, held_by) == words
