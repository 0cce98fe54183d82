"""Checks what an exam has made: geometry, pixels and mandatory attributes of each series, and oddities."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import DataElement, Dataset
from pydicom.tag import BaseTag, Tag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.acquisition.slice_geometry import describe_order, find_letters, list_odd_planes
from openmodality.device.site.site import Site
from openmodality.dimse.attribute_names import name_of
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.instances import list_instances
from openmodality.imaging.presentation import list_frame_places
from openmodality.objects.exam_facts import find_common_values
from openmodality.objects.image.unstated import list_unstated
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import index_values, make_data_set
from openmodality.objects.rules.sources import MUST_HAVE_VALUE, PLACE_NAMES, Places, name_sources
from openmodality.objects.site_objects import make_definition
from openmodality.standard.tags import PIXEL_DATA
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.local import LocalStore
from openmodality.store.rows.steps import find_open_step
from openmodality.value_class import dataclass

FrameName = tuple[int, int]
"""Instance Number of an image, and the number of a frame in it; 0 where it has one frame."""
_MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class MandatoryAttribute:
    """An attribute that the object must have: where its value came from, or where a missing one could come from."""

    keyword: str
    came_from: str
    could_come_from: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether it has no value."""
        return self.came_from == _MISSING


@dataclass(frozen=True, slots=True)
class SeriesCheck:
    """One series. Geometry is empty or None where its images have none.

    ``orientation`` says in letters where rows and columns of the middle slice lead (PS3.3 C.7.6.1.1.1), ``order`` from
    where to where the slices go. ``bits_used`` is what the largest stored value needs, ``clipped_share`` the share of
    pixels with the largest value that Bits Stored has. ``duplicates`` are Instance Numbers of images with the same
    pixels, each with the number of its frame, 0 where it has one; ``warnings`` what is odd.
    """

    number: int
    description: str
    object_name: str
    images: int
    orientation: str = ""
    order: str = ""
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    field_of_view_mm: tuple[float, float] | None = None
    bits_used: int = 0
    bits_stored: int = 0
    clipped_share: float = 0.0
    duplicates: tuple[tuple[FrameName, ...], ...] = ()
    warnings: tuple[str, ...] = ()
    mandatory: tuple[MandatoryAttribute, ...] = ()

    @property
    def missing(self) -> tuple[MandatoryAttribute, ...]:
        """The mandatory attributes without a value."""
        return tuple(each for each in self.mandatory if each.is_missing)


def check_all_series(site: Site, store: LocalStore, exam: ExamRecord) -> list[SeriesCheck]:
    """Look over the images of each series of an exam."""
    with store.read() as snapshot:
        made, step = list_instances(snapshot, exam), find_open_step(snapshot, exam.id)
    files: dict[str, list[Path]] = {}
    for each in made:
        files.setdefault(each.SeriesInstanceUID, []).append(store.files.path(each.SOPInstanceUID))
    return [
        check_series(site, exam, step, series, files.get(series.series_instance_uid, []))
        for series in exam.series
        if site.profile.find_object(series.object_name).is_image
    ]


def check_series(
    site: Site, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord, files: Sequence[Path]
) -> SeriesCheck:
    """Look a series over; ``files`` are those of its images."""
    definition = make_definition(site, series.object_name)
    seen = _Seen()
    for file in files:
        seen.add(pydicom.dcmread(file))
    heads = sorted(seen.heads, key=lambda head: int(head.get("InstanceNumber") or 0))
    common = find_common_values(describe_exam(site, exam, step), describe_series(series)).index()
    mandatory = tuple(_list_mandatory(definition, common, heads[0] if heads else None))
    base = SeriesCheck(series.number, series.description, series.object_name, len(files), mandatory=mandatory)
    return seen.describe(base, heads) if heads else base


