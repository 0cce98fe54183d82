"""The media of a device, as an operator uses them: made, added to, looked into, taken from, checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.activities.audit import AuditTrail
from openmodality.activities.media_job import MediumOrder, make_media_job
from openmodality.activities.media_profiles import choose_media_profile, list_media_profiles
from openmodality.activities.media_reading import find_on_medium, list_subjects, query_medium, verify_medium
from openmodality.app.local_data import Chosen, Imported, LocalData
from openmodality.audit.codes import ExportMedia
from openmodality.audit.events import tell_exported
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError, NotFound, UsageError, WrongState
from openmodality.jobs.job import Job
from openmodality.jobs.queue import Queue
from openmodality.media.application_profile import ApplicationProfile, count_medium_bytes, describe_refusal
from openmodality.media.iso_image import write_iso_image
from openmodality.media.iso_reader import open_medium
from openmodality.standard.media import DIRECTORY_NAME, clean_volume_label
from openmodality.store.index_recovery import Progress
from openmodality.store.states import JobKind, JobState
from openmodality.value_class import dataclass

IMAGE_ENDING: Final = ".iso"


@dataclass(frozen=True, slots=True)
class MediumLook:
    """How much of a medium instances take, without directory and pages. ``left_out`` are UIDs with the reason."""

    profile: ApplicationProfile
    length_bytes: int
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium that may be read: one that was made here, or what lies in a place that the site file names.

    ``image`` is the file of its image (ISO 9660), and is there only where :attr:`has_image` says so.
    """

    name: str
    root: Path
    made_here: bool
    image: Path

    @property
    def is_there(self) -> bool:
        """Whether a file-set is in its place: a drive may be empty."""
        return (self.root / DIRECTORY_NAME).is_file()

    @property
    def has_image(self) -> bool:
        """Whether its image is there, and not older than what it is of."""
        try:
            return self.image.stat().st_mtime >= (self.root / DIRECTORY_NAME).stat().st_mtime
        except OSError:
            return False


