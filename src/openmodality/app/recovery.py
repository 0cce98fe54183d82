"""Brings the database of a device and its files together, and says what an operator must know of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from openmodality.counted import format_count
from openmodality.device.site.data_place import DataPlace
from openmodality.errors import StoreError
from openmodality.exam.recovery import recover_exams
from openmodality.exam.workflow import Workflow
from openmodality.jobs.worker_lock import WorkerLock
from openmodality.store.damage import is_damaged, set_aside
from openmodality.store.index_recovery import Recovered
from openmodality.store.listing.problems import list_problems
from openmodality.store.local import LocalStore
from openmodality.store.ownership import Ownership
from openmodality.store.rows.exams import find_instances_without_exam
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The result of a recovery; ``missing`` are instances of the index that have no file."""

    indexed: int = 0
    missing: int = 0
    of_database: tuple[str, ...] = ()
    """What an operator must know of the database: that it is new or old."""
    of_files: tuple[str, ...] = ()
    """What an operator must know of the instance files, as it was when they were looked through."""

    @property
    def notices(self) -> tuple[str, ...]:
        """All that an operator must know."""
        return self.of_database + self.of_files


def log_notice(notice: str) -> None:
    """Tell what an operator must know where nobody else does."""
    log.warning("device.recovered", extra={"notice": notice})


def set_damaged_aside(place: DataPlace, now: float) -> str:
    """Let a new database take the place of a damaged SQLite file; what an operator must know, empty where it is sound.

    To be called before the device is opened, which needs a database. Raises :class:`StoreError` where another process
    works the queue.
    """
    if place.database_url or not is_damaged(place.folder):
        return ""
    lock = WorkerLock(place.folder)
    if not lock.acquire():
        raise StoreError(f"another process serves the data folder {place.folder}", advice="stop it first")
    try:
        kept = set_aside(place.folder, now)
    finally:
        lock.release()
    return f"the database was damaged and is kept as {kept.name}; the index is made anew from the instance files"


def recover_device(store: LocalStore, workflow: Workflow, ownership: Ownership, *, adopt: bool = False) -> Recovery:
    """To be done once by the process that works the queue, before it works and listens.

    Raises :class:`OtherDevice` where the database is not this device's, unless ``adopt`` is given.
    """
    of_database = tuple(ownership.claim(adopt=adopt))
    recovered = store.recover()
    recover_exams(workflow)
    return Recovery(recovered.indexed, recovered.missing, of_database, tuple(_list_notices(store, recovered)))


def _list_notices(store: LocalStore, recovered: Recovered) -> Iterator[str]:
    with store.read() as snapshot:
        without_exam = sum(map(len, find_instances_without_exam(snapshot).values()))
        problems = len(list_problems(snapshot))
    if recovered.indexed:
        yield f"{format_count(recovered.indexed, 'instance')} on disk alone until now, in the index from now on"
    if recovered.missing:
        yield f"{format_count(recovered.missing, 'instance')} of the index without a file"
    if without_exam:
        count = format_count(without_exam, "instance")
        yield f"{count} in no exam and no send job: openmodality recover --send queues them"
    if problems:
        yield f"{format_count(problems, 'instance file')} with problems: openmodality instances list --problems"
