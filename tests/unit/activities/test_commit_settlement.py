"""What a commit job says while it waits to ask anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.activities.commit_jobs import ASKS_AT, ASKS_BECAUSE, ROUND
from openmodality.activities.commit_settlement import _store_again, _Verdicts, find_wait
from openmodality.device.site.site_loader import load_site
from openmodality.jobs.job import Job, RetryParameters
from openmodality.jobs.outcome import Fail
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


@pytest.mark.parametrize(
    ("retries", "rounds", "although"), [(0, 0, ""), (1, 1, ", although they were sent again"), (5, 1, ", although")]
)
def test_what_is_not_committed_in_the_end_is_said_once(
    tmp_path: Path, retries: int, rounds: int, although: str
) -> None:
    peer = '[peers.pacs]\nae_title = "PACS"\nhost = "h"\nport = 104\nservices = ["storage", "storage_commitment"]\n'
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{peer}', encoding="utf-8")
    job = replace(make_job(**{ROUND: rounds}), destination="pacs", retry=RetryParameters(retries, 60.0))
    verdicts = _Verdicts(reasons=Counter({"gone": 2}))
    outcome = _store_again(job, load_site(tmp_path).peer("pacs"), verdicts, 0.0)
    assert isinstance(outcome, Fail)
    assert outcome.reason.startswith(f"2 instances are not committed by pacs: gone{although}")
    assert outcome.reason.endswith("; request it again when the reason is gone")
    if not although:
        assert outcome.reason == "2 instances are not committed by pacs: gone; request it again when the reason is gone"
