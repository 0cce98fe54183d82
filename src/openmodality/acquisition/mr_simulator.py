"""An MR scanner without a magnet: slices of a digital head by the signal equations, with Rician noise.

Seeded: the same seed gives the same pixels for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from openmodality.acquisition import mr_phantom, mr_signal
from openmodality.acquisition.geometry import Plane, Vector
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, LocalClock, Pixels
from openmodality.errors import UsageError

_BITS_STORED = 12
BRIGHTEST = 3600
SUBPIXELS = 2
_MAXIMUM_MATRIX = 1024
BRAIN = ("grey matter", "white matter", "deep grey matter")


class PulseSequence(Enum):
    """Pulse sequences that are simulated; the values are Scanning Sequence (0018,0020)."""

    SPIN_ECHO = "SE"
    GRADIENT_ECHO = "GR"
    INVERSION_RECOVERY = "IR"


@dataclass(frozen=True, slots=True)
class MrProtocol:
    """One scan. ``inversion_time_ms`` counts for inversion recovery only, ``flip_angle_deg`` shapes gradient echo
    only.
    """

    name: str
    sequence: PulseSequence
    orientation: str
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
    noise: float = 0.012

    def __post_init__(self) -> None:
        if not 1 <= self.matrix <= _MAXIMUM_MATRIX or self.slices < 1:
            raise UsageError(f"a scan needs at least one slice and a matrix of 1 to {_MAXIMUM_MATRIX}")
        if min(self.repetition_time_ms, self.echo_time_ms, self.field_of_view_mm, self.thickness_mm) <= 0:
            raise UsageError("times, field of view and slice thickness of a scan are greater than zero")

    def signal(self, tissue: mr_signal.Relaxation) -> NDArray[np.float64]:
        """Signal of ``tissue`` under this scan, relative to fully relaxed water."""
        tr, te = self.repetition_time_ms, self.echo_time_ms
        if self.sequence is PulseSequence.GRADIENT_ECHO:
            return mr_signal.gradient_echo(tissue, tr, te, self.flip_angle_deg)
        if self.sequence is PulseSequence.INVERSION_RECOVERY:
            return mr_signal.inversion_recovery(tissue, tr, te, self.inversion_time_ms)
        return mr_signal.spin_echo(tissue, tr, te)


SURVEY: tuple[MrProtocol, ...] = (
    MrProtocol(
        "T1 SE SAG", PulseSequence.SPIN_ECHO, "sagittal", 500.0, 12.0, centre=(2.8, -4.0, -26.0), spacing_mm=7.0
    ),
    MrProtocol(
        "T2 TSE AX", PulseSequence.SPIN_ECHO, "axial", 4000.0, 100.0, echo_train_length=15, centre=(0.0, 0.0, 4.0)
    ),
    MrProtocol(
        "FLAIR AX",
        PulseSequence.INVERSION_RECOVERY,
        "axial",
        9000.0,
        110.0,
        inversion_time_ms=2500.0,
        centre=(0.0, 0.0, 4.0),
    ),
    MrProtocol("T1 FFE COR", PulseSequence.GRADIENT_ECHO, "coronal", 190.0, 4.6, flip_angle_deg=70.0, spacing_mm=12.0),
)


@dataclass(frozen=True, slots=True)
class MrSimulator:
    """Scans a digital head with each of ``protocols``. ``clock`` gives the acquisition times."""

    protocols: Sequence[MrProtocol] = SURVEY
    seed: int = 1
    clock: LocalClock = field(default=datetime.now)

    def series(self) -> Iterator[AcquiredSeries]:
        """One series for each protocol."""
        for index, protocol in enumerate(self.protocols):
            yield self._scan(index, protocol)

    def _scan(self, index: int, protocol: MrProtocol) -> AcquiredSeries:
        common = Dataset()
        common.BodyPartExamined = "BRAIN"
        common.ProtocolName = protocol.name
        common.PatientPosition = "HFS"
        return AcquiredSeries(
            description=protocol.name,
            modality="MR",
            sop_class_uid=MRImageStorage,
            frames=self._frames(index, protocol),
            number_of_frames=protocol.slices,
            attributes=common,
        )

    def _frames(self, index: int, protocol: MrProtocol) -> Iterator[AcquiredFrame]:
        relative = protocol.signal(mr_phantom.relaxation())
        table = (relative * (BRIGHTEST / relative.max())).astype(np.float32)
        technique = technique_attributes(protocol)
        technique.update(_window(table))
        for number in range(protocol.slices):
            offset = (number - (protocol.slices - 1) / 2.0) * protocol.spacing_mm
            plane = Plane.make_square(
                protocol.centre, protocol.orientation, field_of_view_mm=protocol.field_of_view_mm,
                matrix=protocol.matrix, offset_mm=offset,
            )  # fmt: skip
            random = np.random.default_rng((self.seed, index, number))
            pixels = slice_pixels(plane, table, protocol.noise * BRIGHTEST, random)
            attributes = Dataset()
            attributes.update(technique)
            attributes.update(plane.attributes(protocol.thickness_mm))
            attributes.update(_format_moment(self.clock()))
            yield AcquiredFrame(pixels, attributes)


def slice_pixels(plane: Plane, signal: NDArray[np.float32], noise: float, random: np.random.Generator) -> Pixels:
    """One slice: the signal of each tissue, averaged over parts of a pixel, with Rician noise of standard deviation
    ``noise``.
    """
    fine = signal[mr_phantom.tissue_map(plane.finer(SUBPIXELS))]
    mean = fine.reshape(plane.rows, SUBPIXELS, plane.columns, SUBPIXELS).mean(axis=(1, 3), dtype=np.float32)
    real, imaginary = random.standard_normal((2, plane.rows, plane.columns), dtype=np.float32) * np.float32(noise)
    magnitude = np.hypot(mean + real, imaginary)
    return np.asarray(np.clip(np.rint(magnitude), 0, (1 << _BITS_STORED) - 1), dtype=np.uint16)


def technique_attributes(protocol: MrProtocol) -> Dataset:
    """MR Image Module (PS3.3 C.8.3.1) as far as the scan decides it."""
    data_set = Dataset()
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "M", protocol.sequence.value]
    inversion = protocol.sequence is PulseSequence.INVERSION_RECOVERY
    gradient = protocol.sequence is PulseSequence.GRADIENT_ECHO
    data_set.ScanningSequence = protocol.sequence.value
    data_set.SequenceVariant = "SP" if gradient else "SK" if protocol.echo_train_length > 1 else "NONE"
    data_set.ScanOptions = ""
    data_set.MRAcquisitionType = "2D"
    data_set.SequenceName = protocol.sequence.value
    data_set.RepetitionTime = f"{protocol.repetition_time_ms:g}"
    data_set.EchoTime = f"{protocol.echo_time_ms:g}"
    if inversion:
        data_set.InversionTime = f"{protocol.inversion_time_ms:g}"
    data_set.FlipAngle = f"{protocol.flip_angle_deg:g}"
    data_set.EchoTrainLength = protocol.echo_train_length
    data_set.EchoNumbers = 1
    data_set.NumberOfAverages = 1
    data_set.MagneticFieldStrength = f"{mr_phantom.FIELD_STRENGTH_T:g}"
    data_set.ImagingFrequency = f"{mr_phantom.FIELD_STRENGTH_T * mr_phantom.LARMOR_MHZ_PER_T:.6g}"
    data_set.ImagedNucleus = "1H"
    data_set.SpacingBetweenSlices = f"{protocol.spacing_mm:g}"
    data_set.ReconstructionDiameter = f"{protocol.field_of_view_mm:g}"
    data_set.NumberOfPhaseEncodingSteps = protocol.matrix
    data_set.PercentSampling = "100"
    data_set.PercentPhaseFieldOfView = "100"
    data_set.InPlanePhaseEncodingDirection = "ROW"
    data_set.AcquisitionMatrix = [0, protocol.matrix, protocol.matrix, 0]
    data_set.BitsStored = _BITS_STORED
    return data_set


def _window(table: NDArray[np.float32]) -> Dataset:
    """A window in which the brain, and not the brightest tissue, fills the grey scale."""
    brain = max(float(table[mr_phantom.NAMES.index(name)]) for name in BRAIN)
    width = round(1.45 * brain)
    data_set = Dataset()
    data_set.WindowCenter = str(width // 2)
    data_set.WindowWidth = str(width)
    return data_set


def _format_moment(now: datetime) -> Dataset:
    data_set = Dataset()
    data_set.AcquisitionDate = data_set.ContentDate = now.strftime("%Y%m%d")
    data_set.AcquisitionTime = data_set.ContentTime = now.strftime("%H%M%S.%f")
    return data_set
