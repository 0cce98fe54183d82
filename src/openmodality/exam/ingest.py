"""Makes sources of images from files, for the device of a site, with the options of a caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from openmodality.acquisition.detector import Detector
from openmodality.acquisition.files import FileSource, FoundSource
from openmodality.acquisition.readers.adapters import load_adapters
from openmodality.acquisition.readers.found import EMPTY, FoundSeries
from openmodality.acquisition.readers.raw_pixels import split_raw_path
from openmodality.acquisition.readers.registry import Reading
from openmodality.acquisition.source import AcquiredSeries, Source
from openmodality.device.site.site import Site
from openmodality.device.site.site_file import DetectorSettings
from openmodality.errors import OpenModalityError, PartlyTaken, UsageError
from openmodality.exam.given import find_given
from openmodality.exam.producers.dose_report import DOSE_SR
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.value_class import value_class


@value_class
class IngestOptions:
    """The options of a caller for files of pixels.

    ``object_name`` is the object that pixels without one become, such as ``MR Image``; ``derive`` what any become,
    DICOM files too. ``assume_affine`` takes the axes of a NIfTI file without a place for those of the patient,
    ``mrd_position`` is ``centre`` or ``corner``, ``raw_format`` such as ``raw:512x640:uint16:le:0``. ``detector`` names
    the detector of the site that made raw pixels, or is ``none``. ``accept_identity`` takes a file although it names
    another patient than the exam. ``irradiation`` is the exposure of the pixels: each series whose companion states
    none has one like it. ``keywords`` are said of all images, in place of what their files say.
    """

    object_name: str = ""
    derive: str = ""
    assume_affine: bool = False
    mrd_position: str = ""
    raw_format: str = ""
    accept_identity: bool = False
    detector: str = ""
    irradiation: IrradiationEvent | None = None
    keywords: Mapping[str, Any] = EMPTY

    @classmethod
    def of(cls, given: dict[str, Any]) -> IngestOptions:
        """Options by name; ``object`` is short for ``object_name``, ``format`` for ``raw_format``.

        Raises :class:`UsageError` where one is unknown, or ``irradiation`` is no irradiation event.
        """
        names = {"object": "object_name", "format": "raw_format"}
        options = {names.get(name, name): value for name, value in given.items()}
        unknown = sorted(set(options) - set(cls.__match_args__))
        if unknown:
            raise UsageError(f"acquire has no option {unknown[0]}", advice=f"it has {', '.join(cls.__match_args__)}")
        if not isinstance(options.get("irradiation"), IrradiationEvent | None):
            raise UsageError("irradiation is no IrradiationEvent", advice="give IrradiationEvent(KVP=80, ...)")
        return cls(**options)

    def as_keywords(self) -> dict[str, Any]:
        """The options by name."""
        return {name: getattr(self, name) for name in self.__match_args__}


AS_IT_IS = IngestOptions()
_NO_DOSE_REPORT: Final = "makes no dose report, and takes no exposure record"
_LEAVE_OUT: Final = "leave --exposure, or irradiation, out"


def make_file_source(site: Site, path: Path | str, options: IngestOptions = AS_IT_IS) -> FileSource:
    """A file or folder as a source of images for this device; ``raw:512x640:uint16:le:0:PATH`` is one of raw pixels."""
    raw_format, place = split_raw_path(path) if isinstance(path, str) else ("", path)
    if not Path(place).exists():
        raise UsageError(f"{place} does not exist")
    template = _make_template(site, options)
    reading = template.reading if not raw_format else replace(template.reading, raw_format=raw_format)
    return replace(template, paths=[Path(place)], reading=reading)


def _make_template(site: Site, options: IngestOptions) -> FileSource:
    has_dose_report = any(item.name == DOSE_SR for item in site.profile.objects)
    if options.irradiation is not None and not has_dose_report:
        raise UsageError(
            f"{site.profile.title} {_NO_DOSE_REPORT}",
            advice=_LEAVE_OUT,
        )
    return FileSource(
        (),
        modality=site.profile.modalities[0],
        objects={item.name: str(item.sop_class_uid) for item in site.profile.objects if item.is_image},
        reading=Reading(
            options.assume_affine,
            options.mrd_position,
            options.raw_format,
            find_given(site.profile).prepare,
        ),
        object_name=options.object_name,
        derive=options.derive,
        detectors=[_make_detector(site, each) for each in site.settings.detector],
        detector=options.detector,
        adapters=load_adapters(site.folder),
        irradiation=options.irradiation,
        has_dose_report=has_dose_report,
    )


def _make_detector(site: Site, settings: DetectorSettings) -> Detector:
    offset, gain, defects = (site.folder / name if name else None for name in _list_maps(settings))
    return Detector(settings.name, offset, gain, defects, settings.date.replace("-", ""))


def _list_maps(settings: DetectorSettings) -> tuple[str, str, str]:
    return settings.offset, settings.gain, settings.defects


def make_found_source(site: Site, found: Sequence[FoundSeries], options: IngestOptions = AS_IT_IS) -> FoundSource:
    """A source of images for this device from what a reader has found already."""
    return FoundSource(found, _make_template(site, options))


def make_file_sources(site: Site, paths: Iterable[Path | str], options: IngestOptions = AS_IT_IS) -> list[FileSource]:
    """Each path as a source."""
    return [make_file_source(site, path, options) for path in paths]


def expose_other_source(site: Site, source: object, acquired: AcquiredSeries, options: IngestOptions) -> AcquiredSeries:
    """A series with the exposure that the caller states for a ``source`` that is no file; files have theirs already.

    Raises :class:`UsageError` where the source states its own, or the device makes no dose report.
    """
    event = options.irradiation
    if event is None or isinstance(source, str | Path | Iterable | FoundSource):
        return acquired
    if not any(item.name == DOSE_SR for item in site.profile.objects):
        raise UsageError(f"{site.profile.title} {_NO_DOSE_REPORT}", advice=_LEAVE_OUT)
    if acquired.irradiation is not None:
        raise UsageError(f"series {acquired.description}: its source states its exposure", advice=_LEAVE_OUT)
    return replace(acquired, irradiation=event)


def list_sources(
    site: Site, source: Source | str | Path | Iterable[str | Path], options: IngestOptions
) -> Sequence[Source]:
    """The given sources: a source itself, or one for each path, or for each folder in a folder of folders."""
    if not isinstance(source, str | Path | Iterable):
        return [source]
    paths = [source] if isinstance(source, str | Path) else source
    return [each for file in make_file_sources(site, paths, options) for each in file.split()]


def name_source(source: Source, number: int) -> str:
    """What a person calls a source: its path, or its number among those handed over."""
    return ", ".join(map(str, source.paths)) if isinstance(source, FileSource) else f"source {number}"


def raise_problems(made: Sequence[object], problems: Mapping[str, OpenModalityError]) -> None:
    """Raises :class:`PartlyTaken` where some of several inputs made no images.

    An error that all of them have in common is raised as it is.
    """
    if not problems:
        return
    errors = list(problems.values())
    if not made and (len({each.message for each in errors}) == 1 or all(isinstance(e, UsageError) for e in errors)):
        raise errors[0]
    raise PartlyTaken(made, problems)
