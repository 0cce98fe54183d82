"""MATLAB's ``.mat``: version 5 by scipy, 7.3, which is HDF5, by h5py.

Each array of two dimensions or more is a series: rows, columns, slices and, where there is a fourth, time or echo. An
``affine`` in the file takes (row, column, slice) as they are counted in the array, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from openmodality.acquisition.readers.bounds import LARGEST_RATIO, check_array_size
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.hdf5 import open_hdf5, read_array
from openmodality.acquisition.readers.libraries import import_library
from openmodality.acquisition.readers.numpy_arrays import sort_named_arrays
from openmodality.acquisition.volume import Array
from openmodality.errors import ObjectInvalid

_FORM: Final = "a MATLAB file"
_HDF5_OFFSETS: Final = (0, 512, 1024, 2048)
_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_ITEM_BYTES: Final = {
    "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
    "single": 4, "double": 16, "logical": 1, "char": 4,
}  # fmt: skip
"""Classes of numbers and texts with what one takes at most in memory; a double may be complex."""


def read_mat(path: Path) -> list[FoundSeries]:
    """The arrays of a ``.mat`` file.

    Raises :class:`ObjectInvalid` where it holds no array of numbers.
    """
    arrays, others = read_variables(path)
    unused = dict.fromkeys(others, "is neither an array of numbers nor a text")
    return [_order(found).leave_out(unused) for found in sort_named_arrays(arrays, str(path))]


def read_variables(path: Path) -> tuple[dict[str, Array], list[str]]:
    """The variables of a ``.mat`` file by name, and the names of those that are of another kind."""
    return _read_hdf5(path) if is_hdf5(path) else _read_version_5(path)


def is_hdf5(path: Path) -> bool:
    """Whether a file is of version 7.3; such a file begins with 512 bytes of MATLAB's own."""
    with path.open("rb") as stream:
        start = stream.read(max(_HDF5_OFFSETS) + len(_SIGNATURE))
    return any(start[offset:].startswith(_SIGNATURE) for offset in _HDF5_OFFSETS)


def _order(found: FoundSeries) -> FoundSeries:
    """MATLAB counts rows, columns, slices and time; with an affine these are i, j and k, as in SPM."""
    if found.volume.affine is not None:
        return found.arrange(axes="ijk")
    axes = {3: "jik", 4: "jikt"}.get(np.asarray(found.volume.array).ndim)
    return found.arrange(axes=axes) if axes else found


def _read_version_5(path: Path) -> tuple[dict[str, Array], list[str]]:
    scipy_io = import_library("scipy.io", _FORM)
    listed = scipy_io.whosmat(str(path))
    wanted = [(name, shape) for name, shape, kind in listed if kind in _ITEM_BYTES and 0 not in shape]
    others = [name for name, _, kind in listed if kind not in _ITEM_BYTES]
    held = path.stat().st_size * LARGEST_RATIO
    for name, shape in wanted:
        kind = next(kind for each, _, kind in listed if each == name)
        # Numbers are stored in the smallest type that holds them, compressed or not.
        check_array_size(shape, _ITEM_BYTES[kind], f"{path}: {name}", held_bytes=held * 8)
    content = scipy_io.loadmat(
        str(path), variable_names=[name for name, _ in wanted], struct_as_record=True, chars_as_strings=True
    )
    return {name: np.asarray(content[name]) for name, _ in wanted if name in content}, others


def _read_hdf5(path: Path) -> tuple[dict[str, Array], list[str]]:
    with open_hdf5(path, _FORM) as file:
        read = list(_read_members(file, path))
    return {name: array for name, array in read if array is not None}, [name for name, array in read if array is None]


def _read_members(file: Any, path: Path) -> Iterator[tuple[str, Array | None]]:
    for name in file:
        if name.startswith("#"):
            continue  # what variables of other kinds refer to
        member = file.get(name)
        kind = member.attrs.get("MATLAB_class", b"")
        kind = kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)
        if not hasattr(member, "shape") or kind not in (*_ITEM_BYTES, ""):
            yield name, None
            continue
        array = read_array(member, f"{path}: {name}")
        yield name, _make_text(array) if kind == "char" else _make_complex(array).T


def _make_text(array: Array) -> Array:
    return np.array("".join(chr(int(code)) for code in array.T.ravel("F")[:4096]))


def _make_complex(array: Array) -> Array:
    """MATLAB stores complex numbers as records of ``real`` and ``imag``."""
    if array.dtype.names == ("real", "imag"):
        return np.asarray(array["real"] + 1j * array["imag"])
    if array.dtype.kind not in "biufc":
        raise ObjectInvalid(f"numbers of type {array.dtype}")
    return array
