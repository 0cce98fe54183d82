"""Problems of instance files, as an operator sees them."""

from __future__ import annotations

from openmodality.errors import NotFound
from openmodality.store.listing.reader import Reader, StoredRow
from openmodality.store.states import Origin, ProblemKind
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an instance file; ``file`` is relative to the data folder.

    ``sop_instance_uid`` is empty where it is not known, ``source`` where the instance came from no peer. ``at`` is in
    seconds since the epoch.
    """

    id: int
    kind: ProblemKind
    sop_instance_uid: str
    file: str
    reason: str
    origin: Origin
    source: str
    at: float
    dismissed: bool


def list_problems(reader: Reader, *, dismissed: bool = False) -> list[Problem]:
    """Problems, newest first; ``dismissed``: those that an operator has dismissed as well."""
    condition = "" if dismissed else " AND dismissed_at IS NULL"
    sql = f"SELECT * FROM problems WHERE device_id = ?{condition} ORDER BY id DESC"
    return [_make_problem(row) for row in reader.rows(sql, (reader.device_id,))]


def find_problem(reader: Reader, problem_id: int) -> Problem:
    """One problem. Raises :class:`NotFound` where there is none with this number."""
    rows = reader.rows("SELECT * FROM problems WHERE id = ? AND device_id = ?", (problem_id, reader.device_id))
    if not rows:
        raise NotFound(f"there is no problem {problem_id}", advice="openmodality instances list --problems shows all")
    return _make_problem(rows[0])


def list_files(reader: Reader) -> set[str]:
    """The files of all problems, dismissed ones too."""
    return {row["file"] for row in reader.rows("SELECT file FROM problems WHERE device_id = ?", (reader.device_id,))}


def _make_problem(row: StoredRow) -> Problem:
    return Problem(
        row["id"],
        ProblemKind(row["kind"]),
        row["SOPInstanceUID"],
        row["file"],
        row["reason"],
        Origin(row["origin"]),
        row["source"],
        row["created_at"],
        row["dismissed_at"] is not None,
    )