class _Seen:
    """Gathers facts of the images of a series, reading the pixels of one image at a time."""

    def __init__(self) -> None:
        self.heads: list[Dataset] = []
        self._by_pixels: dict[bytes, list[FrameName]] = {}
        self._largest = self._clipped = self._pixels = 0

    def add(self, data_set: Dataset) -> None:
        """Look at an image, and at each frame of one that has several."""
        if PIXEL_DATA in data_set:
            pixels, bits = data_set.pixel_array, int(data_set.BitsStored)
            for name, frame in _name_frames(data_set, pixels):
                digest = hashlib.blake2b(frame.tobytes(), digest_size=16).digest()
                self._by_pixels.setdefault(digest, []).append(name)
            top = (1 << (bits - 1)) - 1 if int(data_set.get("PixelRepresentation", 0)) else (1 << bits) - 1
            self._largest = max(self._largest, int(np.abs(pixels.astype(np.int64)).max()))
            self._clipped += int(np.count_nonzero(pixels == top))
            self._pixels += pixels.size
            data_set.PixelData = b"\0\0"  # it was there
        self.heads.append(data_set)

    def describe(self, base: SeriesCheck, heads: Sequence[Dataset]) -> SeriesCheck:
        """The series with all that was seen."""
        planes = [plane for head in heads for plane in _list_planes(head)]
        middle = planes[len(planes) // 2]
        spacing = _read_pair(middle, "PixelSpacing") or _read_pair(middle, "ImagerPixelSpacing")
        has_planes = all("ImagePositionPatient" in each and "ImageOrientationPatient" in each for each in planes)
        order, slice_spacing = describe_order(planes) if has_planes else ("", None)
        size = (int(middle.get("Rows") or 0), int(middle.get("Columns") or 0))
        return SeriesCheck(
            base.number,
            base.description,
            base.object_name,
            base.images,
            orientation=find_letters(middle) if has_planes else "\\".join(middle.get("PatientOrientation") or ()),
            order=order,
            spacing_mm=spacing,
            slice_spacing_mm=slice_spacing,
            field_of_view_mm=(size[0] * spacing[0], size[1] * spacing[1]) if spacing else None,
            bits_used=self._largest.bit_length(),
            bits_stored=int(middle.get("BitsStored") or 0),
            clipped_share=self._clipped / self._pixels if self._pixels else 0.0,
            duplicates=tuple(sorted(tuple(sorted(each)) for each in self._by_pixels.values() if len(each) > 1)),
            warnings=(*(list_odd_planes(planes) if has_planes else ()), *_list_zeros(heads)),
            mandatory=base.mandatory,
        )


def _name_frames(data_set: Dataset, pixels: NDArray[Any]) -> Iterator[tuple[FrameName, NDArray[Any]]]:
    """The pixels of each frame, with the Instance Number of its image and its number in that."""
    image = int(data_set.get("InstanceNumber") or 0)
    if "PerFrameFunctionalGroupsSequence" not in data_set:
        yield (image, 0), pixels
        return
    first = int(data_set.get("ConcatenationFrameOffsetNumber") or 0) + 1
    for number, frame in enumerate(pixels.reshape(-1, *pixels.shape[-2:]), first):
        yield (image, number), frame


def _list_planes(head: Dataset) -> list[Dataset]:
    """An image, or each of its frames as an image that says where it lies."""
    frames = len(head.get("PerFrameFunctionalGroupsSequence") or ())
    if not frames:
        return [head]
    common = {tag: head[tag] for tag in _OF_ALL_FRAMES if tag in head}
    return [make_data_set({**common, **_find_place(head, number)}) for number in range(1, frames + 1)]


def _find_place(head: Dataset, number: int) -> dict[BaseTag, DataElement]:
    places = list(list_frame_places(head, number))
    return {tag: place[tag] for place in reversed(places) for tag in _OF_FRAME if tag in place}


_OF_ALL_FRAMES: Final = tuple(map(Tag, ("Rows", "Columns", "BitsStored", "PatientOrientation")))
_OF_FRAME: Final = tuple(map(Tag, ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")))


def _list_zeros(heads: Sequence[Dataset]) -> Iterator[str]:
    names = sorted({name for head in heads for name in list_unstated(head)})
    if names:
        yield f"0 stands for {', '.join(names)}, which nobody stated"


def _read_pair(head: Dataset, keyword: str) -> tuple[float, float] | None:
    values = head.get(keyword)
    return (float(values[0]), float(values[1])) if values is not None and len(values) == 2 else None


def _list_mandatory(definition: ObjectDefinition, common: Places, head: Dataset | None) -> Iterable[MandatoryAttribute]:
    """The mandatory attributes of the data set itself, in table order."""
    made = index_values(head) if head is not None else {}
    for node in definition.nodes:
        decision = node.always
        if decision is None or decision.requirement not in MUST_HAVE_VALUE:
            continue
        rule = next(rule for rule in node.rules if rule.row is decision.row)
        keyword = rule.row.keyword or name_of(node.key)
        found = next(
            (PLACE_NAMES[place] for rule in node.rules for place in rule.places if node.key in common[place]), ""
        )
        if rule.fixed is not None:
            yield MandatoryAttribute(keyword, "the profile")
        elif found and (head is None or node.key in made):
            yield MandatoryAttribute(keyword, found)
        elif node.key in made:
            yield MandatoryAttribute(keyword, "the acquisition" if "ACQ" in rule.row.sources else "the device")
        elif head is None and rule.row.sources == ("AUTO",):
            continue  # each image gets it when it is made
        else:
            sources = " or ".join(name_sources(rule.row))
            yield MandatoryAttribute(keyword, _MISSING, sources)
