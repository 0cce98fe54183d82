"""Functions from pixel values to other values: rescale, window and lookup table (PS3.3 C.11.1, C.11.2).

Each is a frozen value with two methods: ``apply`` maps an array, ``output`` tells between which values the result
lies. A function knows nothing of the data set that it was read from.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from openmodality.value_class import dataclass

PixelValues = NDArray[np.float64]
Limits = tuple[float, float]

LINEAR: Final = "LINEAR"
LINEAR_EXACT: Final = "LINEAR_EXACT"
SIGMOID: Final = "SIGMOID"


class PixelFunction(Protocol):
    """A step of the grey scale pipeline (PS3.4 N.2)."""

    def apply(self, values: PixelValues) -> PixelValues:
        """Map an array of any shape."""
        ...

    def output(self, limits: Limits) -> Limits:
        """The least and the greatest result for input between ``limits``."""
        ...


@dataclass(frozen=True, slots=True)
class Rescale:
    """(0028,1053) Rescale Slope and (0028,1052) Rescale Intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, values: PixelValues) -> PixelValues:
        if self == UNCHANGED:
            return values
        return values * self.slope + self.intercept

    def output(self, limits: Limits) -> Limits:
        ends = [end * self.slope + self.intercept for end in limits]
        return min(ends), max(ends)


UNCHANGED: Final = Rescale()


@dataclass(frozen=True, slots=True)
class Window:
    """(0028,1050) Window Center, (0028,1051) Window Width and (0028,1056) VOI LUT Function; the result is 0 to 1.

    A width that the function does not allow (below 1 for LINEAR, 0 or less for the others) shows a threshold.
    """

    center: float
    width: float
    function: str = LINEAR

    def apply(self, values: PixelValues) -> PixelValues:
        return _WINDOWS.get(self.function, _linear)(values, self.center, self.width)

    def output(self, limits: Limits) -> Limits:
        return 0.0, 1.0


def _linear(values: PixelValues, center: float, width: float) -> PixelValues:
    """PS3.3 C.11.2.1.2.1."""
    if width <= 1:
        return np.where(values <= center - 0.5, 0.0, 1.0)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0)


def _linear_exact(values: PixelValues, center: float, width: float) -> PixelValues:
    """PS3.3 C.11.2.1.3.2."""
    if width <= 0:
        return np.where(values <= center, 0.0, 1.0)
    return np.clip((values - center) / width + 0.5, 0.0, 1.0)


def _sigmoid(values: PixelValues, center: float, width: float) -> PixelValues:
    """PS3.3 C.11.2.1.3.1."""
    if width <= 0:
        return np.where(values <= center, 0.0, 1.0)
    exponent = np.clip(-4.0 * (values - center) / width, -700.0, 700.0)
    return np.asarray(1.0 / (1.0 + np.exp(exponent)))


_WINDOWS: Final = MappingProxyType[str, Callable[[PixelValues, float, float], PixelValues]](
    {LINEAR: _linear, LINEAR_EXACT: _linear_exact, SIGMOID: _sigmoid}
)


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A LUT of DICOM: ``entries[0]`` belongs to the value ``first`` and all below, the last entry to all above.

    ``bits`` is the number of bits of an entry, so that its values lie between 0 and 2**bits - 1.
    """

    entries: PixelValues
    first: int
    bits: int

    def apply(self, values: PixelValues) -> PixelValues:
        index = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return np.asarray(self.entries[index])

    def output(self, limits: Limits) -> Limits:
        return 0.0, float(2**self.bits - 1)
