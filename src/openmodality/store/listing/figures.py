"""Reads figures for monitoring: numbers alone, and no patient."""

from __future__ import annotations

from typing import Final

from openmodality.store.listing.reader import Reader
from openmodality.store.states import InstanceCommitment, InstanceResult, JobKind, JobState, Origin

_FINISHED: Final = f"'{JobState.DONE}', '{JobState.CANCELLED}'"
_STORED: Final = f"'{InstanceResult.SUCCESS}', '{InstanceResult.WARNING}'"


def count_jobs(reader: Reader) -> list[tuple[str, str, int]]:
    """Kind, state, and how many jobs there are of both."""
    sql = "SELECT kind, state, count(*) AS n FROM jobs WHERE device_id = ? GROUP BY kind, state ORDER BY kind, state"
    return [(row["kind"], row["state"], row["n"]) for row in reader.rows(sql, (reader.device_id,))]


def read_oldest_jobs(reader: Reader) -> list[tuple[str, float]]:
    """Kind, and since when the oldest job of it is not finished."""
    sql = (
        f"SELECT kind, min(created_at) AS since FROM jobs WHERE device_id = ? AND state NOT IN ({_FINISHED})"
        " GROUP BY kind ORDER BY kind"
    )
    return [(row["kind"], row["since"]) for row in reader.rows(sql, (reader.device_id,))]


def count_attempts(reader: Reader) -> list[tuple[str, str, int, int]]:
    """Kind, peer, how many attempts failed, and how many jobs were done."""
    sql = (
        f"SELECT kind, destination, sum(attempts) AS failed, sum(CASE WHEN state = '{JobState.DONE}' THEN 1 ELSE 0 END)"
        f" AS done FROM jobs WHERE device_id = ? AND kind <> '{JobKind.MEDIA}'"
        " GROUP BY kind, destination ORDER BY kind, destination"
    )
    rows = reader.rows(sql, (reader.device_id,))
    return [(row["kind"], row["destination"], row["failed"], row["done"]) for row in rows]


def read_durations(reader: Reader, kind: str) -> list[tuple[str, float]]:
    """Peer, and how long a job of this kind took that is done, each job."""
    sql = (
        f"SELECT destination, finished_at - started_at AS took FROM jobs WHERE device_id = ? AND kind = ?"
        f" AND state = '{JobState.DONE}' AND started_at IS NOT NULL AND finished_at IS NOT NULL"
    )
    return [(row["destination"], row["took"]) for row in reader.rows(sql, (reader.device_id, kind))]


def read_commitment_waits(reader: Reader) -> list[tuple[str, float]]:
    """Peer, and how long it took to answer a request for storage commitment, each request that was answered."""
    sql = (
        "SELECT destination, answered_at - created_at AS took FROM commitments WHERE device_id = ?"
        " AND answered_at IS NOT NULL"
    )
    return [(row["destination"], row["took"]) for row in reader.rows(sql, (reader.device_id,))]


def count_exams(reader: Reader) -> list[tuple[str, int]]:
    """State, and how many exams there are in it."""
    sql = "SELECT state, count(*) AS n FROM exams WHERE device_id = ? GROUP BY state ORDER BY state"
    return [(row["state"], row["n"]) for row in reader.rows(sql, (reader.device_id,))]


def count_instances(reader: Reader) -> list[tuple[str, int]]:
    """Origin, and how many instances came so."""
    sql = "SELECT origin, count(*) AS n FROM instances WHERE device_id = ? GROUP BY origin ORDER BY origin"
    return [(row["origin"], row["n"]) for row in reader.rows(sql, (reader.device_id,))]


def count_unsent(reader: Reader) -> int:
    """How many instances that this device made no peer has stored."""
    [row] = reader.rows(
        f"SELECT count(*) AS n FROM instances WHERE device_id = ? AND origin = '{Origin.ACQUIRED}' AND NOT EXISTS ("
        'SELECT 1 FROM job_instances WHERE job_instances."SOPInstanceUID" = instances."SOPInstanceUID"'
        f" AND job_instances.result IN ({_STORED})"
        f" AND +job_instances.job_id IN (SELECT jobs.id FROM jobs WHERE jobs.kind = '{JobKind.SEND}'))",
        (reader.device_id,),
    )
    return int(row["n"])


def count_uncommitted(reader: Reader) -> int:
    """How many instances that this device made no peer has committed itself to keep."""
    [row] = reader.rows(
        f"SELECT count(*) AS n FROM instances WHERE device_id = ? AND origin = '{Origin.ACQUIRED}' AND NOT EXISTS ("
        'SELECT 1 FROM commitment_instances WHERE commitment_instances."SOPInstanceUID" = instances."SOPInstanceUID"'
        f" AND commitment_instances.result = '{InstanceCommitment.COMMITTED}')",
        (reader.device_id,),
    )
    return int(row["n"])
