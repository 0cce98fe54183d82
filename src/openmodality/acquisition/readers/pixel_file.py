"""Reads one file of pixels in whatever form, with what the files beside it say; and finds such files in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset

from openmodality.acquisition.arrays import frame_of
from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.natural_order import make_natural_key
from openmodality.acquisition.readers.bids import apply_sidecar, is_sidecar
from openmodality.acquisition.readers.companion import BESIDE, Companion, apply_companion, merge, read_companions
from openmodality.acquisition.readers.dicom_files import SERIES_KEYWORDS, DicomContents, is_dicom, read_dicom
from openmodality.acquisition.readers.diffusion import apply_diffusion
from openmodality.acquisition.readers.found import IDENTITY_KEYWORDS, FoundSeries
from openmodality.acquisition.readers.nifti import is_nifti
from openmodality.acquisition.readers.registry import (
    ADVICE,
    AS_THEY_ARE,
    NOT_READABLE,
    Reading,
    find_reader,
    read_raw_as,
    read_start,
)
from openmodality.acquisition.source import AcquiredFrame
from openmodality.errors import ObjectInvalid


def list_pixel_files(folder: Path) -> list[Path]:
    """The files of a folder that are meant to hold pixels, in the natural order of their names."""
    files = filter(is_pixel_file, folder.iterdir())
    return sorted(files, key=lambda path: make_natural_key(path.name))


def list_folders(folder: Path) -> list[Path]:
    """The visible folders of a folder, in the natural order of their names; a link, which may lead back, is none."""
    folders = (each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    visible = (each for each in folders if not each.name.startswith("."))
    return sorted(visible, key=lambda path: make_natural_key(path.name))


def is_pixel_file(path: Path) -> bool:
    """Whether ``path`` is meant to hold pixels: a visible file that is no companion of another one."""
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in BESIDE


def read_file(path: Path, reading: Reading = AS_THEY_ARE) -> DicomContents | list[FoundSeries]:
    """What a file holds, with what the files beside it say.

    Raises :class:`ObjectInvalid` where it cannot be read, or its companion is none.
    """
    companions = read_companions(path, reading.prepare)
    for companion in companions:
        reading = _apply_settings(reading, companion)
    try:
        start = read_start(path)
        if is_dicom(start) and not reading.raw_format:
            return _add_to_dicom(read_dicom(path), companions)
        read = read_raw_as if reading.raw_format else find_reader(start, path)
        found = read(path, reading)
    except NOT_READABLE as error:
        raise ObjectInvalid(f"{path}: cannot be read as an image ({type(error).__name__})", advice=ADVICE) from error
    return [_add_companions(each, companions, path, is_nifti(start)) for each in found]


def _apply_settings(reading: Reading, companion: Companion) -> Reading:
    settings = companion.settings
    return Reading(
        reading.assume_affine or "affine" in settings,
        settings.get("mrd_position", reading.mrd_position),
        settings.get("format", reading.raw_format),
        reading.prepare,
    )


def _add_companions(
    found: FoundSeries, companions: Sequence[Companion], path: Path, is_nifti_file: bool
) -> FoundSeries:
    for companion in companions:
        if is_nifti_file and is_sidecar(companion):
            found = apply_sidecar(found, companion)
    for companion in companions:
        if not (is_nifti_file and is_sidecar(companion)):
            found = apply_companion(found, companion)
    return apply_diffusion(found, path) if is_nifti_file else found


def _add_to_dicom(contents: DicomContents, companions: Sequence[Companion]) -> DicomContents:
    for companion in companions:
        said = attributes_of(
            {n: v for n, v in companion.keywords.items() if n not in IDENTITY_KEYWORDS}, companion.where
        )
        identity = {**dict(contents.identity)}
        identity |= {name: str(value) for name in IDENTITY_KEYWORDS if (value := companion.keywords.get(name))}
        series = merge(contents.series, _pick(said, of_series=True))
        frames = [_add_to_frame(frame, said) for frame in contents.frames]
        contents = replace(contents, frames=frames, series=series, identity=tuple(identity.items()))
        if companion.settings:
            names = ", ".join(companion.settings)
            raise ObjectInvalid(f"{companion.where}: {names}: a DICOM file says it itself", advice="leave it out")
    return contents


def _add_to_frame(frame: AcquiredFrame, said: Dataset) -> AcquiredFrame:
    own = _pick(said, of_series=False)
    return replace(frame_of(frame.pixels, merge(frame.attributes, own)), stated=said)


def _pick(said: Dataset, *, of_series: bool) -> Dataset:
    return Dataset({item.tag: item for item in said if (item.keyword in SERIES_KEYWORDS) is of_series})
