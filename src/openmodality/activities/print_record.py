"""The record of a print job: how many sheets are printed, and whether the outcome of further sheets is unknown.

An order to print is on record before it goes out, and its answer after it. In between it is uncertain whether the
ordered sheets are printed: where the program dies then, a person says what became of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from openmodality.activities.film_making import SheetPlan
from openmodality.errors import OpenModalityError
from openmodality.jobs.job import Job
from openmodality.jobs.report import JobReport
from openmodality.objects.performed_step.film_consumption import UsedFilms
from openmodality.store.rows.jobs import read_parameters_of
from openmodality.store.states import InstanceResult, JobKind
from openmodality.store.transaction import Snapshot
from openmodality.value_class import dataclass

PRINTED: Final = "printed"
UNCERTAIN: Final = "uncertain"
"""Parameters of a job: how many sheets are printed, and the last sheet of those whose order to print has no answer."""
_MEDIUM: Final = "medium_printed"
_SIZE: Final = "size_printed"
_COPIES: Final = "copies_printed"
"""Parameters of a job: what its sheets are, and how many of each, where they are films or paper."""


class PrintStopped(OpenModalityError):
    """A request was refused, or the printer is not normal: the job ends with this reason."""


class MaybePrinted(OpenModalityError):
    """The order to print was answered with a warning that ends the job: the sheets may well be printed."""


def find_uncertain_sheet(job: Job) -> int:
    """The last sheet of a print job whose outcome is unknown; 0 where there is none."""
    return int(job.parameters.get(UNCERTAIN, 0)) if job.kind is JobKind.PRINT else 0


def settle_sheet(sheet: int, *, is_printed: bool) -> dict[str, int]:
    """The parameters of a job once a person has said what became of its uncertain sheet."""
    return {UNCERTAIN: 0, PRINTED: sheet} if is_printed else {UNCERTAIN: 0}


def describe_uncertainty(job: Job, sheet: int, why: str) -> str:
    """Ask a person what became of a sheet."""
    return (
        f"sheet {sheet} may have been printed, or not: {why}. Look at the printer, then: "
        f"openmodality jobs retry {job.id} --film printed, or again"
    )


def list_used_films(snapshot: Snapshot, series_uids: Sequence[str], since: float) -> tuple[UsedFilms, ...]:
    """The films known to be printed for print jobs queued since a moment with images of these series, by their kind."""
    sums: dict[tuple[str, str], int] = {}
    for parameters in read_parameters_of(snapshot, JobKind.PRINT, series_uids, since):
        count = int(parameters.get(PRINTED, 0)) * int(parameters.get(_COPIES, 0))
        if count:
            kind = (str(parameters.get(_MEDIUM) or ""), str(parameters.get(_SIZE) or ""))
            sums[kind] = sums.get(kind, 0) + count
    return tuple(UsedFilms(count, *kind) for kind, count in sums.items())


@dataclass(slots=True)
class PrintRecord:
    """How far a job is: ``printed`` sheets are done, and the outcome of those up to ``uncertain`` is unknown."""

    plan: SheetPlan
    report: JobReport
    printed: int
    uncertain: int = 0

    @property
    def is_over(self) -> bool:
        """Whether all sheets are printed."""
        return self.printed >= self.plan.total

    def note_films(self) -> None:
        """Put on record what the sheets are, for whoever counts films."""
        session = self.plan.session
        size = session.films[0].film_size_id
        self.report.remember(
            **{_MEDIUM: session.medium_type, _SIZE: size, _COPIES: session.number_of_copies or 1}
        )  # fmt: skip

    @contextmanager
    def ordering(self, sheet: int) -> Iterator[None]:
        """Let the block order all sheets up to ``sheet``; if it raises :class:`PrintStopped`, none is printed."""
        self.uncertain = sheet
        self.report.remember(**{UNCERTAIN: sheet})
        try:
            yield
        except PrintStopped:
            self.uncertain = 0
            self.report.remember(**{UNCERTAIN: 0})
            raise
        self.finish(sheet)

    def finish(self, sheet: int) -> None:
        """Note that all sheets up to ``sheet`` are printed, and the instances whose frames are all on them."""
        self.uncertain, self.printed = 0, sheet
        self.report.remember(**{UNCERTAIN: 0, PRINTED: sheet})
        left = {frame.sop_instance_uid for frame in self.plan.list_frames_of(sheet, self.plan.total)}
        done = {frame.sop_instance_uid: None for frame in self.plan.list_frames_of(0, sheet)}
        beside = (*self.plan.order.states, *self.plan.order.key_objects) if self.is_over else ()
        for uid in (*(uid for uid in done if uid not in left), *beside):
            self.report.note_instance(uid, InstanceResult.SUCCESS)
        self.report.keep()
