"""Many solid shapes in an X-ray beam at once: the trunk has thousands, and most of their shadows are a few pixels wide.

For each pixel of such shadows the lengths are worked out in one go, by the formulas of :class:`Beam`, which does the
same for one body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.xray_shapes import Beam, Body, Lengths, PixelSpan, Ray, find_chord
from openmodality.value_class import dataclass

_LARGE: Final = 4096
"""A shadow of more pixels costs so much by itself that the body is projected alone."""
_AT_ONCE: Final = 65_536
"""So many pixels, about, are worked out in one go: what they need fits into the cache of a core."""

_Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """Bodies, and their facts as arrays with one row for each.

    ``layers`` are the numbers of the groups that they were put together from: each group has a layer of its own.
    """

    bodies: tuple[Body, ...]
    centres: NDArray[np.float64]
    half_axes: NDArray[np.float64]
    axes: NDArray[np.float64]
    is_capped: NDArray[np.bool_]
    waists: NDArray[np.float64]
    layers: _Numbers

    @classmethod
    def make(cls, bodies: Iterable[Body]) -> Bodies:
        """Put bodies together, in one layer."""
        return cls.make_layers([bodies])

    @classmethod
    def make_layers(cls, groups: Iterable[Iterable[Body]]) -> Bodies:
        """Put groups of bodies together, each in a layer of its own."""
        numbered = [(number, body) for number, group in enumerate(groups) for body in group]
        made = tuple(body for _, body in numbered)
        return cls(
            made,
            np.array([each.centre for each in made], dtype=np.float64).reshape(-1, 3),
            np.array([each.half_axes for each in made], dtype=np.float64).reshape(-1, 3),
            np.array([each.find_axes() for each in made], dtype=np.float64).reshape(-1, 3, 3),
            np.array([each.is_capped for each in made], dtype=bool),
            np.array([each.waist for each in made], dtype=np.float64),
            np.array([number for number, _ in numbered], dtype=np.intp),
        )


def keep_longest(beam: Beam, bodies: Bodies, out: Lengths) -> PixelSpan | None:
    """Raise ``out`` to how many mm of each ray lie inside that of the bodies in which it is longest.

    ``out`` is one layer, or has all of them along its first axis: where there are few pixels, many layers at once take
    as long as a few alone. Returns the rows and columns that may have changed; None where no shadow falls on the
    detector.
    """
    middles = (bodies.centres - np.array([*beam.centre, 0.0])) @ beam.gantry.T
    spans = _find_shadows(beam, middles, bodies)
    heights, widths = spans[:, 1] - spans[:, 0], spans[:, 3] - spans[:, 2]
    sizes = np.where((heights > 0) & (widths > 0), heights * widths, 0)
    if not sizes.any():
        return None
    for number in np.flatnonzero(sizes > _LARGE):
        layer = out if out.ndim == 2 else out[bodies.layers[number]]
        beam.path_length(bodies.bodies[number], layer, at_most_once=True)
    for is_capped in (False, True):
        small = np.flatnonzero((sizes > 0) & (sizes <= _LARGE) & (bodies.is_capped == is_capped))
        for some in _split(small, sizes[small]):
            _keep_small(beam, bodies, middles, spans, some, out)
    seen = spans[sizes > 0]
    first, last = seen.min(axis=0), seen.max(axis=0)
    return slice(int(first[0]), int(last[1])), slice(int(first[2]), int(last[3]))


def _find_shadows(beam: Beam, middles: NDArray[np.float64], bodies: Bodies) -> NDArray[np.int64]:
    """First and last row, first and last column that each shadow can touch, as :class:`Beam` finds them."""
    axes = bodies.half_axes
    reach = np.where(bodies.is_capped, np.sqrt((axes * axes).sum(axis=1)), axes.max(axis=1))
    distance = beam.source_to_isocenter_mm + middles[:, 2]
    reach = np.minimum(reach, distance - 1.0)
    half = (beam.matrix - 1) / 2.0
    spans = []
    for axis in (1, 0):
        edges = np.stack([
            (middles[:, axis] + sign * reach) * beam.source_to_detector_mm / (distance + end * reach)
            for sign in (-1.0, 1.0) for end in (-1.0, 1.0)
        ])  # fmt: skip
        spans.append(np.maximum(np.trunc(edges.min(axis=0) / beam.pixel_mm + half) - 1, 0))
        spans.append(np.minimum(np.trunc(edges.max(axis=0) / beam.pixel_mm + half) + 2, beam.matrix))
    return np.stack(spans, axis=1).astype(np.int64)


def _split(numbers: _Numbers, sizes: NDArray[np.int64]) -> Iterator[_Numbers]:
    """Bodies of about so many pixels as are worked out in one go."""
    if len(numbers):
        parts = np.cumsum(sizes) // _AT_ONCE
        yield from np.split(numbers, np.flatnonzero(np.diff(parts)) + 1)


def _keep_small(
    beam: Beam,
    bodies: Bodies,
    middles: NDArray[np.float64],
    spans: NDArray[np.int64],
    some: _Numbers,
    out: Lengths,
) -> None:
    """Do it for some bodies, of which all are capped or none: each pixel of each shadow is one place of an array."""
    middle, (top, bottom, left, right) = middles[some], spans[some].T
    sizes, widths = (bottom - top) * (right - left), right - left
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(values, sizes)

    rows, columns = np.divmod(within, spread(widths))
    rows += spread(top)
    columns += spread(left)
    u, v = beam.span()[columns], beam.span()[rows]
    scaled = (beam.gantry @ bodies.axes[some]) / bodies.half_axes[some][:, None, :]
    near = (beam.source_to_isocenter_mm + middle[:, 2]) / beam.source_to_detector_mm
    beside = -(scaled[:, 0] * middle[:, :1] + scaled[:, 1] * middle[:, 1:2])
    along = scaled * near[:, None, None]
    single = np.float32

    def mix(axis: NDArray[np.float64], constant: NDArray[np.float64]) -> Lengths:
        x, y, more = (spread(values.astype(single)) for values in (axis[:, 0], axis[:, 1], constant))
        return np.asarray(x * u + y * v + more)

    ray = Ray(
        u, v,
        [mix(scaled[:, :, axis], scaled[:, 2, axis] * beam.source_to_detector_mm) for axis in range(3)],
        [mix(along[:, :, axis], beside[:, axis]) for axis in range(3)],
    )  # fmt: skip
    is_capped = bool(bodies.is_capped[some[0]])
    waists = spread(bodies.waists[some].astype(single)) if is_capped else single(0.0)
    places = (spread(bodies.layers[some]) * beam.matrix + rows) * beam.matrix + columns
    np.maximum.at(out.reshape(-1), places, find_chord(beam, ray, is_capped, waists))
