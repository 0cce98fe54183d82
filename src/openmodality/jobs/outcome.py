"""The outcomes of a run, one of which an executor returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from openmodality.jobs.job import NewJob
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """The job has reached its aim; ``comment`` tells what a person should know of it.

    ``then`` are jobs that follow from it, each after the one before, queued in the transaction that ends this one.
    ``remember`` goes into the job's parameters.
    """

    comment: str = ""
    then: tuple[NewJob, ...] = ()
    remember: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Continue:
    """A part is done; run the job again. No failure is counted."""

    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Retry:
    """This run failed. ``transient``: the same thing may succeed later, such as when the peer is down or full.

    ``peer_away``: nobody answered at the peer's address, so that the job runs as soon as another one succeeds there.
    ``delay_s``: a shorter pause than that of the job, such as at first.
    """

    reason: str
    transient: bool = True
    peer_away: bool = False
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The job waits for an answer from outside, or until the time ``until``; then it runs again.

    ``remember`` goes into the job's parameters.
    """

    waiting_for: str
    until: float | None = None
    remember: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fail:
    """Another try makes no sense; a person has to decide."""

    reason: str


JobOutcome = Done | Continue | Retry | Wait | Fail
