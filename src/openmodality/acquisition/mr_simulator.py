"""An MR scanner without a magnet: slices of a digital head by the signal equations, with Rician noise.

Seeded: the same seed gives the same pixels for ever. Pixels, header and times agree: what a stored value is worth is in
the Real World Value Mapping, so that the tissues can be measured from the images alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from openmodality.acquisition import mr_phantom
from openmodality.acquisition.geometry import Grid
from openmodality.acquisition.mr_protocol import SURVEY, MrProtocol
from openmodality.acquisition.mr_technique import (
    STORED_BITS,
    describe_gain,
    describe_technique,
    describe_weighting,
)
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, LocalClock, Pixels
from openmodality.value_class import dataclass

BRIGHTEST: Final = 3600
"""The stored value of the brightest tissue of a series."""
SUBPIXELS: Final = 2
BRAIN: Final = ("grey matter", "white matter", "deep grey matter")


@dataclass(frozen=True, slots=True)
class MrSimulator:
    """Scans a digital head with each of ``protocols``. ``clock`` gives the acquisition times.

    ``sop_class_uid`` is the object that the images are to become; empty for the one of the site.
    """

    protocols: Sequence[MrProtocol] = SURVEY
    seed: int = 1
    clock: LocalClock = field(default=datetime.now)
    sop_class_uid: str = ""

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
            sop_class_uid=self.sop_class_uid,
            frames=self._make_frames(index, protocol),
            number_of_frames=protocol.slices * len(protocol.weightings),
            attributes=common,
        )

    def _make_frames(self, index: int, protocol: MrProtocol) -> Iterator[AcquiredFrame]:
        scan = Scan(protocol)
        technique = describe_technique(protocol)
        technique.update(describe_gain(scan.slope))
        start = self.clock()
        for number in range(protocol.slices * len(protocol.weightings)):
            step, place = divmod(number, protocol.slices)
            random = np.random.default_rng((self.seed, index, number))
            attributes = Dataset()
            attributes.update(technique)
            attributes.update(scan.find_window(step))
            attributes.update(protocol.place_slice(place).attributes(protocol.thickness_mm))
            attributes.update(describe_weighting(protocol, protocol.weightings[step], start))
            yield AcquiredFrame(scan.make_pixels(step, place, random), attributes)


class Scan:
    """A protocol on its way: the signal of each tissue under each weighting, and one gain for all of them."""

    def __init__(self, protocol: MrProtocol) -> None:
        self._protocol = protocol
        self._weightings = protocol.weightings
        self._signals = [protocol.signal(protocol.find_tissues(each), each) for each in self._weightings]
        self.slope = float(max(signal.max() for signal in self._signals)) / BRIGHTEST
        """Signal relative to relaxed water for one stored value."""
        self._labels: dict[int, NDArray[np.uint8]] = {}

    def make_pixels(self, step: int, place: int, random: np.random.Generator) -> Pixels:
        """The stored values of a slice under a weighting: tissues averaged over parts of a pixel, Rician noise."""
        protocol = self._protocol
        fine = self._weigh(step, place) / np.float32(self.slope)
        shape = (protocol.matrix, SUBPIXELS, protocol.matrix, SUBPIXELS)
        magnitude = fine.reshape(shape).mean(axis=(1, 3), dtype=np.float32)
        if protocol.noise:
            deviation = np.float32(protocol.noise_deviation / self.slope)
            real, imaginary = random.standard_normal((2, *magnitude.shape), dtype=np.float32) * deviation
            magnitude = np.hypot(magnitude + real, imaginary)
        return np.asarray(np.clip(np.rint(magnitude), 0, (1 << STORED_BITS) - 1), dtype=np.uint16)

    def find_window(self, step: int) -> Dataset:
        """A window in which the brain, and not the brightest tissue, fills the grey scale."""
        brain = max(float(self._signals[step][mr_phantom.NAMES.index(name)]) for name in BRAIN) / self.slope
        gradient = self._weightings[step].gradient
        if gradient is not None:
            brain *= float(np.exp(-gradient.b_value * _USUAL_DIFFUSIVITY))
        width = max(round(1.45 * brain), 2)
        data_set = Dataset()
        data_set.WindowCenter, data_set.WindowWidth = str(width // 2), str(width)
        return data_set

    def _weigh(self, step: int, place: int) -> Grid:
        plane = self._protocol.place_slice(place).finer(SUBPIXELS)
        if place not in self._labels:
            if len(self._weightings) == 1:
                self._labels.clear()  # a slice comes once
            self._labels[place] = mr_phantom.tissue_map(plane)
        labels = self._labels[place]
        signal = self._signals[step].astype(np.float32)[labels]
        gradient = self._weightings[step].gradient
        if gradient is None or gradient.direction is None or not gradient.b_value:
            return np.asarray(signal, np.float32)
        return signal * mr_phantom.weigh_diffusion(labels, plane, (gradient.b_value, gradient.direction))


_USUAL_DIFFUSIVITY: Final = 0.8e-3
"""Of the brain, in mm2/s."""
