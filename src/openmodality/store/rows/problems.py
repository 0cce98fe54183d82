"""Problems of instance files: put on record, retried and dismissed. They are read by ``store.listing.problems``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, update

from openmodality.store.schema import problems
from openmodality.store.states import Origin, ProblemKind, Subject
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class NewProblem:
    """What is wrong with a file, which is named relative to the data folder.

    ``source`` is the AE title that it came from, where it came from one. ``reason`` holds no patient data.
    """

    kind: ProblemKind
    sop_instance_uid: str
    file: str
    reason: str
    origin: Origin
    source: str = ""


def add_problems(transaction: Transaction, found: Sequence[NewProblem]) -> None:
    """Put problems on record; one that is there already, dismissed or not, stays as it is."""
    for problem in found:
        row = {
            "device_id": transaction.device_id,
            "kind": problem.kind,
            "SOPInstanceUID": problem.sop_instance_uid,
            "file": problem.file,
            "reason": problem.reason,
            "origin": problem.origin,
            "source": problem.source,
            "created_at": transaction.now,
        }
        added = transaction.execute(transaction.insert(problems).values(row).on_conflict_do_nothing())
        if added.rowcount:
            transaction.add_event(Subject.INSTANCE, problem.sop_instance_uid, problem.kind, problem.reason)


def mark_dismissed(transaction: Transaction, problem_id: int) -> None:
    """Note that an operator has seen a problem; its file stays where it is."""
    own = problems.c.id == problem_id
    transaction.execute(update(problems).where(own).values(dismissed_at=transaction.now))


def remove_problem(transaction: Transaction, problem_id: int) -> None:
    """Forget a problem that is none any more."""
    transaction.execute(delete(problems).where(problems.c.id == problem_id))


def has_unindexed(snapshot: Snapshot) -> bool:
    """Whether there is a file that could not be indexed: seldom, and each batch of the index asks."""
    own = (snapshot.device_id, ProblemKind.NOT_INDEXED.value)
    return bool(snapshot.rows("SELECT 1 FROM problems WHERE device_id = ? AND kind = ? LIMIT 1", own))


def settle_problems(transaction: Transaction, files: Sequence[str]) -> None:
    """Forget that files could not be indexed: they are in the index now."""
    unindexed = problems.c.file.in_(files) & (problems.c.kind == ProblemKind.NOT_INDEXED)
    transaction.execute(delete(problems).where(problems.c.device_id == transaction.device_id, unindexed))
