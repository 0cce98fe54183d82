"""Display shutters: what of an image is covered (PS3.3 C.7.6.11)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom import Dataset
from pydicom.multival import MultiValue

from openmodality.value_class import dataclass

Mask = NDArray[np.bool_]
"""Shape (rows, columns); true where the image is seen."""


@dataclass(frozen=True, slots=True)
class RectangularShutter:
    """Edges are columns and rows counted from 1; pixels beyond them are covered."""

    left: int
    right: int
    upper: int
    lower: int

    def open_pixels(self, shape: tuple[int, int]) -> Mask:
        """The pixels that are seen."""
        mask = np.zeros(shape, dtype=bool)
        mask[max(self.upper - 1, 0) : max(self.lower, 0), max(self.left - 1, 0) : max(self.right, 0)] = True
        return mask


@dataclass(frozen=True, slots=True)
class CircularShutter:
    """``center`` is (row, column) counted from 1, ``radius`` is in columns; rows count by the pixel aspect ratio."""

    center: tuple[int, int]
    radius: int
    aspect: float = 1.0

    def open_pixels(self, shape: tuple[int, int]) -> Mask:
        """The pixels that are seen."""
        rows = (np.arange(1, shape[0] + 1) - self.center[0]) * self.aspect
        columns = np.arange(1, shape[1] + 1) - self.center[1]
        return np.asarray(rows[:, None] ** 2 + columns[None, :] ** 2 <= self.radius**2)


@dataclass(frozen=True, slots=True)
class PolygonalShutter:
    """``vertices`` are (row, column) counted from 1; the last one is joined to the first."""

    vertices: tuple[tuple[int, int], ...]

    def open_pixels(self, shape: tuple[int, int]) -> Mask:
        """The pixels that are seen."""
        picture = Image.new("1", (shape[1], shape[0]), 0)
        outline = [(column - 1, row - 1) for row, column in self.vertices]
        ImageDraw.Draw(picture).polygon(outline, fill=1, outline=1)
        return np.asarray(picture, dtype=bool)


Shutter = RectangularShutter | CircularShutter | PolygonalShutter


def read_shutters(data_set: Dataset, aspect: float = 1.0) -> tuple[Shutter, ...]:
    """The shutters of an image or presentation state; one that is incomplete is left out.

    ``aspect`` is the height of a pixel divided by its width.
    """
    found: list[Shutter] = []
    for shape in _list_words(data_set.get("ShutterShape")):
        try:
            match shape:
                case "RECTANGULAR":
                    found.append(
                        RectangularShutter(
                            int(data_set.ShutterLeftVerticalEdge),
                            int(data_set.ShutterRightVerticalEdge),
                            int(data_set.ShutterUpperHorizontalEdge),
                            int(data_set.ShutterLowerHorizontalEdge),
                        )
                    )
                case "CIRCULAR":
                    row, column = (int(each) for each in data_set.CenterOfCircularShutter)
                    found.append(CircularShutter((row, column), int(data_set.RadiusOfCircularShutter), aspect))
                case "POLYGONAL":
                    flat = [int(each) for each in data_set.VerticesOfThePolygonalShutter]
                    found.append(PolygonalShutter(tuple(zip(flat[::2], flat[1::2], strict=True))))
        except (AttributeError, TypeError, ValueError):
            continue
    return tuple(found)


def _list_words(value: object) -> list[str]:
    if value is None or value == "":
        return []
    return [str(each) for each in value] if isinstance(value, MultiValue | list) else [str(value)]
