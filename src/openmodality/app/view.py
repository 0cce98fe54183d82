"""Reads the local data, for a command without the device, for the device, the console and programs alike.

Nothing here changes, recovers or locks anything.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from openmodality.device.site.data_place import DataPlace, read_data_place
from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.listing import (
    Change,
    LeftJobs,
    count_results,
    find_blockers,
    get_job,
    list_jobs,
    list_left,
    list_study_jobs,
    read_history,
    read_instances,
)
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.listing.entities import DataSource, Found, find, read_entities
from openmodality.store.listing.exams import ExamRecord, StepRecord, read_exam, read_exams, read_step, read_steps
from openmodality.store.listing.irradiation import read_irradiation
from openmodality.store.listing.jobs import read_job_instance_rows
from openmodality.store.listing.problems import Problem, list_problems
from openmodality.store.listing.search import Search, find_ids
from openmodality.store.listing.sqlite_file import find_sqlite_file
from openmodality.store.names import INSTANCE_FOLDER
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    from openmodality.objects.irradiation.event import IrradiationEvent


@dataclass(frozen=True, slots=True)
class JobDetails:
    """All there is to know of a job: its instances, its history, and the jobs that it waits for."""

    job: Job
    instances: tuple[JobInstance, ...]
    history: tuple[Change, ...]
    blockers: tuple[Job, ...]


class JobView:
    """The jobs of this device, to look at."""

    def __init__(self, source: DataSource) -> None:
        self._source = source

    def list(
        self,
        *,
        states: Iterable[JobState] | None = None,
        kinds: Iterable[JobKind] | None = None,
        destination: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[Job]:
        """Jobs that fit all of the filters, newest first; only those with a number below ``before``."""
        with self._source.read() as reader:
            return list_jobs(reader, states=states, kinds=kinds, destination=destination, before=before, limit=limit)

    def list_failed(self, study_uid: str) -> builtins.list[Job]:
        """The jobs about images of a study that have failed and wait for a person, oldest first."""
        with self._source.read() as reader:
            return list_study_jobs(reader, study_uid, [JobState.FAILED])

    def show(self, job_id: int) -> JobDetails:
        """One job. Raises :class:`NotFound` where there is none with this number."""
        with self._source.read() as reader:
            job = get_job(reader, job_id)
            return JobDetails(
                job,
                tuple(read_instances(reader, job_id)),
                tuple(read_history(reader, job_id)),
                tuple(find_blockers(reader, job)),
            )

    def results(self, jobs: Iterable[Job]) -> dict[int, Mapping[InstanceResult, int]]:
        """How many instances of each job have which result."""
        with self._source.read() as reader:
            return count_results(reader, [job.id for job in jobs])

    def list_left(self) -> builtins.list[LeftJobs]:
        """The jobs of other devices of the department's database that no process serves."""
        with self._source.read() as reader:
            return list_left(reader, time())

    def waits_for(self, jobs: Iterable[Job]) -> dict[int, Sequence[Job]]:
        """What holds up each of the jobs that are yet to be done."""
        with self._source.read() as reader:
            return {job.id: find_blockers(reader, job) for job in jobs if job.state is JobState.TODO}

    def find_first_instance(self, job_id: int) -> str:
        """The SOP Instance UID of the first instance of a job; empty where it is about none."""
        with self._source.read() as reader:
            return next((each["SOPInstanceUID"] for each in read_job_instance_rows(reader, job_id, limit=1)), "")

    @property
    def idle(self) -> bool:
        """Whether no job is to be done, being done or waiting, except behind a job that failed."""
        return not self.list_moving()

    def list_moving(self) -> Sequence[Job]:
        """The jobs that are to be done, being done or waiting, without those behind a job that failed.

        The delivery of the audit trail is left out, because nothing waits for it.
        """
        kinds = [kind for kind in JobKind if kind is not JobKind.AUDIT]
        open_jobs = self.list(states=(JobState.TODO, JobState.DOING, JobState.WAITING), kinds=kinds)
        with self._source.read() as reader:
            return [job for job in open_jobs if not _is_held(find_blockers(reader, job))]


class ProblemView:
    """The instance files of this device that are not among the others, to look at."""

    def __init__(self, source: DataSource) -> None:
        self._source = source

    def list(self, *, dismissed: bool = False) -> builtins.list[Problem]:
        """Problems, newest first; ``dismissed``: those that an operator has dismissed as well."""
        with self._source.read() as reader:
            return list_problems(reader, dismissed=dismissed)

    def find(self, sop_instance_uid: str) -> builtins.list[Problem]:
        """All problems under one SOP Instance UID, dismissed ones too."""
        return [each for each in self.list(dismissed=True) if each.sop_instance_uid == sop_instance_uid]


