"""What an operator can do about the problem of an instance file: retry it, or dismiss it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from openmodality.errors import ObjectInvalid, StoreError, WrongState
from openmodality.store.files.instance_file import InstanceFile, Stored, store_error
from openmodality.store.ingest import NewInstance, index_arrivals
from openmodality.store.listing.problems import Problem, find_problem
from openmodality.store.local import LocalStore
from openmodality.store.rows.problems import mark_dismissed, remove_problem
from openmodality.store.states import ProblemKind

_COPY_BYTES: Final = 1 << 20


def retry_problem(store: LocalStore, problem_id: int) -> Problem:
    """Index a file that could not be indexed, or store one that was set aside; returns the problem that it was.

    Raises :class:`NotFound` where there is no such problem, :class:`ObjectInvalid` where the file is still none that
    the index can hold, and :class:`WrongState` where another content is still stored under its UID.
    """
    with store.read() as snapshot:
        problem = find_problem(snapshot, problem_id)
    if problem.kind is ProblemKind.NOT_INDEXED:
        _index(store, problem)
    else:
        _store(store, problem)
    return problem


def dismiss_problem(store: LocalStore, problem_id: int) -> Problem:
    """Show a problem no more; its file stays. Raises :class:`NotFound` where there is no such problem."""
    with store.write() as transaction:
        problem = find_problem(transaction, problem_id)
        mark_dismissed(transaction, problem_id)
    return problem


def _index(store: LocalStore, problem: Problem) -> None:
    uid = problem.sop_instance_uid
    if not store.files.path(uid).exists():
        with store.write() as transaction:
            remove_problem(transaction, problem.id)  # the file is gone, and its problem with it
        return
    index_arrivals(store.database, store.files, [NewInstance(uid, problem.origin, source=problem.source)])
    with store.read() as snapshot:
        left = snapshot.rows("SELECT reason FROM problems WHERE id = ?", (problem.id,))
    if left:
        raise ObjectInvalid(f"{problem.file} cannot be indexed: {left[0]['reason']}")


def _store(store: LocalStore, problem: Problem) -> None:
    aside = store.files.aside
    if aside is None:
        raise StoreError("there is no folder for what is set aside")
    name = Path(problem.file).name
    file = store.create(problem.sop_instance_uid)
    _copy(aside.path(name), file)
    stored = store.accept(file, problem.origin, source=problem.source)
    if stored is Stored.DIFFERENT:
        raise WrongState(
            f"another content is stored under {problem.sop_instance_uid}",
            advice="delete that instance first, or dismiss the problem",
        )
    with store.write() as transaction:
        remove_problem(transaction, problem.id)
    aside.remove(name)


def _copy(path: Path, file: InstanceFile) -> None:
    try:
        with path.open("rb") as source:
            while chunk := source.read(_COPY_BYTES):
                file.write(chunk)
    except BaseException as error:
        file.abort()
        if isinstance(error, OSError):
            raise store_error(error, "read a file that was set aside") from error
        raise
