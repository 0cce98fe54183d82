"""Keeps frames that come only once, so that they can be walked again: in a file without a name, one frame in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from openmodality.errors import StoreError

NumberedFrames = Iterable[tuple[int, NDArray[Any]]]


class SpooledFrames:
    """The frames of an iterator with their numbers; the file goes with the last reference to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        finalize(self, file.close)
        self._frames: list[tuple[int, np.dtype[Any], tuple[int, ...], int]] = []

    @classmethod
    def of(cls, frames: NumberedFrames, folder: Path) -> Self:
        """Walk all frames and keep them in ``folder``. Raises :class:`StoreError` where there is no room."""
        try:
            spooled = cls(TemporaryFile(dir=folder))  # noqa: SIM115 - it is kept as long as the frames are
            for number, pixels in frames:
                spooled._keep(number, np.ascontiguousarray(pixels))
        except OSError as error:
            raise StoreError(f"cannot keep frames that come one by one: {error.strerror}") from error
        return spooled

    def __iter__(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for number, dtype, shape, offset in self._frames:
            self._file.seek(offset)
            data = self._file.read(dtype.itemsize * int(np.prod(shape)))
            yield number, np.frombuffer(data, dtype).reshape(shape)

    def _keep(self, number: int, pixels: NDArray[Any]) -> None:
        self._frames.append((number, pixels.dtype, pixels.shape, self._file.tell()))
        self._file.write(pixels.data if pixels.size else b"")
