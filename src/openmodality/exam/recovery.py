"""Exams found open after a crash."""

from __future__ import annotations

from openmodality.exam.workflow import Workflow
from openmodality.store.listing.exams import read_exams
from openmodality.store.rows.exams import find_exams_with_late_images
from openmodality.store.states import OPEN_EXAMS


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