class LocalView:
    """Reads a data folder: jobs, exams, studies, series and instances, and problems of their files."""

    def __init__(self, source: DataSource, data_folder: Path) -> None:
        self._source = source
        self._files = InstanceFiles(data_folder / INSTANCE_FOLDER)
        self.jobs = JobView(source)
        self.problems = ProblemView(source)

    def exams(self, *states: str, before: int | None = None, limit: int | None = None) -> list[ExamRecord]:
        """Exams in these states, or all, newest first; only those with a number below ``before``."""
        with self._source.read() as reader:
            return read_exams(reader, states, before=before, limit=limit)

    def exam(self, exam_id: int) -> ExamRecord:
        """One exam. Raises :class:`NotFound` where there is none with this number."""
        with self._source.read() as reader:
            return read_exam(reader, exam_id)

    def steps(self, exam_id: int) -> list[StepRecord]:
        """The performed steps of an exam, oldest first."""
        with self._source.read() as reader:
            return read_steps(reader, exam_id)

    def step(self, sop_instance_uid: str) -> StepRecord:
        """A performed step by the UID that this device gave it. Raises :class:`StoreError` where it is gone."""
        with self._source.read() as reader:
            return read_step(reader, sop_instance_uid)

    def irradiation(self, exam_id: int) -> list[IrradiationEvent]:
        """The irradiation events on record of an exam, in the order in which they began."""
        from openmodality.objects.irradiation.event import IrradiationEvent  # noqa: PLC0415 - start-up time: pydicom

        with self._source.read() as reader:
            events = [IrradiationEvent.from_json(each.event) for each in read_irradiation(reader, exam_id)]
        return sorted(events, key=lambda event: event.started or datetime.min)

    def find(self, level: Level, keys: Mapping[str, str], limit: int | None = None) -> list[Found]:
        """Entities of a level that match the keys (PS3.4 C.2.2.2), newest study first."""
        with self._source.read() as reader:
            return find(reader, level, keys, limit=limit)

    def search(self, search: Search, *, limit: int, offset: int = 0) -> tuple[list[Found], bool]:
        """A page of what is searched for, newest study first, and whether there is more behind it."""
        with self._source.read() as reader:
            ids = find_ids(reader, search, limit=limit + 1, offset=offset)
            return read_entities(reader, search, ids[:limit]), len(ids) > limit

    def page(self, search: Search, limit: int, after: tuple[int, int] = (0, 0)) -> tuple[list[Found], tuple[int, int]]:
        """A part of what is searched for, newest study first, and where the next one begins; zeros at the end.

        ``after`` is how many were passed by, and the row of the last of them: where others came or went meanwhile, it
        is looked for.
        """
        offset, last = after
        with self._source.read() as reader:
            if last:
                before = find_ids(reader, search, limit=1, offset=offset - 1)
                if before != [last]:
                    ids = find_ids(reader, search)
                    offset = ids.index(last) + 1 if last in ids else offset
            ids = find_ids(reader, search, limit=limit + 1, offset=offset)
            shown = ids[:limit]
            following = (offset + limit, shown[-1]) if len(ids) > limit else (0, 0)
            return read_entities(reader, search, shown), following

    def instance_path(self, sop_instance_uid: str) -> Path:
        """The PS3.10 file of an instance."""
        return self._files.path(sop_instance_uid)


@contextmanager
def look_at(site_file: Path) -> Iterator[LocalView]:
    """The local data of a site, without its device (ADR 32).

    Raises :class:`ConfigurationError` and :class:`StoreError`.
    """
    place = find_data_place(site_file)
    file = None if place.database_url else find_sqlite_file(place.folder)
    if file is not None:
        yield LocalView(file, place.folder)
        return
    from openmodality.store.local import open_store  # noqa: PLC0415 - start-up time: SQLAlchemy

    with open_store(place.folder, url=place.database_url or None) as store:
        yield LocalView(store, place.folder)


def find_data_place(site_file: Path) -> DataPlace:
    """Where the local data of a site are. Raises :class:`ConfigurationError`."""
    return read_data_place(site_file) or _load_data_place(site_file)


def _load_data_place(site_file: Path) -> DataPlace:
    """By the loader of the whole file, which says what is wrong with it."""
    from openmodality.device.site.site_loader import load_site  # noqa: PLC0415 - start-up time: pydantic, the profile

    site = load_site(site_file)
    return DataPlace(site.data_folder, site.settings.data.database)


def _is_held(held_by: Iterable[Job]) -> bool:
    return any(job.state in (JobState.FAILED, JobState.CANCELLED) for job in held_by)
