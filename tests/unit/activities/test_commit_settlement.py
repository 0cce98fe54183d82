"""What a commit job says while it waits to ask anew."""

from __future__ import annotations

from openmodality.activities.commit_jobs import ASKS_AT, ASKS_BECAUSE
from openmodality.activities.commit_settlement import find_wait
from openmodality.jobs.job import Job, RetryParameters
from openmodality.store.states import JobKind, JobState


def make_job(**parameters: object) -> Job:
    return Job(
        id=1,
        kind=JobKind.COMMIT,
        state=JobState.DOING,
        destination="archive",
        parameters=parameters,
        retry=RetryParameters(3, 60.0),
        order_key=None,
        attempts=0,
        due_at=None,
        waiting_for="",
        reason="",
        cancel_requested=False,
        created_at=0.0,
        started_at=None,
        finished_at=None,
    )


def test_a_job_that_looks_again_still_says_what_the_archive_said() -> None:
    job = make_job(**{ASKS_AT: 150.0, ASKS_BECAUSE: "archive to index what it was sent: 0112"})
    wait = find_wait(job, 100.0)
    assert wait is not None
    assert (wait.waiting_for, wait.until) == ("archive to index what it was sent: 0112", 150.0)


def test_no_wait_is_left_at_its_end_or_where_the_clock_was_set_back() -> None:
    job = make_job(**{ASKS_AT: 1000.0, ASKS_BECAUSE: "archive"})
    assert find_wait(job, 1000.0) is None
    assert find_wait(job, 1000.0 - 60.0 * 8) is not None
    assert find_wait(job, 1000.0 - 60.0 * 8 - 1) is None
