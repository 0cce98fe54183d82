"""DICOM files, with or without preamble: their pixels, how they were acquired, and whom they show."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.acquisition.arrays import frame_of
from openmodality.acquisition.dicom_attributes import (
    list_repairs,
    list_untaken,
    read_stored_pixels,
    take_named_attributes,
)
from openmodality.acquisition.frame_groups import GROUP_SEQUENCES, describe_frames
from openmodality.acquisition.readers.dicom_exposure import pick_exposure
from openmodality.acquisition.readers.found import IDENTITY_KEYWORDS
from openmodality.acquisition.source import AcquiredFrame
from openmodality.dimse.data_set import MAX_FILE_VALUES, check_size
from openmodality.dimse.reading import read_text
from openmodality.encoding.written_in import find_layout
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.value_class import dataclass

LARGEST_PIXELS: Final = 1 << 28
SERIES_KEYWORDS: Final = (
    "SeriesDescription", "Modality", "BodyPartExamined", "ProtocolName", "PatientPosition", "Laterality",
)  # fmt: skip
"""Attributes that belong to the series and not to one frame."""
# What tells no slice from another at its place: the place itself, and what follows from the pixels.
_NOT_TELLING: Final = frozenset((
    "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "BitsStored", "InstanceNumber",
    "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "RescaleIntercept", "RescaleSlope", "RescaleType",
    "ContentDate", "ContentTime",
))  # fmt: skip
_MOST_NAMED: Final = 3
_REFERENCE: Final = ("SOPClassUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True, eq=False)
class DicomContents:
    """The frames of one file and the attributes of its ``series``; its ``reference`` is SOP Class and Instance UID.

    ``identity`` is whom the file shows, by keyword, ``exposure`` what it says of its irradiation. ``repairs`` name the
    values that were mended, ``untaken`` the keywords of what stays behind.
    """

    path: Path
    frames: list[AcquiredFrame]
    series: Dataset
    reference: tuple[str, str] = ("", "")
    identity: tuple[tuple[str, str], ...] = ()
    repairs: tuple[str, ...] = ()
    untaken: tuple[str, ...] = ()
    exposure: Mapping[str, object] = field(default_factory=dict)


def is_dicom(start: bytes) -> bool:
    """Whether a file begins as one of DICOM does, with or without preamble."""
    return start[128:132] == b"DICM" or start.startswith(b"DICM") or find_layout(start) is not None


def read_dicom(path: Path) -> DicomContents:
    """One DICOM file.

    Raises :class:`ObjectInvalid` where it is cut off, holds no grey pixels, or has a value that cannot be used.
    """
    instance = read_instance(path)
    # Whole, with all its pixels, and small enough to be held as an object, or refused.
    check_size(InstanceReader(check=True).iterate(instance), instance.transfer_syntax, MAX_FILE_VALUES)
    where = str(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd but readable values of others are not ours to report
        data_set = pydicom.dcmread(path, force=True)  # also without preamble
        data_set.file_meta.TransferSyntaxUID = UID(instance.transfer_syntax)
        if int(data_set.get("Rows", 0)) * int(data_set.get("Columns", 0)) > LARGEST_PIXELS:
            raise ObjectInvalid(f"{path}: larger than {LARGEST_PIXELS} pixels")
        pixels, attributes = read_stored_pixels(data_set, where)
        described = describe_frames(data_set, attributes, where)
        frames = [frame_of(frame, of_frame) for frame, of_frame in zip(pixels, described, strict=True)]
        series = take_named_attributes(data_set, (*SERIES_KEYWORDS, "SOPClassUID", "InstanceNumber"), where)
        identity = tuple(
            (keyword, text) for keyword in IDENTITY_KEYWORDS if (text := _read_identity(data_set, keyword))
        )
        class_uid, instance_uid = (str(data_set.get(keyword, "")) for keyword in _REFERENCE)
        repairs = tuple(list_repairs(data_set, {*attributes.keys(), *series.keys()}))
        taken = {*attributes.keys(), *series.keys(), *map(pydicom.tag.Tag, GROUP_SEQUENCES)}
        untaken = tuple(list_untaken(data_set, taken))
        exposure = pick_exposure(data_set)
    return DicomContents(path, frames, series, (class_uid, instance_uid), identity, repairs, untaken, exposure)


def _read_identity(data_set: Dataset, keyword: str) -> str:
    return read_text(data_set, pydicom.tag.Tag(keyword))


def refuse_one_place(folder: Path, contents: Sequence[DicomContents]) -> None:
    """Raises :class:`ObjectInvalid` where all files are slices at one position and nothing else tells them apart.

    A few of many at one position may be echoes or directions of diffusion that private attributes alone tell.
    """
    places = {_find_place(each.frames[0].attributes) for each in contents}
    if len(contents) > 1 and len(places) == 1 and None not in places:
        names = ", ".join(each.path.name for each in contents[:_MOST_NAMED])
        more = ", …" if len(contents) > _MOST_NAMED else ""
        raise ObjectInvalid(
            f"{folder}: {len(contents)} slices at one position: {names}{more}",
            advice="give each its ImagePositionPatient, or what tells them apart, such as TemporalPositionIdentifier",
        )


def _find_place(attributes: Dataset) -> object:
    """Where a slice lies and all else that tells it from others there; None where it has no position."""
    if "ImagePositionPatient" not in attributes or "ImageOrientationPatient" not in attributes:
        return None
    numbers = (*attributes.ImagePositionPatient, *attributes.ImageOrientationPatient)
    others = tuple((int(item.tag), str(item.value)) for item in attributes if item.keyword not in _NOT_TELLING)
    return tuple(round(float(number), 3) for number in numbers), others


def order_slices(contents: Sequence[DicomContents]) -> list[DicomContents]:
    """Files of one series in the order of their slices; as they come where neither positions nor numbers tell it."""
    for find_place in (_find_position_mm, _find_instance_number):
        places = [find_place(each) for each in contents]
        known = [place for place in places if place is not None]
        if len(known) == len(contents) and len(set(known)) == len(contents):
            return [contents[number] for number in sorted(range(len(contents)), key=known.__getitem__)]
    return list(contents)


def _find_position_mm(contents: DicomContents) -> float | None:
    """Where the first frame of a file lies along the normal of its slices (PS3.3 C.7.6.2.1.1)."""
    return find_position_mm(contents.frames[0].attributes)


def find_position_mm(attributes: Dataset) -> float | None:
    """Where a slice lies along its normal; None where nothing says it."""
    if "ImagePositionPatient" not in attributes or "ImageOrientationPatient" not in attributes:
        return None
    cosines = np.asarray([float(value) for value in attributes.ImageOrientationPatient])
    position = np.asarray([float(value) for value in attributes.ImagePositionPatient])
    return round(float(np.cross(cosines[:3], cosines[3:]) @ position), 3)


def _find_instance_number(contents: DicomContents) -> float | None:
    number = contents.series.get("InstanceNumber")
    return None if number is None else float(number)
