"""Reads pixels from files in every form that a reader knows: each file or folder becomes one or more series.

A file may have a companion of the same name (``readers.companion``), a NIfTI file a sidecar of BIDS and files of
diffusion. DICOM files keep their object, unless another is to be derived of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from openmodality.acquisition.derivation import derive_frames
from openmodality.acquisition.detector import Detector, correct
from openmodality.acquisition.readers.adapters import Adapter, find_adapter
from openmodality.acquisition.readers.companion import apply_companion, find_stem, read_companions
from openmodality.acquisition.readers.dicom_exposure import StatedExposures, make_exposures
from openmodality.acquisition.readers.dicom_files import SERIES_KEYWORDS, DicomContents, order_slices, refuse_one_place
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.joining import is_slice, join_slices
from openmodality.acquisition.readers.pixel_file import list_folders, list_pixel_files, read_file
from openmodality.acquisition.readers.registry import ADVICE, AS_THEY_ARE, NOT_READABLE, Reading
from openmodality.acquisition.source import AcquiredSeries
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.standard.sop_classes import describe_storage
from openmodality.standard.text_rules import fit_text
from openmodality.value_class import dataclass

_BODY_PART: Final = "BodyPartExamined"
_NO_EXPOSURE: Final = "no exposure record: the dose report does not have these images"
_OF_COMPANION: Final = "the exposure of the companion is recorded, not the one that was given for all"
_STAYS: Final = "the exam, the device or the site has its own, or an image made anew has no place for it"


@dataclass(frozen=True, slots=True)
class FileSource:
    """Each of ``paths`` is one series or several, as its file says; a folder is one of all its slices.

    Of a folder that holds nothing but folders, each is taken by itself. Slices come in the order of their positions
    along their normal, else of their Instance Numbers, else of the names. ``objects`` are those that the device makes,
    by name, with their SOP classes; empty for any. ``object_name`` is what is to be made of pixels that have no object
    of their own, ``derive`` what is to be made of any, DICOM files too. ``adapters`` map what foreign scanners write;
    ``detectors`` are those of the site, ``detector`` the name of the one that made the pixels. ``irradiation`` is the
    exposure of each series whose companion states none; ``has_dose_report`` is whether the device reports the dose of
    exposures.
    """

    paths: Sequence[Path]
    modality: str = "OT"
    objects: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = AS_THEY_ARE
    object_name: str = ""
    derive: str = ""
    detectors: Sequence[Detector] = ()
    adapters: Sequence[Adapter] = ()
    detector: str = ""
    irradiation: IrradiationEvent | None = None
    has_dose_report: bool = False

    def series(self) -> Iterator[AcquiredSeries]:
        """The series, read when they are asked for.

        Raises :class:`ObjectInvalid` where a file cannot be read by any reader; the text names it.
        """
        for path in self.paths:
            for each in self._list_inputs(path):
                yield from self._read_path(each)

    def split(self) -> list[FileSource]:
        """A source for each file and each folder of images: what is wrong with one says nothing of the others."""
        return [replace(self, paths=[each]) for path in self.paths for each in self._list_inputs(path)]

    def _list_inputs(self, path: Path) -> Iterator[Path]:
        """The inputs that a path names: itself, or each folder of a folder that holds nothing but folders."""
        if not path.is_dir() or find_adapter(path, self.adapters) is not None or list_pixel_files(path):
            yield path
            return
        folders = list_folders(path)
        for folder in folders:
            yield from self._list_inputs(folder)
        if not folders:
            yield path

    def _read_path(self, path: Path) -> Iterator[AcquiredSeries]:
        adapter = find_adapter(path, self.adapters)
        if adapter is not None:
            yield self.make_series(read_adapted(adapter, path, self.reading), path.name)
            return
        files = list_pixel_files(path) if path.is_dir() else [path]
        if not files:
            raise ObjectInvalid(f"{path}: no image in this folder", advice=ADVICE)
        yield from self._read_series(path, files)

    def _read_series(self, path: Path, files: Sequence[Path]) -> Iterator[AcquiredSeries]:
        contents = [read_file(file, self.reading) for file in files]
        dicom = [each for each in contents if isinstance(each, DicomContents)]
        arrays = [several for several in contents if not isinstance(several, DicomContents)]
        found = [each for several in arrays for each in several]
        if dicom:
            yield self._acquire_dicom(path, dicom)
        slices = [each for several in arrays for each in several if is_slice(each, is_alone=len(several) == 1)]
        slices = slices if len(files) > 1 else []
        for each in (*join_slices(path, slices), *(each for each in found if each not in slices)):
            yield self.make_series(each, find_stem(path).name)

    def make_series(self, found: FoundSeries, name: str) -> AcquiredSeries:
        """What a reader found, as a series of this device; ``name`` is its description where it has none."""
        if self.detectors or self.detector:
            found = correct(found, self.detectors, self.detector, read_map)
        if found.exposure is not None and not self.has_dose_report:
            found = found.leave_out({"exposure": "this device makes no dose report"})
        event = self._choose_exposure(found)
        modality = _find_first(found.volume.keywords.get("Modality")) or found.modality or self.modality
        wanted = self.derive or self.object_name or found.object_name
        return AcquiredSeries(
            description=found.description or fit_text(name, "LO"),
            modality=modality,
            sop_class_uid=self._find_object(wanted, found.where) if wanted else _find_usual_object(event),
            frames=(),
            number_of_frames=found.images,
            irradiation=event,
            volume=found.volume,
            identities=(found.identity,) if found.identity else (),
            notices=(*found.notices, *self._list_exposure_notices(event, found.exposure)),
        )

    def _choose_exposure(self, found: FoundSeries) -> IrradiationEvent | None:
        """The exposure of a series, with the body part and the protocol that its keywords say."""
        event = found.exposure or self.irradiation
        if event is None or not self.has_dose_report:
            return None
        protocol, body_part = (_find_first(found.volume.keywords.get(name)) for name in ("ProtocolName", _BODY_PART))
        return event.complete(protocol, body_part)

    def _list_exposure_notices(
        self, event: IrradiationEvent | None, of_companion: IrradiationEvent | None = None
    ) -> tuple[str, ...]:
        if not self.has_dose_report:
            return ()
        if event is None:
            return (_NO_EXPOSURE,)
        return (_OF_COMPANION,) if of_companion and self.irradiation else ()

    def _acquire_dicom(self, path: Path, contents: Sequence[DicomContents]) -> AcquiredSeries:
        contents = [self._check_object(each) for each in contents]
        refuse_one_place(path, contents)
        ordered = order_slices(contents)
        first = ordered[0].series
        stated = self._read_exposures(ordered)
        frames = [
            frame if event is None else replace(frame, irradiation=event)
            for each, event in zip(ordered, stated.events, strict=True)
            for frame in each.frames
        ]
        has_exposures = all(event is not None for event in stated.events)
        wanted = self.derive or ("" if first.get("SOPClassUID") else self.object_name)
        untaken = dict.fromkeys((name for each in ordered for name in each.untaken), _STAYS)
        return AcquiredSeries(
            description=str(first.get("SeriesDescription", fit_text(path.stem, "LO"))),
            modality=str(first.get("Modality", self.modality)) if not self.derive else self.modality,
            sop_class_uid=self._find_object(wanted, str(path)) if wanted else str(first.get("SOPClassUID", "")),
            frames=frames,
            number_of_frames=len(frames),
            irradiation=self.irradiation,
            attributes=Dataset({item.tag: item for item in first if item.keyword in SERIES_KEYWORDS[2:]}),
            identities=tuple(dict(each) for each in dict.fromkeys(each.identity for each in ordered) if each),
            notices=(
                *dict.fromkeys(each for one in ordered for each in one.repairs),
                *stated.notices,
                *(() if has_exposures else self._list_exposure_notices(self.irradiation)),
            ),
            unused=untaken,
            is_whole=not any(stated.events),
        )

    def _read_exposures(self, contents: Sequence[DicomContents]) -> StatedExposures:
        """The exposures that files state; none where one is given for all, or the images are derived."""
        if not self.has_dose_report or self.irradiation is not None or self.derive:
            return StatedExposures([None] * len(contents))
        return make_exposures([each.exposure for each in contents], [each.path.name for each in contents])

    def _check_object(self, contents: DicomContents) -> DicomContents:
        """Check that the device makes the object of a file; with ``derive`` any object may be the source of another."""
        if self.derive:
            frames = derive_frames(contents.frames, contents.reference)
            return replace(contents, frames=[replace(frame, stated=frame.attributes) for frame in frames])
        sop_class = contents.reference[0]
        if sop_class and self.objects and sop_class not in self.objects.values():
            made = ", ".join(describe_storage(uid) for uid in sorted(self.objects.values()))
            raise ObjectInvalid(
                f"{contents.path}: holds {describe_storage(sop_class)}, which this device does not make",
                advice=f"it makes {made}; --derive OBJECT makes one of these of it, import keeps the file as it is",
            )
        return contents

    def _find_object(self, name: str, where: str) -> str:
        if not self.objects:
            return str(SecondaryCaptureImageStorage)
        wanted = _make_plain_name(name)
        for known, uid in self.objects.items():
            if wanted in (_make_plain_name(known), _make_plain_name(describe_storage(uid).partition(" (")[0])):
                return uid
        raise UsageError(
            f"{where}: this device makes no {name:.64}", advice=f"say one of {', '.join(self.objects)} with --object"
        )


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A source of what a reader has found already, as series of the device of ``files``."""

    found: Sequence[FoundSeries]
    files: FileSource

    def series(self) -> Iterator[AcquiredSeries]:
        """The series as they were found."""
        for each in self.found:
            yield self.files.make_series(each, each.where)


