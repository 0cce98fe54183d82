"""Fluoroscopy runs and exposures: pictures, shutters and the dose that belongs to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition.rf_simulator import (
    UPPER_GI,
    ImageKind,
    RfSimulator,
    XRayProtocol,
    field_window,
    window_pixels,
)
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.errors import UsageError
from openmodality.objects.irradiation.event import IrradiationEvent

RUN = replace(UPPER_GI[1], matrix=64, pulse_rate=5.0, duration_s=0.6)
SHOT = replace(UPPER_GI[2], matrix=64)


def expose(*protocols: XRayProtocol, seed: int = 1) -> list[tuple[AcquiredSeries, list[AcquiredFrame]]]:
    return [(series, list(series.frames)) for series in RfSimulator(protocols, seed=seed).series()]


def event_of(series: AcquiredSeries) -> IrradiationEvent:
    assert series.irradiation is not None
    return series.irradiation


def test_a_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (expose(RUN, seed=seed)[0][1] for seed in (1, 1, 2))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].pixels, other[0].pixels)


def test_a_run_is_a_series_of_single_frames_and_one_irradiation_event() -> None:
    ((series, frames),) = expose(RUN)
    assert (series.modality, series.number_of_frames, len(frames)) == ("RF", 3, 3)
    event = event_of(series)
    assert event.event_type == "Fluoroscopy"
    assert event["NumberOfPulses"] == event.number_of_frames == 3
    assert event["ExposureTime"] == 3 * RUN.pulse_width_ms
    assert event.duration_s == pytest.approx(0.6)


def test_contrast_agent_moves() -> None:
    ((_, frames),) = expose(RUN)
    dark = [int((frame.pixels[20:44, 20:44] < 1200).sum()) for frame in frames]
    assert dark[-1] > dark[0]


def test_what_absorbs_is_dark_in_fluoroscopy_and_bright_in_an_exposure() -> None:
    assert RUN.beam.matrix == 64
    few, many = (np.full((64, 64), photons, dtype=np.float32) for photons in (1e4, 1e6))
    assert window_pixels(few, RUN, fluoroscopy=True).max() < window_pixels(many, RUN, fluoroscopy=True).max()
    assert window_pixels(few, RUN, fluoroscopy=False).max() > window_pixels(many, RUN, fluoroscopy=False).max()


def test_the_field_is_collimated_and_the_shutter_says_where() -> None:
    narrow = replace(SHOT, geometry=XRayGeometry(field_width_mm=200.0, field_height_mm=100.0))
    ((_, (frame,)),) = expose(narrow)
    # A detector of 400 mm and 64 pixels: 32 columns and 16 rows are open.
    assert field_window(narrow) == (slice(24, 40), slice(16, 48))
    opened = np.zeros((64, 64), dtype=bool)
    opened[24:40, 16:48] = True
    assert not frame.pixels[~opened].any()
    assert frame.pixels[opened].all()
    attributes = frame.attributes
    # PS3.3 C.7.6.11: columns and rows count from 1; the edges are the first ones covered.
    assert (attributes.ShutterLeftVerticalEdge, attributes.ShutterRightVerticalEdge) == (16, 49)
    assert (attributes.ShutterUpperHorizontalEdge, attributes.ShutterLowerHorizontalEdge) == (24, 41)


def test_dose_follows_mas_and_field() -> None:
    single, double = (event_of(expose(replace(SHOT, tube_current_ma=ma))[0][0]) for ma in (100.0, 200.0))
    assert double["DoseRP"] == pytest.approx(2 * single["DoseRP"])
    small = event_of(expose(replace(SHOT, geometry=replace(SHOT.geometry, field_width_mm=180.0)))[0][0])
    assert small["DoseAreaProduct"] == pytest.approx(event_of(expose(SHOT)[0][0])["DoseAreaProduct"] / 2)


def test_geometry_and_technique_in_other_units() -> None:
    assert XRayGeometry(field_width_mm=200.0, field_height_mm=100.0).field_area_m2 == pytest.approx(0.02)
    assert XRayTechnique(80, 300.0, 50.0, 50.0, 1).exposure_mas == pytest.approx(15.0)


def test_more_mas_is_less_noise() -> None:
    def roughness(tube_current_ma: float) -> float:
        faint = replace(SHOT, tube_current_ma=tube_current_ma, matrix=256, pulse_width_ms=1.0)
        one, other = (expose(faint, seed=seed)[0][1][0].pixels.astype(float) for seed in (1, 2))
        return float((one - other)[80:176, 80:176].std())

    # Poisson: a hundred times the photons, a tenth of the noise.
    assert roughness(1.0) == pytest.approx(10 * roughness(100.0), rel=0.3)


def test_kind_of_image_decides_modality_and_sop_class() -> None:
    results = expose(*(replace(SHOT, kind=kind) for kind in ImageKind))
    assert [series.modality for series, _ in results] == ["RF", "XA", "CR"]
    assert len({series.sop_class_uid for series, _ in results}) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"matrix": 8}, {"tube_current_ma": 0.0}, {"pulse_rate": -1.0}, {"geometry": XRayGeometry(field_width_mm=500.0)}],
)
def test_impossible_exposures_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        replace(SHOT, **wrong)  # type: ignore[arg-type]
