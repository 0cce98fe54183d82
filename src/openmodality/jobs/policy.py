"""Decides what follows from an outcome: a pure function of the outcome, earlier failures and the retry parameters."""

from __future__ import annotations

from typing import Final

from openmodality.errors import (
    TCP_CONNECTION,
    AssociationAborted,
    AssociationRejected,
    ConfigurationError,
    OpenModalityError,
    PeerTimeout,
    StoreAway,
    StoreError,
    TransportError,
)
from openmodality.jobs.job import RetryParameters
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome, Retry, Wait
from openmodality.store.states import JobState
from openmodality.value_class import dataclass

_DATABASE_AWAY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Next:
    """The state a job goes to; ``due_at`` is when it runs again, None where the clock does not decide it.

    ``peer_away``: it runs before that where its peer proves to be there.
    """

    state: JobState
    attempts: int
    due_at: float | None = None
    reason: str = ""
    waiting_for: str = ""
    peer_away: bool = False


def decide_next(outcome: JobOutcome, attempts: int, parameters: RetryParameters, now: float) -> Next:
    """The next state of a job that has failed ``attempts`` times before this outcome."""
    match outcome:
        case Done(comment=comment):
            return Next(JobState.DONE, attempts, reason=comment)
        case Continue(delay_s):
            return Next(JobState.TODO, attempts, due_at=now + delay_s)
        case Wait(waiting_for=waiting_for, until=until):
            return Next(JobState.WAITING, attempts, due_at=until, waiting_for=waiting_for)
        case Fail(reason):
            return Next(JobState.FAILED, attempts + 1, reason=reason)
        case Retry(reason, transient, peer_away, delay_s):
            if may_retry(attempts, parameters, transient=transient):
                due_at = now + min(parameters.delay_s, parameters.delay_s if delay_s is None else delay_s)
                return Next(JobState.TODO, attempts + 1, due_at=due_at, reason=reason, peer_away=peer_away)
            return Next(
                JobState.FAILED, attempts + 1, reason=_describe_end(reason, attempts, parameters, transient=transient)
            )


def may_retry(attempts: int, parameters: RetryParameters, *, transient: bool) -> bool:
    """Whether a job that has just failed, and ``attempts`` times before, is tried again by itself."""
    if parameters.delay_s <= 0 or not (transient or parameters.permanent):
        return False
    return parameters.max_retries == 0 or attempts < parameters.max_retries


def judge_error(error: OpenModalityError) -> JobOutcome:
    """The outcome for an error that ended a run, with its advice. An error of the configuration waits for a person.

    Where the database does not answer for a moment, no failure is counted, and the job runs again soon.
    """
    if isinstance(error, StoreAway):
        return Continue(_DATABASE_AWAY_S)
    if isinstance(error, ConfigurationError):
        return Fail(str(error))
    transient = isinstance(error, TransportError | AssociationAborted | StoreError) or is_peer_away(error)
    return Retry(str(error), transient=transient, peer_away=is_peer_away(error))


def is_peer_away(error: OpenModalityError) -> bool:
    """Whether nobody answered at the peer's address, or only to say that it has no room now."""
    if isinstance(error, PeerTimeout):
        return error.waiting_for == TCP_CONNECTION
    return isinstance(error, TransportError) or (isinstance(error, AssociationRejected) and error.transient)


def _describe_end(reason: str, attempts: int, parameters: RetryParameters, *, transient: bool) -> str:
    exhausted = parameters.delay_s > 0 and (transient or parameters.permanent)
    return f"{reason} (given up after {attempts} retries)" if exhausted and attempts else reason
