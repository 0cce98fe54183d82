"""Pixels from files: DICOM, PNG, TIFF, NumPy.

A file may have a companion of the same name with ``.json`` instead of its ending: an object of DICOM keywords and
values, such as ``{"SliceThickness": 5, "PixelSpacing": [0.5, 0.5], "SeriesDescription": "T1 SE SAG"}``. It adds to,
and overrides, what the file says.
"""

from __future__ import annotations

import json
import stat
import struct
import tokenize
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID, SecondaryCaptureImageStorage

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.acquisition.arrays import check_pixels, frame_of
from openmodality.acquisition.dicom_attributes import read_stored_pixels, take_named_attributes
from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.natural_order import make_natural_key
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.encoding.written_in import find_layout
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.standard.sop_classes import describe_storage

MAXIMUM_PIXELS = 1 << 28
MAXIMUM_COMPANION_BYTES = 1 << 20
GREY_MODES = ("1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N")
_PHOTOMETRIC_INTERPRETATION, _BITS_PER_SAMPLE = 262, 258  # of TIFF 6.0
_TURNED_BY_PILLOW = ("1", "L")
_ADVICE = "give a DICOM, PNG, TIFF (8 or 16 bit grey) or NumPy (.npy) file"
NOT_READABLE = (
    ArithmeticError, AttributeError, BytesLengthException, EOFError, Image.DecompressionBombError, InvalidDicomError,
    LookupError, MemoryError, NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError,
    UnidentifiedImageError, ValueError, struct.error, tokenize.TokenError, zlib.error,
)  # fmt: skip
# Attributes of a companion that belong to the series and not to one frame.
SERIES_KEYWORDS = ("SeriesDescription", "Modality", "BodyPartExamined", "ProtocolName", "PatientPosition", "Laterality")
# What tells no slice from another at its place: the place itself, and what follows from the pixels.
_NOT_TELLING = frozenset((
    "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "BitsStored", "InstanceNumber",
    "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "RescaleIntercept", "RescaleSlope", "RescaleType",
    "ContentDate", "ContentTime",
))  # fmt: skip
_MOST_NAMED = 3

Contents = tuple[list[AcquiredFrame], Dataset]


@dataclass(frozen=True, slots=True)
class FileSource:
    """Each of ``paths`` is one series; a folder is one series of all files in it.

    They come in the order of their positions along the normal of the slices, else of their Instance Numbers, else of
    their names. ``sop_classes`` are those that the device makes, empty for any: a DICOM file of another one is refused.
    """

    paths: Sequence[Path]
    modality: str = "OT"
    sop_classes: frozenset[str] = frozenset()

    def series(self) -> Iterator[AcquiredSeries]:
        """The series, read when they are asked for.

        Raises :class:`ObjectInvalid` where a file is none of those that can be read; the text names it.
        """
        for path in self.paths:
            files = _list_pixel_files(path) if path.is_dir() else [path]
            if not files:
                raise ObjectInvalid(f"{path}: no image in this folder", advice=_ADVICE)
            yield self._series(path, files)

    def _series(self, path: Path, files: Sequence[Path]) -> AcquiredSeries:
        read = [self._read(file) for file in files]
        _refuse_one_place(path, files, read)
        contents = order_slices(read)
        frames = [frame for part, _ in contents for frame in part]
        common = contents[0][1]
        modality = str(common.get("Modality", self.modality))
        return AcquiredSeries(
            description=str(common.get("SeriesDescription", path.stem)),
            modality=modality,
            sop_class_uid=str(common.get("SOPClassUID", SecondaryCaptureImageStorage)),
            frames=frames,
            number_of_frames=len(frames),
            attributes=Dataset({item.tag: item for item in common if item.keyword in SERIES_KEYWORDS[2:]}),
        )

    def _read(self, file: Path) -> Contents:
        frames, series = read_frames(file)
        sop_class = str(series.get("SOPClassUID", ""))
        if sop_class and self.sop_classes and sop_class not in self.sop_classes:
            made = ", ".join(describe_storage(uid) for uid in sorted(self.sop_classes))
            raise ObjectInvalid(
                f"{file}: holds {describe_storage(sop_class)}, which this device does not make",
                advice=f"it makes {made}; import the file to keep it as it is",
            )
        return frames, series


