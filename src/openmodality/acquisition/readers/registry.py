"""Which reader reads a file: by how the file begins, never by its name alone."""

from __future__ import annotations

import gzip
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError
from pydicom.errors import BytesLengthException, InvalidDicomError

from openmodality.acquisition.readers.companion import Prepare, take_as_given
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.matlab import is_hdf5, read_mat
from openmodality.acquisition.readers.mrd_file import read_mrd
from openmodality.acquisition.readers.nifti import GZIP, is_nifti, read_nifti
from openmodality.acquisition.readers.numpy_arrays import read_npy, read_npz
from openmodality.acquisition.readers.pictures import SIGNATURES, read_picture
from openmodality.acquisition.readers.raw_pixels import parse_raw_format, read_raw
from openmodality.errors import ObjectInvalid
from openmodality.value_class import value_class

ADVICE: Final = "give a DICOM, NIfTI, MRD (.h5), NumPy (.npy, .npz), MATLAB (.mat), PNG or TIFF file, or raw pixels"
NOT_READABLE: Final = (
    ArithmeticError, AttributeError, BytesLengthException, EOFError, Image.DecompressionBombError, InvalidDicomError,
    LookupError, MemoryError, NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError,
    UnidentifiedImageError, ValueError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What readers and their libraries raise for a file that is damaged."""
LONGEST_START: Final = 544
"""How much of a file tells what it is."""


@value_class
class Reading:
    """How files are to be read: what the caller, or a companion, says of all of them.

    ``prepare`` takes the keywords of companions.
    """

    assume_affine: bool = False
    mrd_position: str = ""
    raw_format: str = ""
    prepare: Prepare = take_as_given


AS_THEY_ARE: Final = Reading()
ReadFile = Callable[[Path, Reading], list[FoundSeries]]
Recognise = Callable[[bytes, Path], bool]


def read_start(path: Path) -> bytes:
    """The first bytes of a file, unpacked where it is packed by gzip.

    Raises :class:`ObjectInvalid` where it is no file.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # to open a named pipe would wait for somebody to write into it
        raise ObjectInvalid(f"{path}: is not a file", advice=ADVICE)
    with path.open("rb") as stream:
        start = stream.read(LONGEST_START)
    if start.startswith(GZIP):
        with gzip.open(path, "rb") as unpacked:
            return unpacked.read(LONGEST_START)
    return start


def find_reader(start: bytes, path: Path) -> ReadFile:
    """The reader of a file that begins so.

    Raises :class:`ObjectInvalid` where there is none.
    """
    for recognise, read in READERS:
        if recognise(start, path):
            return read
    raise ObjectInvalid(f"{path}: not a kind of file that holds an image", advice=ADVICE)


def read_raw_as(path: Path, reading: Reading) -> list[FoundSeries]:
    """A file of raw pixels, in the format that is said of it."""
    return read_raw(path, parse_raw_format(reading.raw_format))


def _is_matlab(start: bytes, path: Path) -> bool:
    return start.startswith(b"MATLAB 5.0") or (start.startswith(b"MATLAB 7.3") and is_hdf5(path))


READERS: Final[tuple[tuple[Recognise, ReadFile], ...]] = (
    (lambda start, path: start.startswith(b"\x93NUMPY"), lambda path, reading: read_npy(path)),
    (
        lambda start, path: start.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path),
        lambda path, reading: read_npz(path),
    ),
    (
        lambda start, path: is_nifti(start),
        lambda path, reading: read_nifti(path, assume_affine=reading.assume_affine),
    ),
    (_is_matlab, lambda path, reading: read_mat(path)),
    (
        lambda start, path: path.suffix.lower() == ".mat" and is_hdf5(path),
        lambda path, reading: read_mat(path),
    ),
    (lambda start, path: is_hdf5(path), lambda path, reading: read_mrd(path, reading.mrd_position)),
    (lambda start, path: start.startswith(SIGNATURES), lambda path, reading: read_picture(path)),
)
"""What a file may be, in the order in which it is tried; DICOM stands apart, since its frames come with attributes."""
