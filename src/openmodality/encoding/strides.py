"""Stepping over the elements of a data set that is laid out as the one before.

The instances of a series have the same elements in the same order, and most values have the same length. A walk from
header to header costs 0.2 to 0.4 us for each of some hundred elements. What the last data set looked like is kept as a
few :class:`struct.Struct`, each of which reads VR and length of many headers at once; where they are what they were,
the elements are where they were. An element whose length has differed once ends such a run, and its length is read.
Nothing is believed that was not compared: from where something differs, the walk goes on from header to header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from struct import Struct
from typing import Final, NamedTuple

from openmodality.encoding.headers import UNDEFINED_LENGTH, Buffer

UNSETTLED: Final = -1
_MAX_KEPT: Final = 1024
"""Elements of a data set that are kept in mind at most."""
_FEW: Final = 4
"""Elements of a run, in the mean, that take as long as from header to header."""
_EAGER: Final = 4
_SELDOM: Final = 64
"""After so many data sets that were not as the last, only every 64th is learned from."""

Step = Callable[[Buffer, int, int], tuple[int, int]]
"""(buffer, offset of a header, size) -> (offset of the last header read, offset of the one behind it).

The latter lies beyond the buffer where a value goes on, less than a header before its end where a
header may be cut, and is ``UNSETTLED`` where that last header does not tell where its element ends.
"""


class Header(NamedTuple):
    """The header of an element of ``size`` bytes: how it is read but for the tag, the VR if it has one, the length."""

    size: int
    format: str
    vr: tuple[int, ...]
    length: int


class _Run(NamedTuple):
    """The headers of elements of known length, and of one more behind them that may have any."""

    read: Callable[[Buffer, int], tuple[int, ...]]
    expected: tuple[int, ...]
    last: int  # where the header of that one begins
    size: int  # where it ends
    needed: int  # bytes that must be at hand for ``walk`` to read it


class Strides:
    """Steps over the beginning of a data set as ``walk`` does, in a few strides where it is as the last one was.

    ``headers`` are those of a buffer from its beginning on, as far as ``walk`` goes, which reads one where ``smallest``
    bytes are at hand; ``order`` is :mod:`struct`'s. What is kept in mind changes how long a step takes and nothing of
    what it says. May be used by several threads: they make each other slower, and not wrong.
    """

    def __init__(
        self, walk: Step, headers: Callable[[Buffer, int], Iterator[Header]], order: str, smallest: int
    ) -> None:
        self._walk = walk
        self._headers = headers
        self._order = order
        self._smallest = smallest
        self._runs: tuple[_Run, ...] = ()
        self._known: tuple[list[Header], frozenset[int]] = [], frozenset()
        self._misses = 0

    def __call__(self, buffer: Buffer, size: int) -> tuple[int, int]:
        """What ``walk`` gives from the first element on."""
        start = offset = 0
        for read, expected, last, run_size, needed in self._runs:
            if size - offset < needed:
                break
            values = read(buffer, offset)
            if values[:-1] != expected:
                self._learn(buffer, size)
                break
            start = offset + last
            if values[-1] == UNDEFINED_LENGTH:
                return start, UNSETTLED
            offset += run_size + values[-1]
        else:
            self._confirm(buffer, size)
        return (start, offset) if size - offset < self._smallest else self._walk(buffer, offset, size)

    def _confirm(self, buffer: Buffer, size: int) -> None:
        if self._runs:
            self._misses //= 2
        else:
            self._learn(buffer, size)

    def _learn(self, buffer: Buffer, size: int) -> None:
        """Keep in mind what is here, unless to learn has not paid lately."""
        self._misses += 1
        if self._misses > _EAGER and self._misses % _SELDOM:
            return
        headers = list(islice(self._headers(buffer, size), _MAX_KEPT))
        before, varying = self._known
        if [header[:-1] for header in headers] == [header[:-1] for header in before]:
            both = zip(headers, before, strict=True)
            varying |= {index for index, (new, old) in enumerate(both) if new.length != old.length}
        else:
            varying = frozenset()
        self._known = headers, varying
        runs = tuple(_runs(headers, varying, self._order, self._smallest))
        self._runs = runs if len(headers) > _FEW * len(runs) else ()


def _runs(headers: list[Header], varying: frozenset[int], order: str, smallest: int) -> Iterator[_Run]:
    """Runs that end at the elements of varying length, and at the last one."""
    form, expected, start = order, list[int](), 0
    for index, header in enumerate(headers, start=1):
        form += header.format
        expected += header.vr
        if index == len(headers) or index - 1 in varying:
            struct = Struct(form)
            yield _Run(struct.unpack_from, tuple(expected), start, struct.size, start + max(header.size, smallest))
            form, expected, start = order, [], 0
        else:
            form += f"{header.length}x"
            expected.append(header.length)
            start += header.size + header.length