def _refuse_one_place(folder: Path, files: Sequence[Path], contents: Sequence[Contents]) -> None:
    """Raises :class:`ObjectInvalid` where all files are slices at one position and nothing else tells them apart.

    A few of many at one position may be echoes or directions of diffusion that private attributes alone tell.
    """
    places = {_find_place(frames[0].attributes) for frames, _ in contents}
    if len(files) > 1 and len(places) == 1 and None not in places:
        names = ", ".join(file.name for file in files[:_MOST_NAMED])
        more = ", …" if len(files) > _MOST_NAMED else ""
        raise ObjectInvalid(
            f"{folder}: {len(files)} slices at one position: {names}{more}",
            advice="give each its ImagePositionPatient, or what tells them apart, such as TemporalPositionIdentifier",
        )


def _find_place(attributes: Dataset) -> object:
    """Where a slice lies and all else that tells it from others there; None where it has no position."""
    if "ImagePositionPatient" not in attributes or "ImageOrientationPatient" not in attributes:
        return None
    numbers = (*attributes.ImagePositionPatient, *attributes.ImageOrientationPatient)
    others = tuple((int(item.tag), str(item.value)) for item in attributes if item.keyword not in _NOT_TELLING)
    return tuple(round(float(number), 3) for number in numbers), others


def order_slices(contents: list[Contents]) -> list[Contents]:
    """Files of one series in the order of their slices; as they come where neither positions nor numbers tell it."""
    for find_place in (_find_position_mm, _find_instance_number):
        places = [find_place(frames, series) for frames, series in contents]
        known = [place for place in places if place is not None]
        if len(known) == len(contents) and len(set(known)) == len(contents):
            return [contents[number] for number in sorted(range(len(contents)), key=known.__getitem__)]
    return contents


def _find_position_mm(frames: list[AcquiredFrame], series: Dataset) -> float | None:
    """Where the first frame of a file lies along the normal of its slices (PS3.3 C.7.6.2.1.1)."""
    attributes = frames[0].attributes
    if "ImagePositionPatient" not in attributes or "ImageOrientationPatient" not in attributes:
        return None
    cosines = np.asarray([float(value) for value in attributes.ImageOrientationPatient])
    position = np.asarray([float(value) for value in attributes.ImagePositionPatient])
    return round(float(np.cross(cosines[:3], cosines[3:]) @ position), 3)


def _find_instance_number(frames: list[AcquiredFrame], series: Dataset) -> float | None:
    number = series.get("InstanceNumber")
    return None if number is None else float(number)


def _list_pixel_files(folder: Path) -> list[Path]:
    files = filter(is_pixel_file, folder.iterdir())
    return sorted(files, key=lambda path: make_natural_key(path.name))


def is_pixel_file(path: Path) -> bool:
    """Whether ``path`` is meant to hold pixels: a visible file that is no companion."""
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() != ".json"


def read_frames(path: Path) -> Contents:
    """The frames of one file, and what is said about their series.

    Raises :class:`ObjectInvalid` where the file cannot be read, or its pixels do not make an image.
    """
    try:
        frames, series = _choose_reader(path)(path)
    except NOT_READABLE as error:
        raise ObjectInvalid(f"{path}: cannot be read as an image ({type(error).__name__})", advice=_ADVICE) from error
    companion = path.with_suffix(".json")
    if companion.is_file():
        said = read_companion(companion)
        series.update({item.tag: item for item in said if item.keyword in SERIES_KEYWORDS})
        own = Dataset({item.tag: item for item in said if item.keyword not in SERIES_KEYWORDS})
        frames = [replace(frame_of(frame.pixels, _merge(frame.attributes, own)), stated=said) for frame in frames]
    return frames, series


