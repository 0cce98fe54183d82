"""Retrieve jobs let an archive send what a person has chosen, to this device or to another AE (MR-3.2.2, RF-4.2.5).

Rules. A retrieve is one job for each study: it goes on when no page shows it, and its failure is shown among the jobs
(RF-4.2.5.3.1.4-03). It is never tried again by itself. Where the instances come to this device, a job that is run
again, by a person or after a crash, asks only for what is missing. What another AE has is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import Any, Final

from openmodality.activities.arrivals import Arrivals
from openmodality.activities.connection import Connector
from openmodality.activities.ends import Ends
from openmodality.activities.query import choose_model
from openmodality.activities.retrieve import RetrievePart, Wanted, retrieve_from_peer
from openmodality.activities.retrieve_plan import plan_retrieve
from openmodality.dimse.verdict import find_advice
from openmodality.jobs.job import NEVER_AGAIN, Job, NewJob
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.report import JobReport
from openmodality.query.moving import Counts, MoveResult
from openmodality.services.query_retrieve import MOVE_DESTINATION_UNKNOWN
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import instance_references
from openmodality.store.local import LocalStore
from openmodality.store.retrieve_window import RetrieveWindow
from openmodality.store.states import JobKind

LAST_COUNTS: Final = "counts"
"""How far the retrieve is, as the archive said last; a parameter of the job."""
DESTINATION: Final = "destination"
"""The AE title that gets the instances, empty for this device; a parameter of the job."""
_WANTED: Final = "wanted"
_HAS_BEGUN: Final = "has_begun"


def make_retrieve_job(peer: str, wanted: Wanted, destination: str = "") -> NewJob:
    """A job that lets a peer send ``wanted`` to the AE title ``destination``, by default to this device.

    The same thing is asked for once at a time.
    """
    parameters: dict[str, Any] = {
        _WANTED: {key: value for key, value in asdict(wanted).items() if value},
        DESTINATION: destination,
    }
    named = "/".join(filter(None, wanted.uids.values()))
    key = f"retrieve {peer} {destination} {named}"
    return NewJob(JobKind.RETRIEVE, peer, parameters, retry=NEVER_AGAIN, unique_key=key)


def read_wanted(job: Job) -> Wanted:
    """What a retrieve job asks for."""
    return Wanted(**job.parameters[_WANTED])


def read_counts(job: Job) -> Counts:
    """The counts of a retrieve job so far; all 0 where the archive has not answered yet."""
    return Counts(**job.parameters.get(LAST_COUNTS, {}))


class RetrieveExecutor:
    """Does the retrieve jobs; ``watch`` gives the instances that come, ``listen`` lets this process take them."""

    def __init__(
        self,
        connections: Connector,
        store: LocalStore,
        window: RetrieveWindow,
        watch: Callable[[], AbstractContextManager[Arrivals]],
        listen: Callable[[], None],
    ) -> None:
        self._connections = connections
        self._store = store
        self._window = window
        self._watch = watch
        self._listen = listen

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Ask the archive, and wait until it has sent everything."""
        ends = self._connections.make_ends("retrieve", self._connections.get_peer_of(job))
        wanted, destination = read_wanted(job), str(job.parameters[DESTINATION])
        is_for_us = destination in ("", ends.local.ae_title)
        parts = self._plan(ends, wanted, is_resumed=is_for_us and _HAS_BEGUN in job.parameters)
        report.remember(**{_HAS_BEGUN: True, LAST_COUNTS: asdict(Counts())})
        progress = _Progress(report)
        with self._receive(wanted.study, is_for_us=is_for_us) as arrivals:
            result = retrieve_from_peer(ends, wanted, destination=destination, go_on=progress, parts=parts)
        report.remember(**{LAST_COUNTS: asdict(result.counts)})
        if progress.is_stopped and not result.verdict.is_done:
            return Continue()
        return _conclude(result, destination or ends.local.ae_title, arrivals)

    def _plan(self, ends: Ends, wanted: Wanted, *, is_resumed: bool) -> list[RetrievePart] | None:
        """The requests to make; ``None``: one for all of it, without a query before it."""
        site = self._connections.site
        if not is_resumed and not site.parameters.boolean("behaviour.query_before_retrieve"):
            return None
        query_ends = self._connections.make_ends("query", site.peer(ends.name))
        model = choose_model(None, ends, Level.STUDY)
        return plan_retrieve(query_ends, wanted, model, self._list_here(wanted) if is_resumed else None)

    def _list_here(self, wanted: Wanted) -> set[str]:
        with self._store.read() as snapshot:
            here = instance_references(snapshot, Level.IMAGE, {"StudyInstanceUID": wanted.study})
        return {each.SOPInstanceUID for each in here}

    @contextmanager
    def _receive(self, study_instance_uid: str, *, is_for_us: bool) -> Iterator[Arrivals]:
        """Take the instances of a study where this device is the destination."""
        if not is_for_us:
            yield Arrivals()
            return
        self._listen()
        with self._window.retrieving(study_instance_uid), self._watch() as arrivals:
            yield arrivals


class _Progress:
    """Keeps how far the retrieve is, a few times a second, and says whether it is to go on."""

    def __init__(self, report: JobReport) -> None:
        self._report = report
        self._kept = Counts()
        self.is_stopped = False

    def __call__(self, counts: Counts) -> bool:
        if self._report.is_late and counts != self._kept:
            self._report.remember(**{LAST_COUNTS: asdict(counts)})
            self._kept = counts
        self.is_stopped = self.is_stopped or self._report.stop_requested
        return not self.is_stopped


def _conclude(result: MoveResult, title: str, arrivals: Arrivals) -> JobOutcome:
    counts = result.counts
    is_whole = result.verdict.is_done and not counts.failed
    said = [describe_counts(counts, title), arrivals.describe_refusals(is_whole=is_whole)]
    if is_whole:
        return Done("; ".join(filter(None, said)))
    said.insert(1, result.verdict.describe(result.comment))
    if result.status == MOVE_DESTINATION_UNKNOWN:
        said.append(f"let the peer know {title} and its address")
    elif result.verdict.is_failure:
        said.append(find_advice("retrieve", "C-MOVE", result.status))
    return Fail("; ".join(filter(None, said)))


def describe_counts(counts: Counts, title: str) -> str:
    """What the final response counts (PS3.7 9.1.4): ``12 of 60 sent to DEVICE, 3 failed``."""
    sent = counts.completed + counts.warning
    total = sent + counts.failed + counts.remaining
    words = [f"{sent} of {total} sent to {title}" if total else f"nothing was left to be sent to {title}"]
    words += [f"{counts.warning} with a warning"] * bool(counts.warning)
    words += [f"{counts.failed} failed"] * bool(counts.failed)
    words += [f"{counts.remaining} not tried"] * bool(counts.remaining)
    return ", ".join(words)
