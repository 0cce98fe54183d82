"""Jobs as JSON values, and why each is where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openmodality.app.records.values import format_time, format_zoned
from openmodality.jobs.job import Job, JobInstance
from openmodality.store.states import InstanceResult, JobState

if TYPE_CHECKING:
    from openmodality.app.view import JobDetails


def describe_reason(job: Job, held_by: Sequence[Job] = ()) -> str:
    """Why a job is in its state, in words; ``held_by`` are the jobs that it waits for."""
    if held_by and job.state is JobState.TODO:
        holder = next((each for each in held_by if each.state is JobState.FAILED), held_by[0])
        return f"waits for job {holder.id}{', which failed' if holder.state is JobState.FAILED else ''}"
    said = _describe_state(job)
    if job.state is JobState.WAITING and job.due_at is not None:
        said += f", next {format_time(job.due_at)}"
    elif job.attempts and not job.state.finished:
        said += f" (attempt {job.attempts + 1})"
        if job.due_at is not None:
            said += f", next {format_time(job.due_at)}"
    return said


def _describe_state(job: Job) -> str:
    return f"waiting for {job.waiting_for}" if job.waiting_for else job.reason


def job_as_json(job: Job, results: Mapping[InstanceResult, int], held_by: Sequence[Job] = ()) -> dict[str, Any]:
    """A job for a program."""
    return {
        "job": job.id,
        "kind": job.kind.value,
        "peer": job.destination,
        "state": job.state.value,
        "reason": describe_reason(job, held_by) if held_by else _describe_state(job),
        "waits_for_jobs": [each.id for each in held_by],
        "cancel_requested": job.cancel_requested,
        "results": {result.value: number for result, number in results.items()},
        "failed_attempts": job.attempts,
        "queued": format_zoned(job.created_at),
        "started": format_zoned(job.started_at),
        "finished": format_zoned(job.finished_at),
        "due": None if job.state.finished else format_zoned(job.due_at),
    }


def job_details_as_json(details: JobDetails, results: Mapping[InstanceResult, int]) -> dict[str, Any]:
    """All there is to know of a job, for a program."""
    return {
        **job_as_json(details.job, results, details.blockers),
        "instances": [_instance_as_json(instance) for instance in details.instances],
        "history": [
            {"at": format_zoned(change.at), "state": change.state, "detail": change.detail}
            for change in details.history
        ],
    }


def _instance_as_json(instance: JobInstance) -> dict[str, Any]:
    """An instance of a job for a program."""
    return {
        "sop_class_uid": instance.SOPClassUID,
        "sop_instance_uid": instance.SOPInstanceUID,
        "result": instance.result.value,
        "status": None if instance.status is None else f"{instance.status:04X}",
        "comment": instance.comment,
        "attempts": instance.attempts,
    }


def left_out_as_json(instances: Sequence[JobInstance]) -> list[dict[str, Any]]:
    """What a media job has not written, with the reason."""
    return [
        {"sop_instance_uid": each.SOPInstanceUID, "reason": each.comment}
        for each in instances
        if each.result is InstanceResult.FAILURE
    ]
