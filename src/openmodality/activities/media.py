"""Puts instances on a medium: makes a file-set, or adds to one.

Rules. One patient to a disc unless the request says otherwise. What a profile does not take is left out and named.
Instances that do not fit on one medium are refused, or split by series where the request says so; then each disc is a
file-set of its own. The pages for people are made last and count in the capacity. A request that fails or is cancelled
leaves nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread

from openmodality.activities.disc_pages import make_page_studies
from openmodality.encoding.part10 import read_any
from openmodality.errors import OpenModalityError, UsageError
from openmodality.media.application_profile import ApplicationProfile, count_medium_bytes
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_ids import DISC_FOLDER
from openmodality.media.file_set import (
    FileSetOptions,
    FileSetReport,
    LeftOut,
    WritingCancelled,
    create_file_set,
    explain_no_room,
    update_file_set,
)
from openmodality.media.instance_head import is_generated_id
from openmodality.media.pdi.pages import INDEX_NAME, PDI_FOLDER, README_NAME, DiscWords, write_pages
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.value_class import dataclass

_OVERHEAD_BYTES: Final = 1024 * 1024
"""What the image's own structure and the DICOMDIR of a small set take at the most."""
_RECORD_BYTES: Final = 1024
"""What one record of a DICOMDIR takes at the most."""


@dataclass(frozen=True, slots=True)
class MediumRequest:
    """A request for a medium. ``target`` is a folder; several discs become ``target-1``, ``target-2`` and so on.

    ``words`` are for the pages of the disc; without them it has none. ``goes_on`` is asked before each instance is read
    or drawn.
    """

    paths: Sequence[Path]
    target: Path
    options: FileSetOptions
    words: DiscWords | None = None
    several_patients: bool = False
    split: bool = False
    adopt: bool = False
    goes_on: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Disc:
    """A file-set that was made or added to, and what became of the request for it."""

    folder: Path
    report: FileSetReport


@dataclass(frozen=True, slots=True)
class _Source:
    """An instance file before it is written: whose it is, and what it takes."""

    path: Path
    patient: tuple[str, ...]
    series: str
    length_bytes: int


def create_medium(request: MediumRequest) -> list[Disc]:
    """Make one file-set, or several where the request allows a split.

    Raises :class:`UsageError` where the profile's device does not create, instances of several patients were not asked
    for, or they do not fit; and what :func:`openmodality.media.file_set.create_file_set` raises.
    """
    _check_activity(request.options.profile, "create")
    sources, left_out = _look_at(request)
    _check_patients(request, sources)
    batches = _split(request, sources)
    folders = [request.target]
    if len(batches) > 1:
        folders = [request.target.with_name(f"{request.target.name}-{n}") for n in range(1, len(batches) + 1)]
    there_before = {folder: _list_names(folder) for folder in folders}
    made: list[Disc] = []
    try:
        for folder, batch in zip(folders, batches, strict=True):
            report = create_file_set(folder, [source.path for source in batch], request.options)
            made.append(Disc(folder, report))
            _write_pages(request, folder, report, lambda: _check_goes_on(request))
    except BaseException:
        for disc in made:
            _remove_disc(disc, there_before[disc.folder])
        raise
    made[0].report.left_out[:0] = left_out
    return made


def update_medium(request: MediumRequest) -> Disc:
    """Add instances to the file-set in a folder (MR-7.2.4).

    Raises :class:`UsageError` where the profile's device does not update or the disc has another patient, and what
    :func:`openmodality.media.file_set.update_file_set` raises.
    """
    _check_activity(request.options.profile, "update")
    sources, left_out = _look_at(request)
    old = read_directory(request.target / DIRECTORY_NAME)
    known = {_identity(old.keys_of(patient)) for patient in old.patients}
    _check_patients(request, sources, known)
    paths = [source.path for source in sources]
    report = update_file_set(request.target, paths, request.options, adopt=request.adopt)
    report.left_out[:0] = left_out
    _write_pages(request, request.target, report)
    return Disc(request.target, report)


def _check_goes_on(request: MediumRequest) -> None:
    """Raises :class:`WritingCancelled` where the user has ended it."""
    if not request.goes_on():
        raise WritingCancelled


def _check_activity(profile: ApplicationProfile, activity: str) -> None:
    if activity not in profile.activities:
        able = ", ".join(sorted(profile.activities))
        raise UsageError(f"this device does not {activity} media of profile {profile.name}; it does {able}")