def read_companion(path: Path) -> Dataset:
    """Attributes from a file of keywords and values.

    Raises :class:`ObjectInvalid` where the file is no such file or has a keyword that DICOM does not know; the
    text names the keyword.
    """
    try:
        if path.stat().st_size > MAXIMUM_COMPANION_BYTES:
            raise ObjectInvalid(f"{path}: too large for a list of attributes")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ObjectInvalid(
            f"{path}: not a JSON file", advice="write an object of DICOM keywords and values"
        ) from error
    if not isinstance(content, dict):
        raise ObjectInvalid(f"{path}: not a JSON object", advice="write an object of DICOM keywords and values")
    return attributes_of(content, str(path))


def _choose_reader(path: Path) -> Callable[[Path], Contents]:
    if not stat.S_ISREG(path.stat().st_mode):  # to open a named pipe would wait for somebody to write into it
        raise ObjectInvalid(f"{path}: is not a file", advice=_ADVICE)
    with path.open("rb") as stream:
        start = stream.read(132)
    if start.startswith(b"\x93NUMPY"):
        return _read_numpy
    if start[128:] == b"DICM" or start.startswith(b"DICM") or find_layout(start) is not None:
        return _read_dicom
    if start.startswith((b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")):
        return _read_picture
    raise ObjectInvalid(f"{path}: not a kind of file that holds an image", advice=_ADVICE)


def _read_numpy(path: Path) -> Contents:
    # Mapped, not read: a header that promises more than the file holds is refused before memory is taken.
    array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    return [frame_of(pixels) for pixels in check_pixels(array, str(path))], Dataset()


def _read_picture(path: Path) -> Contents:
    frames: list[AcquiredFrame] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is either refused here or harmless
        with Image.open(path, formats=("PNG", "TIFF")) as picture:
            for page in ImageSequence.Iterator(picture):
                frames += _page(page, path)
    return frames, Dataset()


def _page(page: Image.Image, path: Path) -> list[AcquiredFrame]:
    if page.width * page.height > MAXIMUM_PIXELS:
        raise ObjectInvalid(f"{path}: larger than {MAXIMUM_PIXELS} pixels")
    if page.mode not in GREY_MODES:
        raise ObjectInvalid(f"{path}: a picture of mode {page.mode}", advice="save it as greyscale of 8 or 16 bits")
    array = np.asarray(page)
    if page.format == "TIFF" and page.mode not in _TURNED_BY_PILLOW and _is_white_zero(page):
        bits = page.tag_v2.get(_BITS_PER_SAMPLE, (16,))  # type: ignore[attr-defined]
        array = (1 << int(bits[0])) - 1 - array.astype(np.int64)
    return [frame_of(pixels) for pixels in check_pixels(array, str(path))]


def _is_white_zero(page: Image.Image) -> bool:
    """Whether sample 0 of a TIFF page is white (TIFF 6.0, PhotometricInterpretation 0)."""
    return page.tag_v2.get(_PHOTOMETRIC_INTERPRETATION) == 0  # type: ignore[attr-defined, no-any-return]


def _read_dicom(path: Path) -> Contents:
    instance = read_instance(path)
    for _ in InstanceReader(check=True).iterate(instance):
        pass  # whole, with all its pixels, or refused
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd but readable values of others are not ours to report
        data_set = pydicom.dcmread(path, force=True)  # also without preamble
        data_set.file_meta.TransferSyntaxUID = UID(instance.transfer_syntax)
        if int(data_set.get("Rows", 0)) * int(data_set.get("Columns", 0)) > MAXIMUM_PIXELS:
            raise ObjectInvalid(f"{path}: larger than {MAXIMUM_PIXELS} pixels")
        pixels, attributes = read_stored_pixels(data_set, str(path))
        frames = [frame_of(frame, attributes) for frame in pixels]
    keywords = (*SERIES_KEYWORDS, "SOPClassUID", "InstanceNumber")
    return frames, take_named_attributes(data_set, keywords, str(path))


def _merge(first: Dataset, second: Dataset) -> Dataset:
    merged = Dataset()
    merged.update(first)
    merged.update(second)
    return merged