class Media:
    """Discs, sticks and folders that hold a file-set."""

    def __init__(
        self, site: Site, queue: Queue, data: LocalData, find_path: Callable[[str], Path], trail: AuditTrail
    ) -> None:
        self._site = site
        self._find_path = find_path
        self._queue = queue
        self._data = data
        self._trail = trail

    # Where media are, for whoever is not at the machine: the site file says it, never the one who asks

    @property
    def folder(self) -> Path:
        """Where discs and their images are made."""
        return (self._site.folder / self._site.settings.media.folder).absolute()

    def name_order(self, label: str, profile: str = "", device: str = "") -> MediumOrder:
        """An order of a new disc with its image in :attr:`folder`, under a name of its own; the rest is as usual.

        ``device`` is the drive that burns it, empty where nobody does. Raises :class:`UsageError` for a label that is
        none, and :class:`ConfigurationError` for a drive that the site does not have.
        """
        cleaned, drives = clean_volume_label(label), self._site.settings.media.drives
        if device and device not in drives:
            raise ConfigurationError(
                f"{device!r} is no drive of this device",
                advice=f"media.drives in the site file names them: {', '.join(drives) or 'none'}",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        moment = datetime.fromtimestamp(self._queue.database.clock())
        name = f"{cleaned}-{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03}"  # two may be asked for in a second
        return MediumOrder(
            "create",
            str(self.folder / name),
            profile,
            cleaned,
            image=str(self.folder / f"{name}{IMAGE_ENDING}"),
            device=device,
        )

    def list_media(self) -> list[Medium]:
        """The places of the site file, in its order, then what was made here, newest first."""
        named: dict[str, Medium] = {}
        for place in self._site.settings.media.readers:
            root = (self._site.folder / place).absolute()
            name = _find_free_name(root.name or "reader", named)
            named[name] = Medium(name, root, False, self.folder / f"{name}{IMAGE_ENDING}")
        made = [path.parent for path in self.folder.glob(f"*/{DIRECTORY_NAME}") if not path.parent.name.startswith(".")]
        for root in sorted(made, key=lambda root: (-(root / DIRECTORY_NAME).stat().st_mtime, root.name)):
            if root.name not in named:
                named[root.name] = Medium(root.name, root, True, self.folder / f"{root.name}{IMAGE_ENDING}")
        return list(named.values())

    def find_medium(self, name: str) -> Medium:
        """A medium by its name. Raises :class:`NotFound` where there is none, or its place is empty."""
        found = next((each for each in self.list_media() if each.name == name), None)
        if found is None:
            raise NotFound(f"there is no medium {name}", advice="openmodality media list shows all")
        if not found.is_there:
            raise NotFound(
                f"{name} has no {DIRECTORY_NAME}", advice="insert the disc, wait until it is mounted, and try again"
            )
        return found

    def fetch_image(self, image: Path) -> Path:
        """The file of an image that somebody fetches, once that is on record: it leaves the device.

        Raises :class:`WrongState` where there is none, or it is older than the disc that it is of.
        """
        medium = next((each for each in self.list_media() if each.image == image), None)
        if medium is None or not medium.has_image:
            raise WrongState("there is no image of this disc as it is now", advice="openmodality media iso makes one")
        self._trail.tell(tell_exported(self._trail.who, image.name, ExportMedia.URI, list_subjects(medium.root)))
        return image

    def find_images(self, job: Job) -> list[Path]:
        """The images that a media job has made, which can be fetched: one, or one of each of several discs."""
        image = Path(str(job.parameters.get("image") or ""))
        if job.kind is not JobKind.MEDIA or job.state is not JobState.DONE or image.suffix != IMAGE_ENDING:
            return []
        made = {medium.image: medium for medium in self.list_media() if medium.has_image}
        if image in made:
            return [image]
        numbered = re.compile(rf"{re.escape(image.stem)}-(\d+)")
        found = [(int(name[1]), path) for path in made if (name := numbered.fullmatch(path.stem))]
        return [path for _, path in sorted(found)]

    def write_image(self, medium: Medium, label: str, *, joliet: bool = False) -> int:
        """Make the image of a medium in :attr:`folder` anew; its length in bytes.

        Raises what :func:`openmodality.media.iso_image.write_iso_image` raises.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return write_iso_image(medium.root, medium.image, label, joliet=joliet)

    def verify(self, root: str | Path) -> list[str]:
        """What is wrong with a file-set in a folder or in the image of a disc, in words."""
        with open_medium(Path(root)) as folder:
            return verify_medium(folder)

    @property
    def profiles(self) -> Mapping[str, ApplicationProfile]:
        """The media storage application profiles of this device, by name."""
        return list_media_profiles(self._site)

    def look(self, pairs: Iterable[tuple[str, str]], profile: str = "") -> MediumLook:
        """How much of a medium instances (SOP Class UID, SOP Instance UID) would take, and which it would refuse.

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

    def query(self, root: str | Path, level: str, keys: Mapping[str, str]) -> tuple[list[Dataset], list[str]]:
        """The records of a medium that match keys by keyword, and what is wrong with its directory, in words.

        ``root`` is its folder, or the image of a disc.
        """
        self._check_activity("query")
        with open_medium(Path(root)) as folder:
            found, problems = query_medium(folder, level, keys)
        return found, [str(problem) for problem in problems]

    def retrieve(
        self, root: str | Path, keys: Mapping[str, str], progress: Progress = lambda done, total: None
    ) -> tuple[Imported, list[str]]:
        """Copy the instances of a medium that match keys into the local database; and why others could not be taken.

        ``root`` is its folder, or the image of a disc. Raises :class:`NotFound` where nothing matches.
        """
        self._check_activity("retrieve")
        with open_medium(Path(root)) as folder:
            files, faults = find_on_medium(folder, keys)
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


def _find_free_name(name: str, taken: Mapping[str, Medium]) -> str:
    """This name, or with a number behind it where it is taken."""
    number = 2
    found = name
    while found in taken:
        found = f"{name}-{number}"
        number += 1
    return found
