"""Rows of the queue as they are shown: jobs, their instances, what holds them up, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from openmodality.store.listing.reader import Condition, Reader, StoredRow, combine, decode_json, is_one_of
from openmodality.store.states import UNFINISHED_JOBS, JobState, Subject

_JOBS: Final = (
    "SELECT id, kind, state, destination, parameters, max_retries, retry_delay_s, retry_permanent, order_key, attempts,"
    " due_at, waiting_for, reason, cancel_requested, created_at, started_at, finished_at,"
    " cancelled_after FROM jobs"
)
_NO_LIMIT: Final = 2**63 - 1


def read_job_row(reader: Reader, job_id: int) -> StoredRow | None:
    """One job; None where there is none with this number."""
    rows = _decode(reader.rows(f"{_JOBS} WHERE id = ? AND device_id = ?", (job_id, reader.device_id)))
    return rows[0] if rows else None


def read_job_rows(
    reader: Reader,
    *,
    states: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    destination: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[StoredRow]:
    """Jobs that fit all of the filters, newest first; only those with a number below ``before``."""
    conditions = [
        Condition("device_id = ?", (reader.device_id,)),
        *(is_one_of(name, list(values)) for name, values in (("state", states), ("kind", kinds)) if values is not None),
    ]
    if destination is not None:
        conditions.append(Condition("destination = ?", (destination,)))
    if before is not None:
        conditions.append(Condition("id < ?", (before,)))
    fits = combine(conditions)
    sql = f"{_JOBS} WHERE {fits.sql} ORDER BY id DESC LIMIT ?"
    return _decode(reader.rows(sql, (*fits.values, _NO_LIMIT if limit is None else limit)))


def read_study_job_rows(reader: Reader, study_uid: str, states: Collection[str]) -> list[StoredRow]:
    """The jobs in one of the ``states`` that are about an instance of a study, oldest first."""
    of_study = (
        "SELECT job_instances.job_id FROM studies JOIN series ON series.study_id = studies.id"
        " JOIN instances ON instances.series_id = series.id"
        ' JOIN job_instances ON job_instances."SOPInstanceUID" = instances."SOPInstanceUID"'
        ' WHERE studies."StudyInstanceUID" = ?'
    )
    fits = combine([
        Condition("device_id = ?", (reader.device_id,)),
        is_one_of("state", list(states)),
        Condition(f"id IN ({of_study})", (study_uid,)),
    ])  # fmt: skip
    return _decode(reader.rows(f"{_JOBS} WHERE {fits.sql} ORDER BY id", fits.values))


def read_blocking_rows(reader: Reader, job_id: int, order_key: str | None) -> list[StoredRow]:
    """The jobs that a job waits for: what it comes after, and what is earlier in its order."""
    after = f"id IN (SELECT after_id FROM job_dependencies WHERE job_id = ?) AND state <> '{JobState.DONE}'"
    earlier = f"order_key = ? AND id < ? AND state NOT IN ('{JobState.DONE}', '{JobState.CANCELLED}')"
    conditions = [Condition(f"({after})", (job_id,))]
    if order_key is not None:
        conditions.append(Condition(f"({earlier})", (order_key, job_id)))
    holds = combine(conditions, "OR")
    return _decode(reader.rows(f"{_JOBS} WHERE {holds.sql} ORDER BY id", holds.values))


def read_job_instance_rows(
    reader: Reader, job_id: int, results: Collection[str] | None = None, limit: int = _NO_LIMIT
) -> Sequence[StoredRow]:
    """The instances of a job in their order; only those with one of the ``results`` where these are given."""
    fits = combine([
        Condition("job_id = ?", (job_id,)),
        *([] if results is None else [is_one_of("result", list(results))]),
    ])  # fmt: skip
    return reader.rows(
        'SELECT "SOPClassUID", "SOPInstanceUID", result, status, comment, attempts FROM job_instances'
        f" WHERE {fits.sql} ORDER BY number LIMIT ?",
        (*fits.values, limit),
    )


def count_job_results(reader: Reader, job_ids: Sequence[int]) -> list[tuple[int, str, int]]:
    """Job, result, and how many instances of the job have it."""
    fits = is_one_of("job_id", job_ids)
    rows = reader.rows(
        f"SELECT job_id, result, count(*) AS n FROM job_instances WHERE {fits.sql} GROUP BY job_id, result", fits.values
    )
    return [(row["job_id"], row["result"], row["n"]) for row in rows]


def read_job_events(reader: Reader, job_id: int) -> list[tuple[float, str, str]]:
    """All changes of state of a job, oldest first: when, to what and why."""
    rows = reader.rows(
        "SELECT at, name, detail FROM events WHERE subject = ? AND subject_id = ? ORDER BY id",
        (Subject.JOB.value, str(job_id)),
    )
    return [(row["at"], row["name"], row["detail"]) for row in rows]


def read_left_rows(reader: Reader, now: float) -> Sequence[StoredRow]:
    """The other devices of the database that have jobs to do and no process: how many jobs, and since when."""
    unfinished = is_one_of("jobs.state", [state.value for state in UNFINISHED_JOBS])
    return reader.rows(
        "SELECT devices.name, devices.host, devices.folder, count(*) AS jobs, min(jobs.created_at) AS since"
        " FROM devices JOIN jobs ON jobs.device_id = devices.id"
        f" WHERE devices.id <> ? AND (devices.lease_until IS NULL OR devices.lease_until <= ?) AND {unfinished.sql}"
        " GROUP BY devices.id, devices.name, devices.host, devices.folder ORDER BY devices.id",
        (reader.device_id, now, *unfinished.values),
    )


def _decode(rows: Sequence[StoredRow]) -> list[StoredRow]:
    return [
        {
            **row,
            "parameters": decode_json(row["parameters"]),
            "retry_permanent": bool(row["retry_permanent"]),
            "cancel_requested": bool(row["cancel_requested"]),
        }
        for row in rows
    ]
