"""The images of a volume one after the other, in the order of their Instance Numbers, as readers expect to see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.acquisition.arrays import LARGEST_SIDE, check_array
from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.slice_geometry import Slices, Turn, check_orientation
from openmodality.acquisition.volume import Array, Volume
from openmodality.acquisition.volume_positions import Positions
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.elements import element_at, make_data_set, make_kept_element, merge_data_sets
from openmodality.value_class import dataclass

_PHASE_ENCODING: Final = Tag("InPlanePhaseEncodingDirection")
_ACROSS: Final = {"ROW": "COL", "COL": "ROW"}
_AXES_ADVICE: Final = "say kji where the last axis of the array runs along a row of an image, ijk where the first does"


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The images of a volume in the order of their Instance Numbers, which begin at 1.

    ``frames`` may be walked once only where the volume was given frame by frame; each comes with its number. ``shape``
    is (images, rows, columns). ``shared`` are the attributes of all images, ``own`` those of an image by its number.
    ``is_transposed``: rows and columns have changed places for the usual view. ``unused`` names what lacks something.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any] | None
    frames: Iterable[tuple[int, Array]]
    shared: Dataset
    own: Sequence[Dataset]
    slices: Slices | None
    is_transposed: bool = False
    unused: Mapping[str, str] = field(default_factory=dict)


def make_stack(volume: Volume, where: str = "volume") -> Stack:
    """The images of a volume.

    Raises :class:`ObjectInvalid` where its shape, its geometry or a keyword does not fit; ``where`` begins the text.
    """
    try:
        arranged = _arrange(volume)
        return _describe(volume, arranged, where)
    except ObjectInvalid as error:
        text = error.message if error.message.startswith(where) else f"{where}: {error.message}"
        raise ObjectInvalid(text, advice=error.advice, tag=error.tag) from error


@dataclass(frozen=True, slots=True, eq=False)
class _Arranged:
    """Frames as (position of the fourth axis, slice, rows, columns), and the affine matrix of (column, row, slice)."""

    frames: Array | Iterable[Array]
    shape: tuple[int, int, int, int]
    affine: NDArray[np.float64] | None


def _arrange(volume: Volume) -> _Arranged:
    if isinstance(volume.array, np.ndarray):
        return _arrange_array(volume, check_array(volume.array, "volume"))
    if len(volume.shape) not in (3, 4):
        raise ObjectInvalid(
            f"frames one by one, of the shape {volume.shape}",
            advice="say shape=(slices, rows, columns), or (positions, slices, rows, columns)",
        )
    if volume.slice_axis not in ("k", 0):
        raise ObjectInvalid("frames one by one lie along k", advice="give an array to have other slices")
    counts = tuple(map(int, volume.shape)) if len(volume.shape) == 4 else (1, *map(int, volume.shape))
    _check_counts(counts)
    affine = None if volume.affine is None else read_matrix(volume.affine, "volume")
    return _Arranged(volume.array, (counts[0], counts[1], counts[2], counts[3]), affine)


def _arrange_array(volume: Volume, array: Array) -> _Arranged:
    plain = array.ndim - volume.is_colour
    if plain == 2:
        array, plain = array[np.newaxis], 3
    axes = _name_axes(volume.axes, array, plain)
    along = _find_slice_axis(volume.slice_axis, axes)
    column, row = [letter for letter in "ijk" if letter != along]
    order = [axes.index(letter) for letter in ("t", along, row, column) if letter in axes]
    arranged = array.transpose(*order, *range(plain, array.ndim))
    if plain == 3:
        arranged = arranged[np.newaxis]
    counts = arranged.shape[:4]
    _check_counts(counts)
    affine = None
    if volume.affine is not None:
        given = read_matrix(volume.affine, "volume")
        affine = given[:, ["ijk".index(column), "ijk".index(row), "ijk".index(along), 3]] if _has_4(given) else given
    return _Arranged(arranged, (counts[0], counts[1], counts[2], counts[3]), affine)


def count_images(volume: Volume) -> tuple[int, int]:
    """How many positions the fourth axis of a volume has, and how many slices; one each where it is no array.

    Raises :class:`ObjectInvalid` where what is said of its axes does not fit them.
    """
    array = volume.array
    if not isinstance(array, np.ndarray) or (plain := array.ndim - volume.is_colour) < 3:
        return 1, 1
    axes = _name_axes(volume.axes, array, plain)
    slices = array.shape[axes.index(_find_slice_axis(volume.slice_axis, axes))]
    return array.shape[axes.index("t")] if "t" in axes else 1, slices


def read_matrix(value: ArrayLike, where: str) -> NDArray[np.float64]:
    """Numbers in rows. Raises :class:`ObjectInvalid` where they are none."""
    try:
        return np.array(value, dtype=np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise ObjectInvalid(f"{where}: affine is no matrix of numbers", advice="give 4 rows of 4 numbers") from error


def _has_4(matrix: NDArray[np.float64]) -> bool:
    return matrix.ndim == 2 and matrix.shape[1] == 4


def _name_axes(axes: str, array: Array, count: int) -> str:
    """The names of all axes but that of colour. Raises :class:`ObjectInvalid` where the array has others."""
    if count not in (3, 4):
        raise ObjectInvalid(f"array has the shape {array.shape}", advice="give an array of three or four axes")
    if count == 4 and "t" not in axes:
        axes = f"{axes}t" if axes.startswith("i") else f"t{axes}"
    if sorted(axes) != sorted("ijkt"[:count]):
        raise ObjectInvalid(f"axes are {axes!r:.64}, for an array of {count} axes", advice=_AXES_ADVICE)
    return axes


def _find_slice_axis(slice_axis: str | int, axes: str) -> str:
    letter = slice_axis
    if isinstance(slice_axis, int) and -len(axes) <= slice_axis < len(axes):
        letter = axes[slice_axis]
    if not isinstance(letter, str) or letter not in ("i", "j", "k"):
        raise ObjectInvalid(
            f"slice_axis is {slice_axis!r:.64}",
            advice=f"say i, j or k, or the number of one of these in {axes}",
        )
    return letter


def _check_counts(counts: Sequence[int]) -> None:
    if min(counts) < 1:
        raise ObjectInvalid(f"there are no pixels: {' x '.join(map(str, counts))}", advice="give at least one voxel")
    if max(counts[2:4]) > LARGEST_SIDE:
        raise ObjectInvalid(f"more than {LARGEST_SIDE} rows or columns", advice="cut it into parts")


def _describe(volume: Volume, arranged: _Arranged, where: str) -> Stack:
    positions, count, rows, columns = arranged.shape
    slices, turn = None, Turn()
    if arranged.affine is not None:
        slices = Slices.of(arranged.affine, (count, rows, columns), volume.space)
        turn = slices.find_usual_view()
        slices = slices.turn(turn)
        _, rows, columns = slices.shape
    along = Positions.of(volume.dimension, volume.keywords, positions, count, where)
    order = range(count - 1, -1, -1) if turn.slices_reversed else range(count)
    places = [] if slices is None else list(slices.describe_slices())
    own = []
    for number in range(positions * count):
        of_place = places[number % count : number % count + 1]
        said = [*of_place, *filter(len, along.describe(number // count, order[number % count]))]
        own.append(said[0] if len(said) == 1 else merge_data_sets(*said))
    shared = Dataset()
    if slices is not None:
        shared.update(slices.describe())
    shared.update(attributes_of(along.shared, where))
    if slices is None:
        _check_stated(shared, own, where)
    if turn.transposed:
        own = [turn_phase_encoding(each) for each in own]
        shared = turn_phase_encoding(shared)
    dtype = arranged.frames.dtype if isinstance(arranged.frames, np.ndarray) else None
    frames = _Frames(arranged, turn)
    return Stack((len(own), rows, columns), dtype, frames, shared, own, slices, turn.transposed, along.unused)


def find_turned(said: Dataset, shared: Dataset) -> Dataset:
    """What was stated for a whole series and changes where its images are transposed, unless ``shared`` states it."""
    turned = turn_phase_encoding(said)
    return make_data_set(
        {} if turned is said or _PHASE_ENCODING in shared else {_PHASE_ENCODING: turned[_PHASE_ENCODING]}
    )


def turn_phase_encoding(said: Dataset) -> Dataset:
    """What is said of images whose rows and columns have changed places since: ROW is COL then (0018,1312)."""
    found = element_at(said, _PHASE_ENCODING)
    turned = _ACROSS.get(str(found.value)) if found is not None else None
    if turned is None:
        return said
    return merge_data_sets(said, make_data_set({_PHASE_ENCODING: make_kept_element(_PHASE_ENCODING, "CS", turned)}))


def _check_stated(shared: Dataset, own: Sequence[Dataset], where: str) -> None:
    """Raises :class:`ObjectInvalid` where the places that the caller states are none, or two slices have the same."""
    check_orientation(shared, where)
    known: dict[object, int] = {}
    for number, data_set in enumerate(own, 1):
        check_orientation(data_set, f"{where}, image {number}")
        if "ImagePositionPatient" in data_set:
            others = (str(each.value) for each in data_set if each.keyword != "SliceLocation")
            first = known.setdefault(tuple(others), number)
            if first != number:
                raise ObjectInvalid(
                    f"{where}: images {first} and {number} have the same (0020,0032) ImagePositionPatient",
                    advice="each slice has a place of its own",
                )


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """The frames of a volume, turned to the usual view; each with its Instance Number."""

    arranged: _Arranged
    turn: Turn

    def __iter__(self) -> Iterator[tuple[int, Array]]:
        positions, count, rows, columns = self.arranged.shape
        frames = self.arranged.frames
        if isinstance(frames, np.ndarray):
            for number in range(positions * count):
                position, place = divmod(number, count)
                yield number + 1, self._turn(frames[position, self._place(place)])
            return
        number = 0
        for number, frame in enumerate(frames, 1):
            pixels = np.asarray(frame)
            if pixels.shape[:2] != (rows, columns):
                raise ObjectInvalid(
                    f"frame {number} has the shape {pixels.shape}, not {rows} rows and {columns} columns"
                )
            if number > positions * count:
                break
            position, place = divmod(number - 1, count)
            yield position * count + self._place(place) + 1, self._turn(pixels)
        if number != positions * count:
            raise ObjectInvalid(
                f"{'more' if number > positions * count else 'fewer'} frames than {positions * count}",
                advice="say how many there are in shape",
            )

    def _place(self, number: int) -> int:
        return self.arranged.shape[1] - 1 - number if self.turn.slices_reversed else number

    def _turn(self, pixels: Array) -> Array:
        if self.turn.transposed:
            pixels = pixels.swapaxes(0, 1)
        return pixels[
            :: -1 if self.turn.rows_reversed else 1,
            :: -1 if self.turn.columns_reversed else 1,
        ]