def _look_at(request: MediumRequest) -> tuple[list[_Source], list[LeftOut]]:
    """The patient and the size of each instance; those that cannot be read are left out."""
    sources, left_out = [], []
    for path in request.paths:
        _check_goes_on(request)
        try:
            with path.open("rb") as file:
                read_any(file)
            keys = dcmread(path, specific_tags=list(_IDENTITY), stop_before_pixels=True, force=True)
            size = count_medium_bytes(path.stat().st_size)
        except (OpenModalityError, OSError) as error:
            reason = error.message if isinstance(error, OpenModalityError) else f"cannot be read: {error.strerror}"
            left_out.append(LeftOut(path, "", reason))
            continue
        if request.options.profile.takes(str(keys.get("SOPClassUID", ""))):
            sources.append(_Source(path, _identity(keys), str(keys.get("SeriesInstanceUID", "")), size))
        else:
            sources.append(_Source(path, (), "", 0))  # the file-set names it and says why it is left out
    return sources, left_out


_IDENTITY: Final = (
    "SpecificCharacterSet", "SOPClassUID", "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate",
    "StudyInstanceUID", "SeriesInstanceUID",
)  # fmt: skip


def _identity(keys: Dataset) -> tuple[str, ...]:
    own = [str(keys.get(keyword) or "") for keyword in ("PatientID", "PatientName", "PatientBirthDate")]
    return ("" if is_generated_id(own[0]) else own[0], *own[1:])


def _check_patients(
    request: MediumRequest, sources: Sequence[_Source], known: set[tuple[str, ...]] | None = None
) -> None:
    patients = {source.patient for source in sources if source.patient} | (known or set())
    if len(patients) > 1 and not request.several_patients:
        raise UsageError(
            f"these instances are of {len(patients)} patients", advice="--several-patients puts them on one disc"
        )


def _split(request: MediumRequest, sources: Sequence[_Source]) -> list[list[_Source]]:
    """The instances of each disc: series stay whole, in their order."""
    capacity = request.options.profile.capacity_bytes
    if not capacity or not request.split:
        return [list(sources)]
    series: dict[str, list[_Source]] = {}
    for source in sources:
        series.setdefault(source.series, []).append(source)
    share = 3 if request.words is not None else 1  # the pages hold each image a second time, and longer
    room = capacity - _OVERHEAD_BYTES
    batches: list[list[_Source]] = [[]]
    used = 0
    for own in series.values():
        size = sum(source.length_bytes * share + _RECORD_BYTES for source in own)
        if size > room:
            raise UsageError(
                f"series {own[0].series} alone is more than a disc of {request.options.profile.name} holds"
            )
        if used + size > room and batches[-1]:
            batches.append([])
            used = 0
        batches[-1] += own
        used += size
    return batches


def add_pages(request: MediumRequest, folder: Path) -> None:
    """Write the pages of a file-set whose process died before it wrote them, where the request asks for pages."""
    used = sum(count_medium_bytes(path.stat().st_size) for path in (folder / DISC_FOLDER).rglob("*") if path.is_file())
    _write_pages(request, folder, FileSetReport(length_bytes=used))


def _write_pages(
    request: MediumRequest, folder: Path, report: FileSetReport, before_image: Callable[[], object] = lambda: None
) -> None:
    """Add the pages for people, and see that all of it fits."""
    if request.words is not None:
        directory = read_directory(folder / DIRECTORY_NAME)
        studies = make_page_studies(folder, directory, before_image)
        report.length_bytes += write_pages(folder, studies, request.words)
    capacity = request.options.profile.capacity_bytes
    report.length_bytes += count_medium_bytes((folder / DIRECTORY_NAME).stat().st_size)
    if capacity and report.length_bytes + _OVERHEAD_BYTES > capacity:
        if request.words is None:
            raise explain_no_room(request.options.profile)
        _remove_pages(folder)
        report.notices.append("there was no room for the pages; the disc holds the instances alone")


def _list_names(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def _remove_disc(disc: Disc, there_before: frozenset[str]) -> None:
    """Remove what was written of a disc; what was in its folder before stays."""
    for file_id in disc.report.written:
        (disc.folder / Path(*file_id)).unlink(missing_ok=True)
    for path in disc.folder.iterdir():
        if path.name in there_before:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if not there_before:
        shutil.rmtree(disc.folder, ignore_errors=True)


def _remove_pages(folder: Path) -> None:
    shutil.rmtree(folder / PDI_FOLDER, ignore_errors=True)
    for name in (INDEX_NAME, README_NAME):
        (folder / name).unlink(missing_ok=True)
