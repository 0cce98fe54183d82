"""Strides over elements that are as those of the data set before: what has not changed is compared at once.

The instances of a series are written alike: the same elements, most of them with the same values. What a data set
looked like is kept as runs of elements that follow one another. One ``struct`` takes out of the bytes what was as it is
in all data sets so far, headers and values, and one comparison says whether it still is. The rules:

- Nothing is believed that was not compared: of each element tag, VR and length are, or the length is read. What
  differs, and all that a step does not settle, is left to the steps (:mod:`openmodality.encoding.steps`).
- Who waits for values gets those that the steps give. Runs end before an element that is announced.
- A value that has changed once is not compared again. Where a length changes, the run ends with that element, and its
  length is read from then on; where another element comes, the run ends before it. What follows is a run of its own,
  known by its first tag.
- Data sets that are not alike cost the making of runs for a while only, then they are left to the steps for longer.
- Threads may share a memory: runs do not change, they are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any, Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.headers import MAX_HEADER_BYTES, MIN_HEADER_BYTES, Layout
from openmodality.encoding.listening import MAX_KEPT_BYTES
from openmodality.encoding.steps import NO_GROUP, make_steps
from openmodality.encoding.watch import Watch

MAX_CHANGES: Final = 64
"""So often are runs made or changed before all are forgotten."""
REST_DATA_SETS: Final = 256
"""So many data sets have to bring that, or the rest of them is left to the steps."""
MAX_RUN_BYTES: Final = 64 * 1024
"""The longest run that is kept."""
NO_TAG_BEFORE: Final = 0
"""Lower than the tag of every element of a run."""
_MIN_ELEMENTS: Final = 4
"""Runs that are shorter on average cost as much as steps."""
_FEW_RUNS: Final = 8
_TAG_BYTES: Final = 4
_read_tag = Struct(f"{_TAG_BYTES}s").unpack_from


class _Element(NamedTuple):
    tag: int
    header: bytes
    kind_bytes: int  # of its header before the length: tag and VR
    value: bytes
    is_constant: bool
    is_sequence: bool


class _Run(NamedTuple):
    """``unpack`` gives ``parts`` where all is as it was, and behind them the length of the last element if ``is_open``.

    ``size`` is that of the elements, without the last value if ``is_open``. What is waited for are ``constants``,
    values of ``tags``, which ``unpack_values`` gives, and the last value, of ``open_tag``, unless that is 0.
    """

    elements: tuple[_Element, ...]
    unpack: Callable[[Buffer, int], tuple[Any, ...]]
    parts: tuple[bytes, ...]
    size: int
    is_open: bool
    constants: dict[int, bytes]
    tags: tuple[int, ...]
    unpack_values: Callable[[Buffer, int], tuple[bytes, ...]]
    open_tag: int
    has_values: bool


_UNKNOWN: Final = _Run((), _read_tag, (), 0, False, {}, (), _read_tag, 0, False)
"""In place of a run that has not been made."""


class Strides:
    """The runs of one layout, for listeners that wait for the values of ``tags``, and for no header before ``end``."""

    def __init__(self, layout: Layout, tags: frozenset[int], end: int) -> None:
        self._layout = layout
        self._tags = tags
        self._end = end
        self._runs: dict[bytes, _Run | None] = {}  # by the first tag; None where steps have to go on
        self._changes = 0
        self._data_sets = 0
        self._rest = 0

    def begin(self) -> bool:
        """Note that a data set begins; whether it may be strided over."""
        self._data_sets += 1
        self._rest -= self._rest > 0
        return not self._rest

    def advance(self, chunk: Buffer, offset: int, size: int, watch: Watch) -> tuple[int, int]:
        """Go on from the header at ``offset``, and note the values that ``watch`` waits for.

        Returns the offset of the header that was reached, and the tag of the last element before it: the offset as it
        was, and 0, where that was none.
        """
        tag = NO_TAG_BEFORE
        while size - offset >= MAX_HEADER_BYTES:
            (key,) = _read_tag(chunk, offset)
            run = self._runs.get(key, _UNKNOWN)
            if run is _UNKNOWN:
                run = self._learn(chunk, offset, size)
            if run is None or run.elements[0].tag <= tag or (end := offset + run.size) > size:
                break
            found, length = run.unpack(chunk, offset), 0
            if run.is_open:
                found, length = found[:-1], found[-1]
            if found != run.parts:
                if self._adapt(run, chunk, offset):
                    continue
                break
            if end + length > size:
                break
            if run.has_values:
                _give(run, chunk, offset, length, watch)
            offset, tag = end + length, run.elements[-1].tag
        return offset, tag

    def _learn(self, chunk: Buffer, offset: int, size: int) -> _Run | None:
        """Make a run of what begins at ``offset`` and lies in the chunk as a whole, if there is an element."""
        if self._rest:
            return None
        size = min(size, offset + MAX_RUN_BYTES)
        step = make_steps(self._layout.explicit, self._layout.big_endian)
        _, end = step.bare(chunk, offset, offset + step.smallest, NO_GROUP)
        if end > size:
            return None
        return self._put(_read_tag(chunk, offset)[0], tuple(self._read_elements(chunk, offset, size)))

    def _read_elements(self, chunk: Buffer, offset: int, size: int) -> Iterator[_Element]:
        """The elements that a step settles, as long as their tags ascend, as in a valid data set."""
        explicit, step = self._layout.explicit, make_steps(self._layout.explicit, self._layout.big_endian)
        before = NO_TAG_BEFORE
        while size - offset >= MAX_HEADER_BYTES:
            _, end = step.bare(chunk, offset, offset + step.smallest, NO_GROUP)
            header = self._layout.read(chunk, offset, size - offset)
            if header is None or not 0 <= end <= size or not before < header[0] < self._end:
                return
            tag, vr, _, header_bytes = header
            kind_bytes = header_bytes - (2 if explicit and header_bytes == MIN_HEADER_BYTES else 4)
            value_at = offset + header_bytes
            raw, value = bytes(chunk[offset:value_at]), bytes(chunk[value_at:end])
            yield _Element(tag, raw, kind_bytes, value, is_constant=True, is_sequence=vr == "SQ")
            offset, before = end, tag

    def _adapt(self, run: _Run, chunk: Buffer, offset: int) -> bool:
        """Let a run be as what is here; whether it is worth another look."""
        elements, is_open = list[_Element](), False
        for element in run.elements:
            value_at = offset + len(element.header)
            end = value_at + len(element.value)
            header = bytes(chunk[offset:value_at])
            if header != element.header:
                if header[: element.kind_bytes] == element.header[: element.kind_bytes]:
                    elements.append(element)
                    is_open = True
                break
            is_same = element.is_constant and bytes(chunk[value_at:end]) == element.value
            elements.append(element._replace(is_constant=is_same))
            offset = end
        else:
            is_open = run.is_open
        key = run.elements[0].header[:_TAG_BYTES]
        if elements:
            return self._put(key, tuple(elements), is_open=is_open) is not None
        self._runs.pop(key, None)  # another VR: to be learned anew
        return True

    def _put(self, key: bytes, elements: tuple[_Element, ...], *, is_open: bool = False) -> _Run | None:
        """Keep a run, or that there is none; ``None`` also where there have been so many that all are forgotten."""
        order = ">" if self._layout.big_endian else "<"
        self._runs[key] = run = _make_run(elements, self._tags, order, is_open=is_open) if elements else None
        self._changes += 1
        kept = [len(run.elements) for run in list(self._runs.values()) if run is not None]
        is_split = len(kept) > _FEW_RUNS and sum(kept) < _MIN_ELEMENTS * len(kept)
        if not is_split and self._changes <= MAX_CHANGES:
            return run
        self._rest = max(REST_DATA_SETS - self._data_sets, 0)
        self._runs, self._changes, self._data_sets = {}, 0, 0
        return None


class StrideMemory:
    """What data sets looked like that came one way, such as to one service or out of one reader."""

    def __init__(self) -> None:
        self._known: dict[tuple[bool, bool, frozenset[int], int], Strides] = {}

    def find(self, layout: Layout, watch: Watch) -> Strides | None:
        """The strides for a data set that begins; ``None`` where it has to be left to the steps."""
        if watch.codes or watch.sees:
            return None
        key = layout.explicit, layout.big_endian, watch.tags, watch.first_announced
        strides = self._known.get(key)
        if strides is None:
            strides = self._known[key] = Strides(layout, watch.tags, watch.first_announced)
        return strides if strides.begin() else None


def _give(run: _Run, chunk: Buffer, offset: int, length: int, watch: Watch) -> None:
    """Note the values of a run; of an element that comes twice the first counts."""
    values: dict[int, bytes | None] = {**run.constants}
    if run.tags:
        values.update(zip(run.tags, run.unpack_values(chunk, offset), strict=True))
    if run.open_tag:
        end = offset + run.size
        values[run.open_tag] = bytes(chunk[end : end + length]) if length <= MAX_KEPT_BYTES else None
    values.update(watch.values)
    watch.values = values


def _make_run(elements: tuple[_Element, ...], tags: frozenset[int], order: str, *, is_open: bool) -> _Run:
    parts, formats, values, kept = [b""], [order], [order], []
    last, gap, constants = elements[-1], 0, dict[int, bytes]()
    for element in elements[:-1] if is_open else elements:
        is_kept = element.tag in tags and not element.is_sequence
        length = len(element.value)
        parts[-1] += element.header
        gap += len(element.header)
        if element.is_constant:
            parts[-1] += element.value
            gap += length
            if is_kept:
                constants[element.tag] = element.value
        else:
            formats.append(f"{len(parts[-1])}s{length}x")
            parts.append(b"")
            if is_kept:
                values.append(f"{gap}x{length}s")
                kept.append(element.tag)
            gap = 0 if is_kept else gap + length
    if is_open:
        parts[-1] += last.header[: last.kind_bytes]
    formats.append(f"{len(parts[-1])}s")
    if is_open:
        formats.append("H" if len(last.header) - last.kind_bytes == 2 else "L")
    unpack, unpack_values = Struct("".join(formats)), Struct("".join(values)).unpack_from
    open_tag = last.tag if is_open and last.tag in tags and not last.is_sequence else 0
    return _Run(
        elements,
        unpack=unpack.unpack_from,
        parts=tuple(parts),
        size=unpack.size,
        is_open=is_open,
        constants=constants,
        tags=tuple(kept),
        unpack_values=unpack_values,
        open_tag=open_tag,
        has_values=bool(constants or kept or open_tag),
    )
