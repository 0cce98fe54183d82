"""Brings the database of a device and its files together, and says what an operator must know of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from openmodality.exam.recovery import recover_exams
from openmodality.exam.workflow import Workflow
from openmodality.store.index_recovery import Recovered
from openmodality.store.listing.problems import list_problems
from openmodality.store.local import LocalStore
from openmodality.store.ownership import Ownership
from openmodality.store.rows.exams import find_instances_without_exam

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found; ``missing`` are instances of the index that have no file."""

    indexed: int = 0
    missing: int = 0
    notices: tuple[str, ...] = ()


def recover_device(store: LocalStore, workflow: Workflow, ownership: Ownership, *, adopt: bool = False) -> Recovery:
    """To be done once by the process that works the queue, before it works and listens.

    Raises :class:`OtherDevice` where the database is not this device's, unless ``adopt`` is given.
    """
    notices = ownership.claim(adopt=adopt)
    recovered = store.recover()
    recover_exams(workflow)
    notices += _describe(store, recovered)
    for notice in notices:
        log.warning("device.recovered", extra={"notice": notice})
    return Recovery(recovered.indexed, recovered.missing, tuple(notices))


def _describe(store: LocalStore, recovered: Recovered) -> Iterator[str]:
    with store.read() as snapshot:
        without_exam = sum(map(len, find_instances_without_exam(snapshot).values()))
        problems = len(list_problems(snapshot))
    if recovered.indexed:
        yield f"{recovered.indexed} instances were on disk alone, and are in the index now"
    if recovered.missing:
        yield f"{recovered.missing} instances of the index have no file"
    if without_exam:
        yield f"{without_exam} instances are in no exam and no send job: openmodality recover --send queues them"
    if problems:
        yield f"{problems} instance files have problems: openmodality instances list --problems"