def _find_usual_object(event: IrradiationEvent | None) -> str:
    """The object of pixels that name none: Secondary Capture; empty for an exposure, which takes the device's own."""
    return "" if event else str(SecondaryCaptureImageStorage)


def _find_first(value: object) -> str:
    """A value, or the first of a list that there is."""
    values = value if isinstance(value, list | tuple) else [value]
    return next((str(each) for each in values if each), "")


def _make_plain_name(name: str) -> str:
    """``MR Image``, ``mr`` and ``MR Image Storage`` are one name."""
    return name.casefold().removesuffix(" storage").removesuffix(" image").replace("-", " ").strip()


def read_adapted(adapter: Adapter, path: Path, reading: Reading = AS_THEY_ARE) -> FoundSeries:
    """What an adapter makes of a folder or file, with a companion beside it.

    Raises :class:`ObjectInvalid` where it cannot be read.
    """
    try:
        found = adapter.read(path)
    except NOT_READABLE as error:
        text = f"{path}: adapter {adapter.name} cannot read it ({type(error).__name__})"
        raise ObjectInvalid(text, advice="correct the adapter, or what it reads") from error
    for companion in read_companions(path, reading.prepare):
        found = apply_companion(found, companion)
    return found


def read_map(path: Path) -> NDArray[np.float64]:
    """The numbers of a map of a detector: one image.

    Raises :class:`ObjectInvalid` where the file holds something else.
    """
    try:
        return _read_map_of(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ObjectInvalid(f"{path}: a map of a detector that is not there") from error


@lru_cache(maxsize=8)
def _read_map_of(path: Path, modified_ns: int) -> NDArray[np.float64]:
    """Read once, and again when the file has changed."""
    found = read_file(path)
    arrays = [np.asarray(each.volume.array) for each in found] if isinstance(found, list) else []
    images = [array.reshape(array.shape[-2:]) for array in arrays if array.size == np.prod(array.shape[-2:])]
    if len(images) != 1:
        raise ObjectInvalid(f"{path}: a map of a detector is one grey image", advice="save it as .npy, TIFF or PNG")
    return images[0].astype(np.float64)
