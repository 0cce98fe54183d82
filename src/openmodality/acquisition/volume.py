"""A volume as a program or a file has it: an array or its frames one by one, with the matrix that says where it lies.

It knows nothing of objects, patients or files: readers of files make it, ``acquisition.stack`` makes its images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom.datadict import tag_for_keyword

from openmodality.acquisition.slice_geometry import Space
from openmodality.errors import UsageError
from openmodality.objects.image.scaling import Nan, Scale
from openmodality.objects.private_names import parse_key
from openmodality.value_class import dataclass

Array = NDArray[Any]
Parts = Literal["magnitude", "magnitude+phase"]

_COLOUR_SAMPLES: Final = 3


HOW_NUMBERS_ARE_STORED: Final = frozenset({"scale", "nan", "parts"})
"""The options that ``Series.add`` has too."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Volume:
    """A volume, or a stack of frames without geometry; what is not given is found, or has the usual meaning.

    ``array`` has three axes or four, and one more of three samples for colour (uint8). Or it gives frames one by one,
    each (rows, columns), slices innermost; then ``shape`` says (slices, rows, columns) or (positions, slices, rows,
    columns), and slices lie along k.

    ``affine`` (3 or 4 rows of 4) takes indices (i, j, k) to mm in ``space``; without it slices have the geometry that
    ``keywords`` say, or none. ``axes`` names the axes of the array: ``kji``, ``ijk`` or any other order, with ``t`` for
    the fourth axis, which comes first before k and last after k where it is not named. Slices lie along
    ``slice_axis``: i, j, k, or the number of an axis of the array.

    ``dimension`` says what the fourth axis is: ``time``, ``echo`` or ``b-value``. ``keywords`` are DICOM keywords; one
    with a list of as many values as the fourth axis has positions, or as there are slices, gives each its own.

    ``scale``, ``nan`` and ``parts`` say how numbers become stored values, as ``objects.image.scaling`` has it.
    ``unused`` names what a reader found with the volume and could not use, with the reason, for the report of the
    series.
    """

    array: Array | Iterable[Array]
    affine: ArrayLike | None = None
    shape: tuple[int, ...] = ()
    space: Space = "RAS"
    axes: str = "kji"
    slice_axis: str | int = "k"
    dimension: str = ""
    keywords: Mapping[str, object] = field(default_factory=dict)
    scale: Scale = None
    nan: Nan = "refuse"
    parts: Parts = "magnitude"
    unused: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, array: Array | Iterable[Array], affine: ArrayLike | None = None, **given: Any) -> Self:
        """A volume of an array, options of this class and DICOM keywords side by side.

        Raises :class:`UsageError` where an option is none.
        """
        options = {each.name for each in fields(cls)} - {"array", "affine", "keywords", "unused"}
        small = (name for name in given if name[:1].islower() and name not in options)
        unknown = sorted(name for name in small if tag_for_keyword(name) is None and parse_key(name) is None)
        if unknown:
            raise UsageError(f"add_volume has no option {unknown[0]}", advice=f"it has {', '.join(sorted(options))}")
        chosen = {name: value for name, value in given.items() if name in options}
        keywords = {name: value for name, value in given.items() if name not in options}
        return cls(array=array, affine=affine, keywords=keywords, **chosen)

    @property
    def is_colour(self) -> bool:
        """Whether it has three samples a pixel, which are one image and no slices."""
        array = self.array
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim < 3:
            return False
        return array.shape[-1] == _COLOUR_SAMPLES and not (self.dimension and array.ndim == 4)
