"""Exams after an end of the process that nobody planned."""

from __future__ import annotations

from openmodality.exam.record import IN_PROGRESS, REGISTERED, read_exams
from openmodality.exam.workflow import Workflow


def recover_exams(workflow: Workflow) -> int:
    """Carry out endings that were noted, and queue images that are in no send job; returns how many exams were open.

    To be called after the store has been recovered, because an image on disk may not be in the index yet.
    """
    with workflow.store.read() as connection:
        unfinished = read_exams(connection, (REGISTERED, IN_PROGRESS))
    for exam in unfinished:
        if exam.ending is not None:
            workflow.carry_out(exam.id)
        else:
            workflow.deliver(exam.id)
    return len(unfinished)
