"""Exams found open after a crash."""

from __future__ import annotations

from openmodality.exam.workflow import Workflow
from openmodality.store.listing.exams import Ending, read_exams
from openmodality.store.rows.exams import find_exams_with_late_images
from openmodality.store.states import OPEN_EXAMS


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
        if exam.ending is not None:
            workflow.carry_out(exam.id)
        else:
            workflow.deliver(exam.id)
    for exam_id in late:
        workflow.deliver(exam_id)
    return len(unfinished)
