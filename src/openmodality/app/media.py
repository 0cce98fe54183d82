"""The media of a device, as an operator uses them: made, added to, looked into, taken from, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from openmodality.activities.media_job import MediumOrder, make_media_job
from openmodality.activities.media_profiles import choose_media_profile, media_profiles
from openmodality.activities.media_reading import find_on_medium, query_medium
from openmodality.app.local_data import Chosen, Imported, LocalData
from openmodality.device.site.site import Site
from openmodality.errors import NotFound, UsageError
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue
from openmodality.media.application_profile import ApplicationProfile, count_medium_bytes, describe_refusal
from openmodality.media.directory import DIRECTORY_NAME
from openmodality.store.index_recovery import Progress


@dataclass(frozen=True, slots=True)
class MediumLook:
    """What instances take of a medium: without its directory and pages. ``left_out`` are UIDs with the reason."""

    profile: ApplicationProfile
    length_bytes: int
    left_out: tuple[tuple[str, str], ...]


class Media:
    """Discs, sticks and folders that hold a file-set."""

    def __init__(self, site: Site, queue: Queue, data: LocalData, find_path: Callable[[str], Path]) -> None:
        self._site = site
        self._find_path = find_path
        self._queue = queue
        self._data = data

    @property
    def profiles(self) -> Mapping[str, ApplicationProfile]:
        """The media storage application profiles of this device, by name."""
        return media_profiles(self._site)

    def look(self, pairs: Iterable[tuple[str, str]], profile: str = "") -> MediumLook:
        """What instances (SOP Class UID, SOP Instance UID) would take of a medium, and which it would not take.

        Raises :class:`ConfigurationError` where the device has no such profile.
        """
        chosen, length_bytes, left_out = choose_media_profile(self._site, profile), 0, []
        for sop_class_uid, uid in pairs:
            reason = describe_refusal(chosen, sop_class_uid)
            try:
                length_bytes += 0 if reason else count_medium_bytes(self._find_path(uid).stat().st_size)
            except OSError as error:
                reason = f"its file cannot be read: {error.strerror}"
            if reason:
                left_out.append((uid, reason))
        return MediumLook(chosen, length_bytes, tuple(left_out))

    def put(self, chosen: Chosen, order: MediumOrder) -> Job:
        """Queue a job that makes a file-set of instances, or adds them to one.

        Raises :class:`UsageError` for what can be known before: a profile or act that the device does not have, nothing
        chosen, a target that is or is not a file-set already.
        """
        self._check_activity(order.act, order.profile)
        has_set = (Path(order.target) / DIRECTORY_NAME).exists()
        if order.act == "create" and has_set:
            raise UsageError(f"{order.target} has a DICOMDIR already", advice="openmodality media update adds to it")
        if order.act == "update" and not has_set:
            raise UsageError(f"{order.target} has no DICOMDIR", advice="openmodality media create makes one")
        if order.image and Path(order.image).exists():
            raise UsageError(f"{order.image} exists already", advice="name another file for the image")
        pairs = self._data.list_chosen(chosen)
        job = make_media_job(order, pairs)
        with self._queue.database.write() as transaction:
            return self._queue.enqueue(transaction, job)

    def query(self, root: str | Path, level: str = "STUDY", **keys: str) -> tuple[list[Dataset], list[str]]:
        """The records of a medium that match keys by keyword, and what is wrong with its directory, in words."""
        self._check_activity("query")
        found, problems = query_medium(Path(root), level, keys)
        return found, [str(problem) for problem in problems]

    def retrieve(
        self, root: str | Path, progress: Progress = lambda done, total: None, **keys: str
    ) -> tuple[Imported, list[str]]:
        """Copy the instances of a medium that match keys into the local database; and why others could not be taken.

        Raises :class:`NotFound` where nothing matches.
        """
        self._check_activity("retrieve")
        files, faults = find_on_medium(Path(root), keys)
        if not files:
            raise NotFound(
                f"{root} has no such instances",
                advice="; ".join(faults[:1]) or "openmodality media list shows all",
            )
        return self._data.import_files(files, progress), faults

    def _check_activity(self, activity: str, profile: str = "") -> None:
        """Raise :class:`UsageError` where the profile or, without one, no profile has the activity."""
        chosen = choose_media_profile(self._site, profile)
        named = bool(profile) or activity == "create"
        able = (
            chosen.activities
            if named
            else frozenset[str]().union(*(each.activities for each in self.profiles.values()))
        )
        if activity not in able:
            what = f"profile {chosen.name}" if named else f"profile {self._site.profile.name}"
            raise UsageError(f"{what} does not {activity} media", advice=f"it does this: {', '.join(sorted(able))}")
