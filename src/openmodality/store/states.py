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


OPEN_EXAMS: Final = (ExamState.REGISTERED, ExamState.IN_PROGRESS)
