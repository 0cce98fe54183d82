"""Where an operator may get pixels from: the simulator, a folder of the site, files that a browser uploads."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

from openmodality.acquisition.drop_folder import DropFolder, DroppedFile
from openmodality.acquisition.source import Source
from openmodality.app.modality import Modality
from openmodality.app.simulation import make_simulator
from openmodality.console.acquisitions import Acquisition, AcquisitionWork
from openmodality.console.pixel_choices import NOTHING_CHOSEN, PixelChoices
from openmodality.errors import OpenModalityError, OtherIdentity, UsageError
from openmodality.exam.session import Exam
from openmodality.value_class import dataclass

LARGEST_UPLOAD: Final = 4 << 30
_LOOK_S: Final = 0.5
_NAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,200}")
_UPLOAD: Final = re.compile(r"[0-9a-f]{16}")
_UPLOADS: Final = "console-uploads"
_PART: Final = ".part"
_LEFT_FREE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class PixelSource:
    """A source to choose: what it is called, and what a person is to know of it."""

    name: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file that a browser uploads: from where on, and whether nothing comes behind it."""

    name: str
    offset: int
    is_last: bool
    content: bytes


def list_pixel_sources(modality: Modality) -> list[PixelSource]:
    """The sources of this site."""
    settings = modality.site.settings.console
    found = []
    if settings.simulator:
        found.append(PixelSource("simulator", "Simulator", "Scans a phantom: images of nobody, for teaching."))
    if settings.pixel_folder:
        folder = modality.site.folder / settings.pixel_folder
        found.append(PixelSource("folder", "Folder of the site", f"Takes what is in {folder}, until it is stopped."))
    return found


def make_work(modality: Modality, exam: Exam, name: str, choices: PixelChoices = NOTHING_CHOSEN) -> AcquisitionWork:
    """The function that makes images from a source. Raises :class:`UsageError` where the site has no such source."""
    options = choices.make_options()
    if name not in {each.name for each in list_pixel_sources(modality)}:
        raise UsageError("this site has no such source of pixels", advice="choose one of those that are offered")
    if name == "simulator":
        source = make_simulator(modality.site, seed=exam.id)
        return lambda acquisition: _acquire(exam, source, acquisition, options)
    folder = modality.site.folder / modality.site.settings.console.pixel_folder
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", advice="make it, or change console.pixel_folder")
    return lambda acquisition: _watch(exam, folder, acquisition, options)


def _acquire(exam: Exam, source: Source | Sequence[Path], acquisition: Acquisition, options: Mapping[str, Any]) -> None:
    acquisition.tell("waiting for the first image")

    def show(done: int, total: int) -> None:
        acquisition.note_arrival(f"{exam.record.series[-1].description}: image {done} of {total}")
        acquisition.check_wanted()

    exam.acquire(source, show, **options)


def _watch(exam: Exam, folder: Path, acquisition: Acquisition, options: Mapping[str, Any]) -> None:
    waiting = f"waiting for files in {folder.name}"

    def deliver(arrival: DroppedFile) -> None:
        try:
            exam.take(arrival, **options)
        except OtherIdentity:
            acquisition.tell("a file names another patient and is held back; its text in held says which")
            raise
        except OpenModalityError as error:
            acquisition.tell(f"a file is not taken: {error.message}")
            raise
        acquisition.note_arrival(waiting)

    acquisition.tell(waiting)
    DropFolder(folder, deliver).watch(acquisition.stopping.wait, monotonic, _LOOK_S)


def make_upload_work(
    modality: Modality, exam: Exam, upload: str, choices: PixelChoices = NOTHING_CHOSEN
) -> AcquisitionWork:
    """A function that makes images of the files that a browser has uploaded, and then removes the files."""
    options = choices.make_options()
    folder = _find_upload(modality, exam.id, upload)
    paths = sorted(path for path in folder.iterdir() if path.suffix != _PART) if folder.is_dir() else []
    if not paths:
        raise UsageError("no file has come", advice="choose files, and wait until they are here")

    def work(acquisition: Acquisition) -> None:
        try:
            _acquire(exam, paths, acquisition, options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return work


def keep_part(modality: Modality, exam_id: int, upload: str, part: FilePart) -> int:
    """Append a part to the file of an upload; returns how much of the file there is now.

    Raises :class:`UsageError` where it does not belong to this upload, or there is no room for it.
    """
    if not _NAME.fullmatch(part.name) or part.name.startswith("."):
        raise UsageError("a file has no such name", advice="rename it")
    folder = _find_upload(modality, exam_id, upload)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < _LEFT_FREE + len(part.content) or part.offset > LARGEST_UPLOAD:
        raise UsageError("there is no room for this file", advice="give less at once, or delete what is sent")
    file = folder / f"{part.name}{_PART}"
    with file.open("ab") as stream:
        if stream.tell() != part.offset:
            raise UsageError("parts of the file are missing", advice="upload it again")
        stream.write(part.content)
        size = stream.tell()
    if part.is_last:
        file.rename(folder / part.name)
    return size


def remove_upload(modality: Modality, exam_id: int, upload: str) -> None:
    """Remove what a browser has uploaded where no images are made of it."""
    shutil.rmtree(_find_upload(modality, exam_id, upload), ignore_errors=True)


def remove_uploads(modality: Modality) -> None:
    """Remove what a process that has ended left of uploads."""
    shutil.rmtree(modality.site.data_folder / _UPLOADS, ignore_errors=True)


def _find_upload(modality: Modality, exam_id: int, upload: str) -> Path:
    if not _UPLOAD.fullmatch(upload):
        raise UsageError("there is no such upload")
    return modality.site.data_folder / _UPLOADS / f"{exam_id}-{upload}"
