"""Protocols of the simulated MR scanner: what is scanned, with which pulse sequence, and how it is weighted.

A protocol may have several weightings, one after the other: inversion times, echoes, gradients of diffusion, or
positions in time. All of a protocol is one series, with one receiver gain, which its header says.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition import mr_phantom, mr_signal
from openmodality.acquisition.geometry import ORIENTATIONS, Plane, Vector
from openmodality.errors import UsageError
from openmodality.value_class import dataclass

_MAXIMUM_MATRIX: Final = 1024
_REFERENCE_VOXEL_MM3: Final = 5.0
_REFERENCE_BANDWIDTH_HZ: Final = 130.0
_REFERENCE_LINES: Final = 256
_EXCITATION_DEG: Final = 90.0
_REFOCUSING_DEG: Final = 180.0
_ABSORPTION: Final = 1.4e-3
"""W/kg for a square degree in each ms: some 1.5 for a train of 15 echoes in 9 slices every 4 s, as at 1.5 T."""
_REFERENCE_NOISE: Final = 0.006
"""Standard deviation relative to fully relaxed water, of a voxel of 1 x 1 x 5 mm with the bandwidth and lines above."""


class PulseSequence(Enum):
    """Pulse sequences that are simulated; the values are Scanning Sequence (0018,0020)."""

    SPIN_ECHO = "SE"
    GRADIENT_ECHO = "GR"
    INVERSION_RECOVERY = "IR"
    DIFFUSION = "EP"


@dataclass(frozen=True, slots=True)
class Gradient:
    """A weighting by diffusion: b-value in s/mm2 and direction in the patient, a unit vector; none for b = 0."""

    b_value: float = 0.0
    direction: Vector | None = None


@dataclass(frozen=True, slots=True)
class Weighting:
    """What is special about some of the images of a protocol. ``time_s`` counts from the start of the scan.

    ``echo`` and ``position`` are numbers from 1, of the echo and in time.
    """

    echo_time_ms: float
    inversion_time_ms: float = 0.0
    gradient: Gradient | None = None
    echo: int = 1
    position: int = 1
    time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MrProtocol:
    """One scan. ``inversion_time_ms`` counts for inversion recovery only, ``flip_angle_deg`` shapes gradient echo
    only.

    ``orientation`` is a name, or the normal of the slices. ``echo_times_ms``, ``inversion_times_ms`` and ``gradients``
    are several weightings in the place of the one; ``dynamics`` is how often the whole is scanned, while a contrast
    agent comes. ``noise`` is a factor: 0 is none, 1 as much as bandwidth, averages and voxels give.
    """

    name: str
    sequence: PulseSequence
    orientation: str | Vector
    repetition_time_ms: float
    echo_time_ms: float
    inversion_time_ms: float = 0.0
    flip_angle_deg: float = 90.0
    echo_train_length: int = 1
    slices: int = 9
    spacing_mm: float = 8.0
    thickness_mm: float = 5.0
    field_of_view_mm: float = 256.0
    matrix: int = 256
    centre: Vector = (0.0, 0.0, -4.0)
    noise: float = 1.0
    bandwidth_hz: float = 130.0
    averages: int = 1
    echo_times_ms: tuple[float, ...] = ()
    inversion_times_ms: tuple[float, ...] = ()
    gradients: tuple[Gradient, ...] = ()
    dynamics: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.matrix <= _MAXIMUM_MATRIX or min(self.slices, self.averages, self.dynamics) < 1:
            raise UsageError(f"a scan needs at least one slice, average and a matrix of 1 to {_MAXIMUM_MATRIX}")
        times = (self.repetition_time_ms, self.echo_time_ms, *self.echo_times_ms, *self.inversion_times_ms)
        if min(*times, self.field_of_view_mm, self.thickness_mm, self.bandwidth_hz) <= 0:
            raise UsageError("times, field of view, bandwidth and slice thickness of a scan are greater than zero")
        if self.noise < 0:
            raise UsageError("noise is a factor from 0 on")
        if isinstance(self.orientation, str):
            if self.orientation not in ORIENTATIONS:
                raise UsageError(
                    f"there is no orientation {self.orientation!r}", advice=f"say one of {', '.join(ORIENTATIONS)}"
                )
        elif not np.linalg.norm(self.orientation) > 0:
            raise UsageError("the normal of a slice is a vector with a length")

    @property
    def duration_s(self) -> float:
        """How long one pass over all slices takes: TR for each line, or train of them, and average."""
        trains = -(-self.matrix // self.echo_train_length)
        return self.repetition_time_ms / 1000.0 * trains * self.averages

    @property
    def absorption_rate_w_kg(self) -> float:
        """Of the whole body: as the squares of all flip angles in a repetition, divided by its time."""
        squares = self.flip_angle_deg**2
        if self.sequence is not PulseSequence.GRADIENT_ECHO:
            has_one = self.sequence is PulseSequence.DIFFUSION
            echoes = 1 if has_one else max(self.echo_train_length, len(self.echo_times_ms))
            inversions = int(self.sequence is PulseSequence.INVERSION_RECOVERY)
            squares = _EXCITATION_DEG**2 + (echoes + inversions) * _REFOCUSING_DEG**2
        return _ABSORPTION * squares * self.slices / self.repetition_time_ms

    @property
    def weightings(self) -> list[Weighting]:
        """In the order of the scan: positions in time, in each of them what else is varied."""
        single = [
            Weighting(echo_time, inversion_time, gradient, echo)
            for gradient in self.gradients or (None,)
            for inversion_time in self.inversion_times_ms or (self.inversion_time_ms,)
            for echo, echo_time in enumerate(self.echo_times_ms or (self.echo_time_ms,), 1)
        ]
        echoes = max(len(self.echo_times_ms), 1)
        passes = len(single) // echoes
        return [
            Weighting(
                each.echo_time_ms, each.inversion_time_ms, each.gradient, each.echo, position + 1,
                (position * passes + number // echoes) * self.duration_s,
            )
            for position in range(self.dynamics)
            for number, each in enumerate(single)
        ]  # fmt: skip

    @property
    def noise_deviation(self) -> float:
        """Of real and imaginary part, relative to fully relaxed water: by bandwidth, averages, lines and voxel."""
        pixel = self.field_of_view_mm / self.matrix
        voxel = pixel * pixel * self.thickness_mm / _REFERENCE_VOXEL_MM3
        samples = self.averages * self.matrix / _REFERENCE_LINES
        width = self.bandwidth_hz / _REFERENCE_BANDWIDTH_HZ
        return self.noise * _REFERENCE_NOISE * sqrt(width / samples) / voxel

    def signal(self, tissue: mr_signal.Relaxation, weighting: Weighting | None = None) -> NDArray[np.float64]:
        """Signal of ``tissue`` under this scan, relative to fully relaxed water, without diffusion."""
        of = weighting or self.weightings[0]
        tr, te = self.repetition_time_ms, of.echo_time_ms
        if self.sequence is PulseSequence.GRADIENT_ECHO:
            return mr_signal.gradient_echo(tissue, tr, te, self.flip_angle_deg)
        if self.sequence is PulseSequence.INVERSION_RECOVERY:
            return mr_signal.inversion_recovery(tissue, tr, te, of.inversion_time_ms)
        return mr_signal.spin_echo(tissue, tr, te)

    def find_tissues(self, weighting: Weighting) -> mr_signal.Relaxation:
        """The tissues at the time of a weighting, with the contrast agent that has come to them in a dynamic scan."""
        seconds = weighting.time_s - CONTRAST_ARRIVES_S if self.dynamics > 1 else -1.0
        return mr_phantom.relaxation(seconds)

    def place_slice(self, number: int) -> Plane:
        """The plane of a slice, counted from 0."""
        offset = (number - (self.slices - 1) / 2.0) * self.spacing_mm
        return Plane.make_square(
            self.centre, self.orientation, field_of_view_mm=self.field_of_view_mm, matrix=self.matrix, offset_mm=offset
        )


CONTRAST_ARRIVES_S: Final = 20.0
"""In a dynamic scan, from its start; what is scanned before is without contrast agent."""

_HALF: Final = sqrt(0.5)
SIX_DIRECTIONS: Final[tuple[Vector, ...]] = (
    (_HALF, _HALF, 0.0), (_HALF, -_HALF, 0.0), (0.0, _HALF, _HALF),
    (0.0, _HALF, -_HALF), (_HALF, 0.0, _HALF), (-_HALF, 0.0, _HALF),
)  # fmt: skip
"""As few as determine a tensor, spread evenly."""

_MIDDLE: Final = (0.0, 0.0, 4.0)

SURVEY: Final[Sequence[MrProtocol]] = (
    MrProtocol(
        "T1 SE SAG", PulseSequence.SPIN_ECHO, "sagittal", 500.0, 12.0, centre=(2.8, -4.0, -26.0), spacing_mm=7.0
    ),
    MrProtocol(
        "T2 TSE AX", PulseSequence.SPIN_ECHO, "axial", 4000.0, 100.0, echo_train_length=15, centre=_MIDDLE
    ),
    MrProtocol(
        "FLAIR AX", PulseSequence.INVERSION_RECOVERY, "axial", 9000.0, 110.0, inversion_time_ms=2500.0,
        echo_train_length=15, centre=_MIDDLE,
    ),
    MrProtocol(
        "T1 FFE COR", PulseSequence.GRADIENT_ECHO, "coronal", 190.0, 4.6, flip_angle_deg=70.0, spacing_mm=12.0,
        averages=2,
    ),
)  # fmt: skip
"""What is scanned where no protocol is named."""

QUANTITATIVE: Final[Sequence[MrProtocol]] = (
    MrProtocol(
        "T1 MAP IR", PulseSequence.INVERSION_RECOVERY, "axial", 12000.0, 12.0, slices=3, matrix=128,
        inversion_times_ms=(50.0, 200.0, 400.0, 700.0, 1100.0, 1700.0, 2600.0, 4000.0), echo_train_length=8,
        centre=_MIDDLE,
    ),
    MrProtocol(
        "T2 MAP SE", PulseSequence.SPIN_ECHO, "axial", 3000.0, 15.0, slices=3, matrix=128, centre=_MIDDLE,
        echo_times_ms=(15.0, 30.0, 45.0, 60.0, 80.0, 100.0, 130.0, 160.0),
    ),
    MrProtocol(
        "T2 STAR MAP GRE", PulseSequence.GRADIENT_ECHO, "axial", 800.0, 4.0, slices=3, matrix=128, centre=_MIDDLE,
        flip_angle_deg=50.0, echo_times_ms=(4.0, 9.0, 14.0, 22.0, 30.0, 42.0),
    ),
    MrProtocol(
        "DWI TENSOR AX", PulseSequence.DIFFUSION, "axial", 6000.0, 80.0, slices=5, matrix=128, centre=_MIDDLE,
        echo_train_length=128, bandwidth_hz=1500.0, averages=4,
        gradients=(Gradient(), *(Gradient(1000.0, direction) for direction in SIX_DIRECTIONS)),
    ),
    MrProtocol(
        "T1 FFE DYN AX", PulseSequence.GRADIENT_ECHO, "axial", 40.0, 2.0, flip_angle_deg=30.0, slices=3, matrix=128,
        dynamics=20, centre=(0.0, 0.0, 26.0), thickness_mm=8.0, bandwidth_hz=260.0,
    ),
    MrProtocol(
        "T1 FFE OBL", PulseSequence.GRADIENT_ECHO, (0.0, -0.42, 0.91), 190.0, 4.6, flip_angle_deg=70.0, averages=2,
        slices=7,
    ),
)  # fmt: skip
"""Series from which T1, T2, T2* and diffusion can be measured, a contrast agent followed, and oblique slices."""
