"""NumPy's ``.npy`` and ``.npz``: arrays, without anything that could run as code.

In an ``.npz`` each array of two dimensions or more is a series; ``affine`` gives all of them their place, and what has
the name of a DICOM keyword is its value.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy
from pydicom.datadict import tag_for_keyword

from openmodality.acquisition.readers.bounds import LARGEST_RATIO, check_array_size
from openmodality.acquisition.readers.companion import check_keywords
from openmodality.acquisition.readers.found import IDENTITY_KEYWORDS, FoundSeries
from openmodality.acquisition.volume import Array, Volume
from openmodality.errors import ObjectInvalid
from openmodality.standard.text_rules import fit_text

_ADVICE = "save numbers, not objects"


def read_npy(path: Path) -> list[FoundSeries]:
    """The array of an ``.npy`` file.

    Raises :class:`ObjectInvalid` where it holds objects, or its header promises more or less than the file holds.
    """
    with path.open("rb") as stream:
        shape, is_fortran, dtype = _read_header(stream, str(path))
        if not shape:
            raise ObjectInvalid(f"{path}: holds one number, which is no image", advice=_ADVICE)
        held_bytes = path.stat().st_size - stream.tell()
        size = check_array_size(shape, dtype.itemsize, str(path), held_bytes=held_bytes)
        if held_bytes > size:  # a wrong shape, and each row after the first would begin at the wrong sample
            told = f"{path}: holds {held_bytes} bytes, and {','.join(map(str, shape))} of {dtype} are {size}"
            raise ObjectInvalid(told, advice="give the shape and the type of the samples as they are")
        order: Literal["F", "C"] = "F" if is_fortran else "C"
        mapped = np.memmap(path, dtype=dtype, mode="r", offset=stream.tell(), shape=shape, order=order)
    return [FoundSeries(str(path), Volume(array=mapped))]


def read_npz(path: Path) -> list[FoundSeries]:
    """The arrays of an ``.npz`` file.

    Raises :class:`ObjectInvalid` where it holds objects, or no array.
    """
    with zipfile.ZipFile(path) as archive:
        arrays = dict(_read_members(archive, path))
    return sort_named_arrays(arrays, str(path))


def sort_named_arrays(arrays: dict[str, Array], where: str) -> list[FoundSeries]:
    """Named arrays, as series and what is said of them: an ``affine``, DICOM keywords, and others.

    Raises :class:`ObjectInvalid` where none is an image.
    """
    affine = arrays.pop("affine", None)
    if affine is not None and affine.shape not in ((4, 4), (3, 4)):
        raise ObjectInvalid(f"{where}: affine has the shape {affine.shape}", advice="give 4 rows of 4 numbers")
    said = {name: arrays.pop(name) for name in list(arrays) if tag_for_keyword(name) is not None}
    images = {name: array for name, array in arrays.items() if array.ndim >= 2 and min(array.shape) > 1}
    if not images:
        raise ObjectInvalid(f"{where}: none of its arrays is an image", advice="give an array of rows and columns")
    reason = "is no array of pixels, no affine and no DICOM keyword"
    unused = {name: reason for name in arrays if name not in images}
    identity: dict[str, str] = {
        name: str(said.pop(name).item()) for name in IDENTITY_KEYWORDS if name in said and said[name].size == 1
    }
    keywords = {name: make_plain(value) for name, value in said.items()}
    check_keywords(keywords, where)
    one = len(images) == 1
    return [
        FoundSeries(
            where,
            Volume(array=image, affine=affine, keywords=keywords, unused=unused),
            description=str(keywords.get("SeriesDescription", "" if one else fit_text(name, "LO"))),
            identity=identity,
        )
        for name, image in images.items()
    ]


def _read_members(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, Array]]:
    for member in archive.infolist():
        if not member.filename.endswith(".npy"):
            continue
        where = f"{path}: {member.filename}"
        held = min(member.file_size, member.compress_size * LARGEST_RATIO)
        with archive.open(member) as stream:
            yield member.filename.removesuffix(".npy"), _read_array(stream, where, held)


def _read_header(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ObjectInvalid(f"{where}: version {version[0]}.{version[1]} of NumPy's format", advice=_ADVICE)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read_header(stream)
    if dtype.hasobject or dtype.kind not in "biufcUS":
        raise ObjectInvalid(f"{where}: holds {dtype}, which is no number", advice=_ADVICE)
    return shape, is_fortran, dtype


def _read_array(stream: IO[bytes], where: str, held_bytes: int) -> Array:
    shape, is_fortran, dtype = _read_header(stream, where)
    if not shape:
        return np.frombuffer(stream.read(dtype.itemsize), dtype=dtype)[0:1].reshape(())
    size = check_array_size(shape, dtype.itemsize, where, held_bytes=held_bytes)
    data = stream.read(size)
    if len(data) < size:
        raise ObjectInvalid(f"{where}: is cut off", advice="give the whole file")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if is_fortran else "C")


def make_plain(value: Array) -> Any:
    """Numbers and texts of an array, a single one alone."""
    plain = value.tolist()
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]  # MATLAB knows no number that is not a matrix
    return plain
