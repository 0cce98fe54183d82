"""From an affine matrix to the planes of slices (PS3.3 C.7.6.2): checked, made square, and turned to the usual view.

An affine matrix takes indices (i, j, k) of a volume to a place in mm: of the patient's right, front and head in ``RAS``
(NIfTI), of the left, back and head in ``LPS`` (DICOM). Here everything is LPS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.elements import make_data_set, make_decimals
from openmodality.standard.value_rules import format_decimal
from openmodality.value_class import dataclass

Space = Literal["RAS", "LPS"]
Floats = NDArray[np.float64]

LARGEST_SHEAR: Final = 1e-3
"""The largest cosine of the angle between two axes that is taken for rounding."""
_POSITION: Final = Tag("ImagePositionPatient")
_LOCATION: Final = Tag("SliceLocation")
_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_ORIENTATION: Final = int(Tag("ImageOrientationPatient"))
_SMALLEST_STEP_MM: Final = 1e-6
_DIGITS: Final = 9
_LARGEST_ERROR: Final = 1e-4
"""Of lengths and right angles of vectors that somebody states."""
_LARGEST_UNEVENNESS: Final = 0.01
_NOTICED: Final = 0.1
_LETTERS: Final = (("L", "R"), ("P", "A"), ("H", "F"))
_ENDS: Final = {
    "L": ("right", "left"), "R": ("left", "right"), "P": ("front", "back"), "A": ("back", "front"),
    "H": ("feet", "head"), "F": ("head", "feet"),
}  # fmt: skip

# For slices across x, y and z: where rows, columns and slices go in the usual view (to the left, back, feet, head).
_USUAL_VIEW: Final = (
    ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """How frames are turned: first rows and columns change places, then rows, columns and slices are reversed."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False
    slices_reversed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Parallel slices of the same size, equally far from each other.

    ``origin`` is the centre of the first pixel of the first slice; ``along_row`` leads to the next column,
    ``along_column`` to the next row, ``step`` (3) in mm to the next slice.
    """

    origin: Floats
    along_row: Floats
    along_column: Floats
    step: Floats
    row_spacing_mm: float
    column_spacing_mm: float
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, affine: ArrayLike, shape: tuple[int, int, int], space: Space = "RAS") -> Slices:
        """The slices of a volume; ``affine`` takes (column, row, slice) to mm, ``shape`` is (slices, rows, columns).

        Raises :class:`ObjectInvalid` where the matrix is none, or its axes are not at right angles.
        """
        matrix = _read_matrix(affine)
        if space not in ("RAS", "LPS"):
            raise ObjectInvalid(f"space is {space!r:.64}", advice="say RAS, as NIfTI has it, or LPS, as DICOM has it")
        if space == "RAS":
            matrix = _TO_LPS @ matrix
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)
        axes = _make_square(matrix[:3, :3] / lengths)
        # The middle of the volume stays where it is when axes are made square.
        middle = (np.asarray(shape[::-1]) - 1) / 2
        origin = matrix[:3, 3] + matrix[:3, :3] @ middle - (axes * lengths) @ middle
        return cls(origin, axes[:, 0], axes[:, 1], axes[:, 2] * lengths[2], float(lengths[1]), float(lengths[0]), shape)

    @property
    def normal(self) -> Floats:
        """Across the slices: along rows cross along columns."""
        return np.cross(self.along_row, self.along_column)

    @property
    def spacing_between_slices_mm(self) -> float:
        """From the middle of a slice to the middle of the next."""
        return float(np.linalg.norm(self.step))

    def position(self, number: int) -> Floats:
        """The centre of the first pixel of a slice; the first slice is 0."""
        return self.origin + number * self.step

    def find_usual_view(self) -> Turn:
        """What turns these slices so that they look as readers expect.

        Head up or front up, the patient's right on the left; slices from right to left, front to back, feet to head.
        """
        across = 2 - int(np.argmax(np.abs(self.normal[::-1]).round(_DIGITS)))
        row, column, through = map(np.asarray, _USUAL_VIEW[across])
        straight = abs(self.along_row @ row) + abs(self.along_column @ column)
        turned = abs(self.along_column @ row) + abs(self.along_row @ column)
        transposed = bool(turned > straight + LARGEST_SHEAR)
        along_row, along_column = (
            (self.along_column, self.along_row) if transposed else (self.along_row, self.along_column)
        )
        return Turn(
            transposed=transposed,
            rows_reversed=bool(along_column @ column < 0),
            columns_reversed=bool(along_row @ row < 0),
            slices_reversed=bool(self.step @ through < 0),
        )

    def turn(self, turn: Turn) -> Slices:
        """The same slices after their frames are turned so."""
        turned = self
        slices, rows, columns = self.shape
        if turn.transposed:
            turned = replace(
                turned, along_row=self.along_column, along_column=self.along_row,
                row_spacing_mm=self.column_spacing_mm, column_spacing_mm=self.row_spacing_mm,
                shape=(slices, columns, rows),
            )  # fmt: skip
        if turn.rows_reversed:
            far = (turned.shape[1] - 1) * turned.row_spacing_mm * turned.along_column
            turned = replace(turned, origin=turned.origin + far, along_column=-turned.along_column)
        if turn.columns_reversed:
            far = (turned.shape[2] - 1) * turned.column_spacing_mm * turned.along_row
            turned = replace(turned, origin=turned.origin + far, along_row=-turned.along_row)
        if turn.slices_reversed:
            turned = replace(turned, origin=turned.position(slices - 1), step=-turned.step)
        return turned

    def describe(self) -> Dataset:
        """The attributes that all slices share."""
        data_set = Dataset()
        cosines = (*self.along_row, *self.along_column)
        data_set.ImageOrientationPatient = [_format(value) for value in cosines]
        data_set.PixelSpacing = [_format(self.row_spacing_mm), _format(self.column_spacing_mm)]
        data_set.SliceThickness = data_set.SpacingBetweenSlices = _format(self.spacing_between_slices_mm)
        return data_set

    def describe_slices(self) -> Iterator[Dataset]:
        """The attributes of each slice."""
        positions = self.origin + np.arange(self.shape[0])[:, np.newaxis] * self.step
        places = np.column_stack([positions, positions @ self.normal]).round(_DIGITS) + 0.0
        for numbers in places.tolist():
            *position, location = map(format_decimal, numbers)
            yield make_data_set(
                {_POSITION: make_decimals(_POSITION, position), _LOCATION: make_decimals(_LOCATION, location)}
            )


def check_orientation(data_set: Dataset, where: str) -> None:
    """Raises :class:`ObjectInvalid` where the rows or columns of an image are no unit vectors at right angles."""
    values = data_set.get("ImageOrientationPatient")
    if values is None or len(values) != 6:
        return
    problem, advice = _find_problem(tuple(map(float, values)))
    if problem:
        raise ObjectInvalid(
            f"{where}: (0020,0037) ImageOrientationPatient has {problem}", advice=advice, tag=_ORIENTATION
        )


@lru_cache(maxsize=64)
def _find_problem(cosines: tuple[float, ...]) -> tuple[str, str]:
    """What is wrong with the directions of an image, which nearly all of its series share, and what would be right."""
    row, column = np.array(cosines).reshape(2, 3)
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    if max(abs(length - 1) for length in lengths) > _LARGEST_ERROR:
        return f"vectors of length {lengths[0]:g} and {lengths[1]:g}", "each is to have the length 1"
    if abs(float(row @ column)) > _LARGEST_ERROR:
        angle = float(np.degrees(np.arccos(row @ column)))
        return f"rows and columns at {angle:.3f} degrees", "they are to be at right angles"
    return "", ""


def find_letters(data_set: Dataset) -> str:
    """Where the rows and columns of an image lead, as (0020,0020) Patient Orientation has it, such as L and P."""
    row, column, _ = _read_plane(data_set)
    return f"{_name_direction(row)}\\{_name_direction(column)}"


def describe_order(images: Sequence[Dataset]) -> tuple[str, float | None]:
    """From where to where slices go in the order given, and their usual distance in mm; nothing for a single place."""
    places = [_read_plane(image) for image in images]
    steps = [after[2] - before[2] for before, after in pairwise(places)]
    lengths = [float(np.linalg.norm(step)) for step in steps]
    moving = [step for step, length in zip(steps, lengths, strict=True) if length > _SMALLEST_STEP_MM]
    if not moving:
        return "", None
    first = moving[0]
    names = _ENDS[_name_direction(first)[0]]
    return f"{names[0]} to {names[1]}", round(float(np.median([np.linalg.norm(step) for step in moving])), 4)


def list_odd_planes(images: Sequence[Dataset]) -> Iterator[str]:
    """What is odd in the places of the images of a series."""
    places = [_read_plane(image) for image in images]
    normal = np.cross(places[0][0], places[0][1])
    if any(np.abs(np.cross(row, column) - normal).max() > LARGEST_SHEAR for row, column, _ in places):
        yield "the slices are not parallel"
        return
    depths = sorted({round(float(normal @ position), 3) for _, _, position in places})
    repeats = len(places) // len(depths)
    if len(depths) * repeats != len(places):
        yield f"{len(places)} images lie at {len(depths)} places"
    distances = np.diff(depths)
    if distances.size and (distances.max() - distances.min()) > _LARGEST_UNEVENNESS * float(np.median(distances)):
        yield f"the slices are {distances.min():g} to {distances.max():g} mm from each other, not equally far"


def _read_plane(data_set: Dataset) -> tuple[Floats, Floats, Floats]:
    """The directions of rows and columns, and the position."""
    cosines = np.array([float(each) for each in data_set.ImageOrientationPatient])
    return cosines[:3], cosines[3:], np.array([float(each) for each in data_set.ImagePositionPatient])


def _name_direction(vector: Floats) -> str:
    """The letters of a direction, the main one first (PS3.3 C.7.6.1.1.1)."""
    length = float(np.linalg.norm(vector)) or 1.0
    order = sorted(range(3), key=lambda axis: -abs(float(vector[axis])))
    return "".join(_LETTERS[axis][int(vector[axis] < 0)] for axis in order if abs(vector[axis]) > _NOTICED * length)


def _read_matrix(affine: ArrayLike) -> Floats:
    """The matrix with four rows. Raises :class:`ObjectInvalid` where it does not give every voxel a place."""
    try:
        matrix = np.array(affine, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ObjectInvalid("the affine matrix is not a matrix of numbers") from error
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, [0.0, 0.0, 0.0, 1.0]])
    if matrix.shape != (4, 4):
        raise ObjectInvalid(f"the affine matrix has the shape {matrix.shape}", advice="give 4 rows of 4 numbers")
    if not np.isfinite(matrix).all():
        raise ObjectInvalid("the affine matrix has numbers that are not finite")
    if not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-9):
        raise ObjectInvalid(
            f"the last row of the affine matrix is {_show(matrix[3])}", advice="it is 0, 0, 0, 1 in an affine matrix"
        )
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if lengths.min() < _SMALLEST_STEP_MM:
        raise ObjectInvalid(
            f"the affine matrix has voxels of {_show(lengths)} mm", advice="each size is to be above zero"
        )
    return matrix


def _make_square(axes: Floats) -> Floats:
    """Unit vectors (columns) at right angles, as near to these as can be.

    Raises :class:`ObjectInvalid` where they are more than rounding away from it.
    """
    cosines = axes.T @ axes
    shear = max(abs(float(cosines[0, 1])), abs(float(cosines[0, 2])), abs(float(cosines[1, 2])))
    if shear > LARGEST_SHEAR:
        angles = [float(np.degrees(np.arccos(np.clip(cosines[pair], -1, 1)))) for pair in ((0, 1), (0, 2), (1, 2))]
        raise ObjectInvalid(
            f"the axes of the affine matrix are not at right angles: i to j {angles[0]:.2f}, i to k {angles[1]:.2f}, "
            f"j to k {angles[2]:.2f} degrees, a shear of {shear:.2%}",
            advice="resample the volume onto a grid without shear, of which up to 0.1 % is taken for rounding",
        )
    left, _, right = np.linalg.svd(axes)
    return np.asarray(left @ right)


def _format(value: float) -> str:
    return format_decimal(round(float(value), _DIGITS) + 0.0)


def _show(values: Floats) -> str:
    return ", ".join(f"{value:g}" for value in values)
