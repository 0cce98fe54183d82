"""Slices of the digital head: contrast as expected, geometry as PS3.3 C.7.6.2 asks for, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from openmodality.acquisition import mr_phantom
from openmodality.acquisition.mr_simulator import SURVEY, MrProtocol, MrSimulator, PulseSequence
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.errors import UsageError

NOW = datetime(2026, 11, 22, 8, 30, 15, 250000)
SMALL = MrProtocol("T1", PulseSequence.SPIN_ECHO, "axial", 500.0, 12.0, slices=2, matrix=64, centre=(0.0, 0.0, 10.0))


def scan(protocol: MrProtocol, seed: int = 1) -> tuple[AcquiredSeries, list[AcquiredFrame]]:
    (series,) = MrSimulator([protocol], seed=seed, clock=lambda: NOW).series()
    return series, list(series.frames)


def test_a_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (scan(SMALL, seed)[1][0].pixels for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pixels_are_unsigned_twelve_bits() -> None:
    pixels = scan(SMALL)[1][0].pixels
    assert pixels.dtype == np.uint16
    assert pixels.shape == (64, 64)
    assert 0 <= pixels.min() <= pixels.max() < 1 << 12


@pytest.mark.parametrize(
    ("protocol", "brighter", "darker"),
    [
        (SURVEY[0], "white matter", "grey matter"),  # T1 weighted
        (SURVEY[0], "fat", "fluid"),
        (SURVEY[1], "fluid", "grey matter"),  # T2 weighted
        (SURVEY[1], "grey matter", "white matter"),
        (SURVEY[2], "lesion", "fluid"),  # fluid attenuated inversion recovery
        (SURVEY[2], "grey matter", "fluid"),
        (SURVEY[3], "white matter", "grey matter"),
    ],
)
def test_contrast(protocol: MrProtocol, brighter: str, darker: str) -> None:
    signal = dict(zip(mr_phantom.NAMES, protocol.signal(mr_phantom.relaxation()), strict=True))
    assert signal[brighter] > signal[darker] * 1.05


def test_noise_is_rician() -> None:
    """In air the magnitude of complex noise is Rayleigh distributed: its mean is sigma times the root of half pi."""
    pixels = scan(replace(SMALL, matrix=256, noise=0.02))[1][0].pixels
    corner = pixels[:30, :30].astype(float)
    assert corner.mean() == pytest.approx(0.02 * 3600 * np.sqrt(np.pi / 2), rel=0.05)
    assert corner.std() == pytest.approx(0.02 * 3600 * np.sqrt(2 - np.pi / 2), rel=0.08)


def test_geometry_of_an_axial_slice() -> None:
    first, second = (frame.attributes for frame in scan(SMALL)[1])
    # 64 pixels of 4 mm around the centre: the first pixel lies 126 mm right of and in front of it.
    assert [float(value) for value in first.ImagePositionPatient] == [-126.0, -126.0, 6.0]
    assert [float(value) for value in first.ImageOrientationPatient] == [1, 0, 0, 0, 1, 0]
    assert [float(value) for value in first.PixelSpacing] == [4.0, 4.0]
    assert float(second.SliceLocation) - float(first.SliceLocation) == float(first.SpacingBetweenSlices) == 8.0


def test_slice_location_grows_along_the_normal_of_the_plane() -> None:
    frames = scan(replace(SMALL, orientation="coronal"))[1]
    # The normal of a coronal slice, row x column, points to the back.
    assert [float(frame.attributes.SliceLocation) for frame in frames] == [-4.0, 4.0]
    assert float(frames[0].attributes.ImagePositionPatient[1]) == -4.0


def test_technique_attributes() -> None:
    attributes = scan(replace(SMALL, sequence=PulseSequence.INVERSION_RECOVERY, inversion_time_ms=2500.0))[1][
        0
    ].attributes
    assert attributes.ScanningSequence == "IR"
    assert (float(attributes.EchoTime), float(attributes.RepetitionTime)) == (12.0, 500.0)
    assert float(attributes.InversionTime) == 2500.0
    assert float(attributes.MagneticFieldStrength) == 1.5
    assert (attributes.AcquisitionDate, attributes.AcquisitionTime) == ("20261122", "083015.250000")
    assert "InversionTime" not in scan(SMALL)[1][0].attributes


def test_series_is_described() -> None:
    series, frames = scan(SMALL)
    assert (series.modality, series.description, series.number_of_frames) == ("MR", "T1", len(frames))
    assert series.attributes.PatientPosition == "HFS"
    assert series.irradiation is None


@pytest.mark.parametrize("wrong", [{"matrix": 0}, {"matrix": 5000}, {"slices": 0}, {"echo_time_ms": 0.0}])
def test_impossible_scans_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        replace(SMALL, **wrong)  # type: ignore[arg-type]
