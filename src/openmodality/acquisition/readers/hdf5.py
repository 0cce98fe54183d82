"""HDF5 files of others, by h5py: no links to other files are followed, and no more is read than a file may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from openmodality.acquisition.readers.bounds import LARGEST_RATIO, check_array_size
from openmodality.acquisition.readers.libraries import import_library
from openmodality.acquisition.volume import Array
from openmodality.errors import ObjectInvalid

_MOST_MEMBERS: Final = 100_000


@contextmanager
def open_hdf5(path: Path, form: str) -> Iterator[Any]:
    """An HDF5 file of this form, to be read.

    Raises :class:`ObjectInvalid` where it refers to other files.
    """
    h5py = import_library("h5py", form)
    with h5py.File(path, "r") as file:
        _refuse_links(file, str(path), h5py)
        yield file


def read_array(data_set: Any, where: str) -> Array:
    """The values of a data set.

    Raises :class:`ObjectInvalid` where they are kept in other files, or are more than a file may ask for.
    """
    if data_set.external or data_set.is_virtual:
        raise ObjectInvalid(f"{where}: its values are kept in another file", advice="give one file that holds them")
    if data_set.dtype.hasobject:
        raise ObjectInvalid(f"{where}: holds {data_set.dtype}, which is no number")
    if data_set.shape and 0 not in data_set.shape:
        stored = data_set.id.get_storage_size()
        held = stored if data_set.compression is None and data_set.chunks is None else stored * LARGEST_RATIO
        check_array_size(data_set.shape, data_set.dtype.itemsize, where, held_bytes=held or None)
    return np.asarray(data_set[()])


def _refuse_links(file: Any, where: str, h5py: Any) -> None:
    seen = 0

    def look(name: str, link: Any) -> str | None:
        nonlocal seen
        seen += 1  # an error that is raised here does not come through h5py
        if seen > _MOST_MEMBERS:
            return f"has more than {_MOST_MEMBERS} groups and arrays"
        return None if isinstance(link, h5py.HardLink) else f"links to elsewhere, {name[:64]!r}"

    problem = file.visititems_links(look)
    if problem:
        raise ObjectInvalid(f"{where}: {problem}", advice="give one file without links")
