"""Values of the queue: a job, and its instances with their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class RetryParameters:
    """When a failed job is tried again (RF-4.4.2-09, RF-4.4.2-10, R/F decision 9).

    ``max_retries`` 0 means forever; ``delay_s`` 0 means never, and wins. ``permanent``: whether failures that will
    not go away by themselves are retried as well; by default they wait for a person.
    """

    max_retries: int = 10
    delay_s: float = 300.0
    permanent: bool = False


NEVER_AGAIN: Final = RetryParameters(delay_s=0.0)
"""For jobs that a person repeats: a disc, a film, a retrieve."""


@dataclass(frozen=True, slots=True)
class JobInstance:
    """An instance that a job is about, and its result so far; ``status`` is the DIMSE status, None where none came."""

    SOPClassUID: str
    SOPInstanceUID: str
    result: InstanceResult = InstanceResult.PENDING
    status: int | None = None
    comment: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be queued.

    ``destination`` names what takes one job at a time: a peer, a printer, a drive. ``parameters`` hold UIDs and
    settings, never patient data but the Patient ID that a retrieve in the patient root needs. ``unique_key``: while a
    job with this key is unfinished, queueing another returns that one. ``order_key``: jobs with the same key run
    strictly one after the other, and one that failed holds up the later ones; all jobs of one performed step share it.
    ``after``: jobs that must be done before.
    """

    kind: JobKind
    destination: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    instances: Sequence[tuple[str, str]] = ()
    """Pairs of SOP Class UID and SOP Instance UID."""
    retry: RetryParameters = RetryParameters()
    unique_key: str | None = None
    order_key: str | None = None
    after: Sequence[int] = ()
    due_at: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the queue. ``attempts`` counts the runs that failed; ``reason`` says in words why it is in its state.

    ``cancelled_after`` is the job whose cancellation took this one along.
    """

    id: int
    kind: JobKind
    state: JobState
    destination: str
    parameters: Mapping[str, Any]
    retry: RetryParameters
    order_key: str | None
    attempts: int
    due_at: float | None
    waiting_for: str
    reason: str
    cancel_requested: bool
    created_at: float
    started_at: float | None
    finished_at: float | None
    cancelled_after: int | None = None
