from __future__ import annotations

import pytest

from openmodality.errors import (
    TCP_CONNECTION,
    AssociationAborted,
    AssociationRejected,
    ConfigurationError,
    NoPresentationContext,
    OpenModalityError,
    PeerTimeout,
    StoreAway,
    StoreError,
    TransportError,
)
from openmodality.jobs.job import RetryParameters
from openmodality.jobs.outcome import Continue, Done, Fail, Retry, Wait
from openmodality.jobs.policy import Next, decide_next, judge_error
from openmodality.store.states import JobState

RETRY = RetryParameters(max_retries=2, delay_s=300.0)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Done("3 warnings"), Next(JobState.DONE, 1, reason="3 warnings")),
        (Continue(2.0), Next(JobState.TODO, 1, due_at=1002.0)),
        (
            Wait("storage commitment result", 5000.0),
            Next(JobState.WAITING, 1, 5000.0, waiting_for="storage commitment result"),
        ),
        (Wait("storage commitment result"), Next(JobState.WAITING, 1, None, waiting_for="storage commitment result")),
        (Fail("no such printer"), Next(JobState.FAILED, 2, reason="no such printer")),
        (Retry("no answer"), Next(JobState.TODO, 2, due_at=1300.0, reason="no answer")),
        (Retry("no answer", delay_s=5.0), Next(JobState.TODO, 2, due_at=1005.0, reason="no answer")),
        (Retry("no answer", delay_s=900.0), Next(JobState.TODO, 2, due_at=1300.0, reason="no answer")),
        (Retry("not understood", transient=False), Next(JobState.FAILED, 2, reason="not understood")),
    ],
)
def test_each_outcome_has_one_next_state(outcome: Done | Continue | Retry | Wait | Fail, expected: Next) -> None:
    assert decide_next(outcome, 1, RETRY, 1000.0) == expected


def runs(parameters: RetryParameters, limit: int, *, transient: bool = True) -> int:
    """How often a job runs that always fails, at most ``limit`` times."""
    attempts = 0
    while attempts < limit:
        step = decide_next(Retry("no answer", transient=transient), attempts, parameters, 0.0)
        attempts = step.attempts
        if step.state is JobState.FAILED:
            break
    return attempts


@pytest.mark.parametrize(("max_retries", "expected"), [(1, 2), (10, 11), (100, 101), (0, 500)])
def test_a_failed_job_is_retried_as_often_as_configured_and_0_means_forever(max_retries: int, expected: int) -> None:
    assert runs(RetryParameters(max_retries=max_retries, delay_s=60.0), 500) == expected


@pytest.mark.parametrize("max_retries", [0, 10])
def test_delay_0_means_never_and_wins_over_the_number_of_retries(max_retries: int) -> None:
    assert runs(RetryParameters(max_retries=max_retries, delay_s=0.0), 500) == 1


def test_the_next_run_is_due_after_the_delay() -> None:
    assert decide_next(Retry("no answer"), 0, RetryParameters(10, 5 * 60.0), 1000.0).due_at == 1300.0


def test_defaults_are_those_of_the_statement() -> None:
    assert (RetryParameters().max_retries, RetryParameters().delay_s) == (10, 5 * 60.0)


def test_permanent_failures_are_retried_only_where_configured() -> None:
    assert runs(RetryParameters(3, 60.0), 500, transient=False) == 1
    assert runs(RetryParameters(3, 60.0, permanent=True), 500, transient=False) == 4


def test_the_reason_says_when_retrying_was_given_up() -> None:
    assert decide_next(Retry("no answer"), 2, RETRY, 0.0).reason == "no answer (given up after 2 retries)"


@pytest.mark.parametrize(
    ("error", "transient", "peer_away"),
    [
        (TransportError("the connection broke"), True, True),
        (PeerTimeout("no answer", waiting_for=TCP_CONNECTION), True, True),
        (PeerTimeout("no answer", waiting_for="C-STORE-RSP"), True, False),
        (AssociationAborted("aborted", source=0, reason=0), True, False),
        (AssociationRejected("rejected", result=2, source=3, reason=2), True, True),
        (AssociationRejected("rejected", result=1, source=1, reason=7), False, False),
        (StoreError("disk full"), True, False),
        (NoPresentationContext("nothing accepted"), False, False),
    ],
)
def test_errors_are_told_apart_by_whether_they_may_pass(error: Exception, transient: bool, peer_away: bool) -> None:
    assert judge_error(error) == Retry(str(error), transient, peer_away)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AssociationRejected("rejected", result=1, source=1, reason=3, advice="have our AE title added"), Retry),
        (ConfigurationError("there is no peer 'old'", advice="name one under [peers]"), Fail),
    ],
)
def test_a_job_that_waits_for_a_person_says_what_to_do(error: OpenModalityError, outcome: type[Retry | Fail]) -> None:
    judged = judge_error(error)
    assert isinstance(judged, outcome)
    assert judged.reason == f"{error.message}; {error.advice}"


def test_a_job_runs_again_soon_where_its_own_database_was_away() -> None:
    outcome = judge_error(StoreAway("the database does not answer"))
    assert decide_next(outcome, 3, RETRY, 1000.0) == Next(JobState.TODO, 3, due_at=1002.0)


def test_a_site_file_that_does_not_fit_waits_for_a_person() -> None:
    assert judge_error(ConfigurationError("there is no peer 'old'")) == Fail("there is no peer 'old'")
