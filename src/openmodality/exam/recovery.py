"""Exams found open after a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable

from openmodality.errors import OpenModalityError, describe_fault
from openmodality.exam.workflow import Workflow
from openmodality.store.listing.exams import Ending, read_exams
from openmodality.store.rows.exams import find_exams_with_late_images
from openmodality.store.states import OPEN_EXAMS

log = logging.getLogger(__name__)


def find_noted_endings(workflow: Workflow) -> dict[int, Ending]:
    """The endings that are noted and not carried out, by the numbers of their exams."""
    with workflow.store.database.read() as snapshot:
        return {exam.id: exam.ending for exam in read_exams(snapshot, OPEN_EXAMS) if exam.ending is not None}


def recover_exams(workflow: Workflow) -> int:
    """Carry out endings that were noted, and queue images that are in no send job; returns how many exams were open.

    To be called after the store has been recovered, because an image on disk may not be in the index yet.
    """
    with workflow.store.read() as snapshot:
        unfinished = read_exams(snapshot, OPEN_EXAMS)
        late = find_exams_with_late_images(snapshot)
    for exam in unfinished:
        _continue_exam(workflow.deliver if exam.ending is None else workflow.carry_out, exam.id)
    for exam_id in late:
        _continue_exam(workflow.deliver, exam_id)
    return len(unfinished)


def _continue_exam(act: Callable[[int], object], exam_id: int) -> None:
    """Carry out the ending of one exam; an error stops neither the other exams nor the device."""
    try:
        act(exam_id)
    except OpenModalityError as error:
        log.error("exam.not_recovered", extra={"exam": exam_id, "reason": str(error)})
    except Exception as error:  # noqa: BLE001 - the boundary of one exam: the others go on, and the device starts
        log.error("exam.not_recovered", extra={"exam": exam_id, **describe_fault(error)})
