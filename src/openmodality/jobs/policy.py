"""What follows from an outcome: a pure function of the outcome, the failures so far and the retry parameters."""

from __future__ import annotations

from dataclasses import dataclass

from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    OpenModalityError,
    StoreError,
    TransportError,
)
from openmodality.jobs.job import RetryParameters
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome, Retry, Wait
from openmodality.store.states import JobState


@dataclass(frozen=True, slots=True)
class Next:
    """The state a job goes to; ``due_at`` is when it runs again, None where the clock does not decide it."""

    state: JobState
    attempts: int
    due_at: float | None = None
    reason: str = ""
    waiting_for: str = ""


def decide_next(outcome: JobOutcome, attempts: int, parameters: RetryParameters, now: float) -> Next:
    """The next state of a job that has failed ``attempts`` times before this outcome."""
    match outcome:
        case Done(comment):
            return Next(JobState.DONE, attempts, reason=comment)
        case Continue(delay_s):
            return Next(JobState.TODO, attempts, due_at=now + delay_s)
        case Wait(waiting_for, until):
            return Next(JobState.WAITING, attempts, due_at=until, waiting_for=waiting_for)
        case Fail(reason):
            return Next(JobState.FAILED, attempts + 1, reason=reason)
        case Retry(reason, transient):
            if may_retry(attempts, parameters, transient=transient):
                return Next(JobState.TODO, attempts + 1, due_at=now + parameters.delay_s, reason=reason)
            return Next(
                JobState.FAILED, attempts + 1, reason=_describe_end(reason, attempts, parameters, transient=transient)
            )


def may_retry(attempts: int, parameters: RetryParameters, *, transient: bool) -> bool:
    """Whether a job that has just failed, and ``attempts`` times before, is tried again by itself."""
    if parameters.delay_s <= 0 or not (transient or parameters.permanent):
        return False
    return parameters.max_retries == 0 or attempts < parameters.max_retries


def judge_error(error: OpenModalityError) -> JobOutcome:
    """What an error that ended a run means for the job."""
    transient = isinstance(error, TransportError | AssociationAborted | StoreError) or (
        isinstance(error, AssociationRejected) and error.transient
    )
    return Retry(str(error), transient=transient)


def _describe_end(reason: str, attempts: int, parameters: RetryParameters, *, transient: bool) -> str:
    exhausted = parameters.delay_s > 0 and (transient or parameters.permanent)
    return f"{reason} (given up after {attempts} retries)" if exhausted and attempts else reason
