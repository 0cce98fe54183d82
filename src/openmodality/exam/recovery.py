"""Exams after an end of the process that nobody planned."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from openmodality.exam.workflow import Workflow
from openmodality.jobs.job import Kind
from openmodality.store.rows.exams import IN_PROGRESS, REGISTERED, read_exams
from openmodality.store.schema import exams, instances, job_instances, jobs, series, studies


def recover_exams(workflow: Workflow) -> int:
    """Carry out endings that were noted, and queue images that are in no send job; returns how many exams were open.

    To be called after the store has been recovered, because an image on disk may not be in the index yet.
    """
    with workflow.store.read() as connection:
        unfinished = read_exams(connection, (REGISTERED, IN_PROGRESS))
        late = _ended_with_late_images(connection)
    for exam in unfinished:
        if exam.ending is not None:
            workflow.carry_out(exam.id)
        else:
            workflow.deliver(exam.id)
    for exam_id in late:
        workflow.deliver(exam_id)
    return len(unfinished)


def _ended_with_late_images(connection: Connection) -> list[int]:
    """Exams with images that came into the index after the end, and into no send job: a process died over them."""
    sent = exists().where(
        job_instances.c.SOPInstanceUID == instances.c.SOPInstanceUID,
        job_instances.c.job_id == jobs.c.id,
        jobs.c.kind == Kind.SEND,
    )
    statement = (
        select(exams.c.id)
        .join(studies, studies.c.StudyInstanceUID == exams.c.StudyInstanceUID)
        .join(series, series.c.study_id == studies.c.id)
        .join(instances, instances.c.series_id == series.c.id)
        .where(exams.c.ended_at <= instances.c.created_at, instances.c.origin.in_(("acquired", "recovered")), ~sent)
        .distinct()
        .order_by(exams.c.id)
    )
    return list(connection.execute(statement).scalars())
