"""Slices of the digital head: contrast as expected, geometry as PS3.3 C.7.6.2 asks for, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from openmodality.acquisition import mr_phantom
from openmodality.acquisition.mr_protocol import QUANTITATIVE, SURVEY, MrProtocol, PulseSequence
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.acquisition.mr_technique import describe_technique
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
def test_a_protocol_shows_one_tissue_brighter_than_the_other(protocol: MrProtocol, brighter: str, darker: str) -> None:
    signal = dict(zip(mr_phantom.NAMES, protocol.signal(mr_phantom.relaxation()), strict=True))
    assert signal[brighter] > signal[darker] * 1.05


def test_noise_is_rician() -> None:
    """In air the magnitude of complex noise is Rayleigh distributed: its mean is sigma times the root of half pi."""
    protocol = replace(SMALL, matrix=256, noise=3.0)
    frame = scan(protocol)[1][0]
    slope = frame.attributes.RealWorldValueMappingSequence[0].RealWorldValueSlope
    corner = frame.pixels[:30, :30].astype(float) * slope
    assert corner.mean() == pytest.approx(protocol.noise_deviation * np.sqrt(np.pi / 2), rel=0.05)
    assert corner.std() == pytest.approx(protocol.noise_deviation * np.sqrt(2 - np.pi / 2), rel=0.08)


def test_noise_follows_from_bandwidth_averages_and_voxels() -> None:
    usual = SMALL.noise_deviation
    assert replace(SMALL, averages=4).noise_deviation == pytest.approx(usual / 2)
    assert replace(SMALL, bandwidth_hz=4 * SMALL.bandwidth_hz).noise_deviation == pytest.approx(usual * 2)
    assert replace(SMALL, thickness_mm=2 * SMALL.thickness_mm).noise_deviation == pytest.approx(usual / 2)
    assert replace(SMALL, noise=0).noise_deviation == 0
    pixels = scan(replace(SMALL, noise=0))[1][0].pixels
    assert not pixels[:8, :8].any()


def test_slices_lie_in_any_orientation() -> None:
    normal = np.asarray([0.3, -0.4, 0.9])
    frames = scan(replace(SMALL, orientation=tuple(normal)))[1]
    row, column = np.split(np.asarray([float(each) for each in frames[0].attributes.ImageOrientationPatient]), 2)
    assert abs(row @ column) < 1e-6
    assert np.allclose(np.cross(row, column), normal / np.linalg.norm(normal), atol=1e-5)
    first, second = (np.asarray(each.attributes.ImagePositionPatient, float) for each in frames)
    assert np.allclose(second - first, 8.0 * normal / np.linalg.norm(normal), atol=1e-4)
    assert row[0] > 0.9
    assert frames[0].pixels.max() > 1000


def test_a_named_orientation_is_that_of_its_normal() -> None:
    by_name = scan(replace(SMALL, orientation="coronal"))[1][0]
    by_normal = scan(replace(SMALL, orientation=(0.0, 2.0, 0.0)))[1][0]
    assert np.array_equal(by_name.pixels, by_normal.pixels)
    assert by_name.attributes.ImageOrientationPatient == by_normal.attributes.ImageOrientationPatient


def test_each_weighting_is_in_the_header_and_at_its_time() -> None:
    echoes = replace(next(each for each in QUANTITATIVE if "T2 MAP" in each.name), slices=1, matrix=32)
    frames = scan(echoes)[1]
    assert [float(each.attributes.EchoTime) for each in frames] == list(echoes.echo_times_ms)
    assert [each.attributes.EchoNumbers for each in frames] == list(range(1, 9))
    assert len({each.attributes.AcquisitionTime for each in frames}) == 1
    inversions = replace(next(each for each in QUANTITATIVE if "T1 MAP" in each.name), slices=1, matrix=32)
    first, second, *_ = (
        datetime.strptime(each.attributes.AcquisitionTime, "%H%M%S.%f") for each in scan(inversions)[1]
    )
    assert (second - first).total_seconds() == pytest.approx(inversions.duration_s) == 48.0


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


def test_the_header_says_the_technique() -> None:
    attributes = scan(replace(SMALL, sequence=PulseSequence.INVERSION_RECOVERY, inversion_time_ms=2500.0))[1][
        0
    ].attributes
    assert attributes.ScanningSequence == "IR"
    assert (float(attributes.EchoTime), float(attributes.RepetitionTime)) == (12.0, 500.0)
    assert float(attributes.InversionTime) == 2500.0
    assert float(attributes.MagneticFieldStrength) == 1.5
    assert (attributes.AcquisitionDate, attributes.AcquisitionTime) == ("20261122", "083015.250000")
    assert "InversionTime" not in scan(SMALL)[1][0].attributes


def test_each_protocol_says_how_long_it_takes_and_what_the_patient_absorbs() -> None:
    first = {each.name: describe_technique(each) for each in (*SURVEY, *QUANTITATIVE)}
    rates = {name: float(attributes.SAR) for name, attributes in first.items()}
    assert all(0.01 < rate < 2 for rate in rates.values()), "the limit of IEC 60601-2-33 in normal mode"
    assert rates["T2 TSE AX"] > rates["T1 SE SAG"] > rates["T1 FFE COR"] > rates["DWI TENSOR AX"]
    mapped = first["T2 MAP SE"]
    assert (mapped.FrameAcquisitionDuration, mapped.AcquisitionDuration) == (3000 * 128, 384), "all echoes at once"
    followed = first["T1 FFE DYN AX"]
    assert followed.AcquisitionDuration == pytest.approx(20 * followed.FrameAcquisitionDuration / 1000)


def test_series_is_described() -> None:
    series, frames = scan(SMALL)
    assert (series.modality, series.description, series.number_of_frames) == ("MR", "T1", len(frames))
    assert series.attributes.PatientPosition == "HFS"
    assert series.irradiation is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"matrix": 0}, {"matrix": 5000}, {"slices": 0}, {"echo_time_ms": 0.0}, {"noise": -1.0}, {"averages": 0},
        {"orientation": "askew"}, {"orientation": (0.0, 0.0, 0.0)}, {"echo_times_ms": (10.0, 0.0)},
    ],
)  # fmt: skip
def test_impossible_scans_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        replace(SMALL, **wrong)  # type: ignore[arg-type]
