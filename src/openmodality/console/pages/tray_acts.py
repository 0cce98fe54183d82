"""Acts that Film and Media share: name the patients of a tray, refuse a tray that has changed, cancel an order."""

from __future__ import annotations

from openmodality.console.context import ConsoleContext
from openmodality.console.template_files import format_person
from openmodality.console.trays import Tray
from openmodality.errors import UsageError, WrongState
from openmodality.store.states import JobKind


def describe_patients(tray: Tray) -> list[str]:
    """The names of patients with their IDs."""
    return [f"{format_person(name) or 'no name'} ({patient_id or 'no ID'})" for patient_id, name in tray.patients]


def check_version(tray: Tray, seen: str, noun: str) -> None:
    """Raises :class:`WrongState` where a tray is another one than the user has seen."""
    if seen != str(tray.version):
        raise WrongState(f"the {noun} was changed meanwhile, and is shown as it is now", advice="look at it again")


def cancel_order(context: ConsoleContext, job_id: int, kind: JobKind, *, mismatch: str, ending: str) -> str:
    """Cancel a job of one kind; what is said then. ``ending`` is how one that is being done ends.

    Raises :class:`UsageError` with ``mismatch`` for a job of another kind, which is cancelled elsewhere.
    """
    if context.modality.jobs.show(job_id).job.kind is not kind:
        raise UsageError(f"job {job_id} {mismatch}", advice="cancel it under Jobs")
    job = context.modality.jobs.cancel(job_id)
    return f"Job {job.id} is cancelled." if job.state.finished else f"Job {job.id} ends{ending}."
