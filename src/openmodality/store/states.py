"""States that rows are in, each enumeration once: the schema, the code and the command line use the same.

The states of a performed procedure step are DICOM's: :class:`openmodality.standard.performed_step.StepStatus`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from openmodality.standard.performed_step import StepStatus


class ExamState(StrEnum):
    """Where an exam stands: registered, or as its last performed step."""

    REGISTERED = "REGISTERED"
    IN_PROGRESS = StepStatus.IN_PROGRESS.value
    COMPLETED = StepStatus.COMPLETED.value
    DISCONTINUED = StepStatus.DISCONTINUED.value

    @property
    def is_open(self) -> bool:
        """Whether the exam has not ended."""
        return self in OPEN_EXAMS


class JobKind(StrEnum):
    """What a job does."""

    SEND = "send"
    COMMIT = "commit"
    MPPS_CREATE = "mpps_create"
    MPPS_SET = "mpps_set"
    PRINT = "print"
    MEDIA = "media"
    RETRIEVE = "retrieve"
    AUDIT = "audit"


class JobState(StrEnum):
    """Where a job stands. ``TODO``: runs when it is due and its turn; ``WAITING``: for an answer from outside."""

    TODO = "todo"
    DOING = "doing"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        return self in FINISHED_JOBS


class InstanceResult(StrEnum):
    """What became of one instance of a job. ``WARNING`` counts as success where the device is configured so."""

    PENDING = "pending"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Origin(StrEnum):
    """Where an instance came from. ``RECOVERED``: its file was found at the start, its origin is not known."""

    ACQUIRED = "acquired"
    RECEIVED = "received"
    IMPORTED = "imported"
    RECOVERED = "recovered"


class ProblemKind(StrEnum):
    """What is wrong with an instance file.

    ``NOT_INDEXED``: the index cannot hold it. ``OTHER_CONTENT``: it came under a UID that another one had; it was set
    aside. ``DAMAGED``: a whole one came under its UID and took its place; it was set aside.
    """

    NOT_INDEXED = "not indexed"
    OTHER_CONTENT = "other content"
    DAMAGED = "damaged"


class RequestState(StrEnum):
    """Where a request for storage commitment stands. ``REQUESTED``: kept, not known to have been sent."""

    REQUESTED = "requested"
    SENT = "sent"
    COMMITTED = "committed"
    FAILED = "failed"
    NO_ANSWER = "no answer"


class InstanceCommitment(StrEnum):
    """What an archive says of one instance that it was asked to keep."""

    PENDING = "pending"
    COMMITTED = "committed"
    FAILED = "failed"


class Subject(StrEnum):
    """What an event is about."""

    JOB = "job"
    EXAM = "exam"
    COMMITMENT = "commitment"
    WORKLIST = "worklist"
    STORE = "store"
    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


OPEN_EXAMS: Final = (ExamState.REGISTERED, ExamState.IN_PROGRESS)
UNFINISHED_JOBS: Final = (JobState.TODO, JobState.DOING, JobState.WAITING)
FINISHED_JOBS: Final = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
