"""NIfTI-1 and NIfTI-2, ``.nii`` and ``.nii.gz``: the header by nibabel, the voxels here, within bounds.

The place is that of the sform where its code is above 0, else of the qform, else unknown: refused, unless the caller
takes the voxel sizes for it (``assume_affine``).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.readers.bounds import LARGEST_RATIO, check_array_size
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.libraries import import_library
from openmodality.acquisition.volume import Array, Volume
from openmodality.errors import ObjectInvalid

_FORM: Final = "a NIfTI file"
GZIP: Final = b"\x1f\x8b"
_SIZES: Final = {348: "Nifti1Header", 540: "Nifti2Header"}
_LARGEST_OFFSET: Final = 16 << 20
"""Where voxels may begin at most, behind the header and its extensions, which are not read."""
_MM: Final = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
_MS: Final = {"sec": 1000.0, "msec": 1.0, "usec": 0.001}
_COLOURS: Final = (("R", "G", "B"), ("R", "G", "B", "A"))


def is_nifti(start: bytes) -> bool:
    """Whether a file, unpacked, begins as NIfTI-1 or NIfTI-2 in one file does."""
    return start[344:348] == b"n+1\0" or start[4:12] == b"n+2\0\r\n\x1a\n"


def read_nifti(path: Path, *, assume_affine: bool = False) -> list[FoundSeries]:
    """The volume of a NIfTI file, in the order of its indices i, j, k and time.

    Raises :class:`ObjectInvalid` where its place is unknown, it is cut off, or its numbers are no pixels.
    """
    with _open(path) as stream:
        header = _read_header(stream, path)
        affine, notices = _find_affine(header, path, assume_affine)
        array = _read_voxels(stream, header, path)
    found = FoundSeries(
        str(path), Volume(array=array, affine=affine, axes="ijk"), "", "MR Image", "MR", notices=notices
    )
    return [_describe_time(_rescale(found, header), header)]


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file, "rb") as unpacked:
            yield unpacked  # type: ignore[misc] # a GzipFile reads as a file does


def _read_header(stream: IO[bytes], path: Path) -> Any:
    nibabel = import_library("nibabel", _FORM)
    start = stream.read(4)
    size = next((s for s in _SIZES for order in ("little", "big") if int.from_bytes(start, order) == s), None)
    if size is None:
        raise ObjectInvalid(f"{path}: not a NIfTI file in one part", advice="save it as .nii or .nii.gz")
    try:
        return getattr(nibabel, _SIZES[size])(start + stream.read(size - 4))
    except Exception as error:
        raise ObjectInvalid(f"{path}: the header is not NIfTI's ({type(error).__name__})") from error


def _find_affine(header: Any, path: Path, assume_affine: bool) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Indices to mm, of the patient's right, front and head."""
    units = _MM.get(header.get_xyzt_units()[0], 1.0)
    notices: tuple[str, ...] = ()
    if int(header["sform_code"]) > 0:
        matrix = header.get_sform()
    elif int(header["qform_code"]) > 0:
        matrix = header.get_qform()
    elif assume_affine:
        matrix = header.get_base_affine()
        notices = (f"{path.name}: neither sform nor qform; its axes are taken for right, front and head",)
    else:
        raise ObjectInvalid(
            f"{path}: sform_code and qform_code are 0, so nothing says how the volume lies in the patient",
            advice="use --assume-affine to take its axes for right, front and head, or give an affine in a companion",
        )
    placed = np.array(matrix, dtype=np.float64)
    placed[:3] *= units
    return placed, notices


def _read_voxels(stream: IO[bytes], header: Any, path: Path) -> Array:
    shape = tuple(int(length) for length in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 4 and shape[3] == 1:
        shape = (*shape[:3], *shape[4:])
    if len(shape) > 4 or len(shape) < 2:
        raise ObjectInvalid(f"{path}: has {len(shape)} dimensions", advice="give a volume, or volumes over time")
    dtype, offset = header.get_data_dtype(), int(header.get_data_offset())
    if not 0 <= offset <= _LARGEST_OFFSET:
        raise ObjectInvalid(f"{path}: the voxels begin at byte {offset}, which no header reaches")
    packed = isinstance(stream, gzip.GzipFile)
    held = path.stat().st_size * LARGEST_RATIO if packed else max(path.stat().st_size - offset, 0)
    size = check_array_size(shape, dtype.itemsize, str(path), held_bytes=held)
    stream.seek(offset)
    data = stream.read(size)
    if len(data) < size:
        raise ObjectInvalid(f"{path}: is cut off: {len(data)} of {size} bytes of voxels", advice="give the whole file")
    array = np.frombuffer(data, dtype=dtype).reshape(shape, order="F")
    if shape[2:] == ():
        array = array[:, :, np.newaxis]
    return _make_colour(array, path)


def _make_colour(array: Array, path: Path) -> Array:
    names = array.dtype.names
    if names is None:
        if array.dtype.kind not in "iufc" or array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
            raise ObjectInvalid(f"{path}: numbers of type {array.dtype}", advice="save 8 to 64 bit numbers")
        return array
    if tuple(names) not in _COLOURS:
        raise ObjectInvalid(f"{path}: records of {', '.join(names)} are no pixels")
    return np.stack([array[name] for name in "RGB"], axis=-1)


def _rescale(found: FoundSeries, header: Any) -> FoundSeries:
    """Whole numbers of at most 16 bits stay what is stored, with slope and intercept beside them."""
    array = np.asarray(found.volume.array)
    slope, intercept = header.get_slope_inter()
    if found.volume.is_colour or slope is None or not (np.isfinite(slope) and np.isfinite(intercept)):
        return found
    slope, intercept = float(slope), float(intercept)
    if (slope, intercept) == (1.0, 0.0):
        return found
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2 and slope > 0:
        return found.say({"RescaleSlope": slope, "RescaleIntercept": intercept})
    wide = np.result_type(array.dtype, np.float32 if array.dtype.itemsize <= 4 else np.float64)
    return found.arrange(array=(array * wide.type(slope) + wide.type(intercept)).astype(wide))


def _describe_time(found: FoundSeries, header: Any) -> FoundSeries:
    if found.positions == 1:
        return found
    step_ms = float(header["pixdim"][4]) * _MS.get(header.get_xyzt_units()[1], 0.0)
    found = found.arrange(dimension="time")
    return found.say({"TemporalResolution": step_ms}) if step_ms > 0 else found
