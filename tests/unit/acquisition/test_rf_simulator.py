"""Fluoroscopy runs and exposures: pictures, shutters and the dose that belongs to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.xray_physics import IODINE_BLOOD
from openmodality.acquisition.xray_protocol import (
    OTHERS,
    UPPER_GI,
    Contrast,
    ImageKind,
    Position,
    XRayProtocol,
)
from openmodality.acquisition.xray_technique import XRayGeometry, XRayTechnique
from openmodality.objects.irradiation.event import IrradiationEvent

RUN = replace(UPPER_GI[1], matrix=64, frame_rate=5.0, duration_s=0.6)
SHOT = replace(UPPER_GI[2], matrix=64, is_automatic=False)


def expose(*protocols: XRayProtocol, seed: int = 1) -> list[tuple[AcquiredSeries, list[AcquiredFrame]]]:
    return [(series, list(series.frames)) for series in RfSimulator(protocols, seed=seed).series()]


def event_of(series: AcquiredSeries) -> IrradiationEvent:
    assert series.irradiation is not None
    return series.irradiation


def state(protocol: XRayProtocol) -> IrradiationEvent:
    return event_of(next(iter(RfSimulator([protocol]).series())))


def test_a_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (expose(RUN, seed=seed)[0][1] for seed in (1, 1, 2))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].pixels, other[0].pixels)


def test_a_run_is_a_series_of_single_frames_and_one_irradiation_event() -> None:
    ((series, frames),) = expose(RUN)
    assert (series.modality, series.number_of_frames, len(frames)) == ("RF", 3, 3)
    event = event_of(series)
    assert (event.event_type, event.text("FluoroMode")) == ("Fluoroscopy", "Pulsed")
    assert event["NumberOfPulses"] == event.number_of_frames == 3
    assert event["ExposureTime"] == 3 * RUN.pulse_width_ms
    assert event.duration_s == pytest.approx(0.6)


def test_continuous_fluoroscopy_has_no_pulses() -> None:
    event = state(replace(RUN, is_continuous=True))
    assert (event.text("FluoroMode"), event.get("PulseRate"), event.get("NumberOfPulses")) == ("Continuous", None, None)
    assert event["ExposureTime"] == pytest.approx(600.0)


def test_contrast_agent_moves_and_is_dark() -> None:
    ((_, frames),) = expose(replace(RUN, contrast=Contrast(first=0.42, last=0.95)))
    first, last = (frame.pixels[16:48, 16:48].astype(float) for frame in (frames[0], frames[-1]))
    assert (last - first).min() < -400


def test_a_mask_comes_before_the_contrast_agent() -> None:
    """What contrast agent adds is what is left when the mask is taken off; before it came nothing is left."""
    by_hand = replace(next(each for each in OTHERS if each.name == "AORTA DSA"), matrix=64, is_automatic=False)
    ((series, frames),) = expose(replace(by_hand, tube_current_ma=4000.0))
    assert by_hand.contrast == Contrast(IODINE_BLOOD, 0.05, 1.0, mask_frames=2)
    mask, second, last = (frame.pixels.astype(float) for frame in (frames[0], frames[1], frames[-1]))
    assert series.modality == "XA"
    assert np.abs(second - mask).max() < 40
    assert (last - mask).max() > 150


def test_the_field_is_collimated_and_the_shutter_says_where() -> None:
    narrow = replace(SHOT, geometry=XRayGeometry(field_width_mm=200.0, field_height_mm=100.0))
    ((_, (frame,)),) = expose(narrow)
    opened = np.zeros((64, 64), dtype=bool)
    opened[24:40, 16:48] = True
    assert not frame.pixels[~opened].any()
    assert frame.pixels[opened].all()
    attributes = frame.attributes
    # PS3.3 C.7.6.11: columns and rows count from 1; the edges are the first ones covered.
    assert (attributes.ShutterLeftVerticalEdge, attributes.ShutterRightVerticalEdge) == (16, 49)
    assert (attributes.ShutterUpperHorizontalEdge, attributes.ShutterLowerHorizontalEdge) == (24, 41)


def test_dose_follows_mas_and_field() -> None:
    single, double = (state(replace(SHOT, tube_current_ma=ma)) for ma in (100.0, 200.0))
    assert double["DoseRP"] == pytest.approx(2 * single["DoseRP"])
    small = state(replace(SHOT, geometry=replace(SHOT.geometry, field_width_mm=180.0)))
    assert small["DoseAreaProduct"] == pytest.approx(state(SHOT)["DoseAreaProduct"] / 2)


def test_dose_is_that_of_the_technique_that_was_regulated() -> None:
    automatic = state(replace(SHOT, is_automatic=True))
    by_hand = state(replace(SHOT, pulse_width_ms=automatic["ExposureTime"]))
    assert automatic["DoseRP"] == by_hand["DoseRP"]


def test_the_event_says_where_tube_and_table_were() -> None:
    turned = Position(primary_angle_deg=-30.0, secondary_angle_deg=10.0, table_longitudinal_mm=12.0, travel_mm=40.0)
    event = state(replace(SHOT, position=turned))
    assert (event["PositionerPrimaryAngle"], event["PositionerSecondaryAngle"]) == (-30.0, 10.0)
    assert (event["TableLongitudinalPosition"], event["TableLongitudinalEndPosition"]) == (12.0, 52.0)
    assert event.text("XRayGrid") == "Reciprocating grid"
    assert state(replace(SHOT, has_grid=False)).text("XRayGrid") == "No grid"


def test_angle_and_table_change_the_picture() -> None:
    plain, turned, moved = (
        expose(replace(SHOT, position=position))[0][1][0].pixels.astype(float)
        for position in (Position(), Position(primary_angle_deg=30.0), Position(table_lateral_mm=12.5))
    )
    assert np.abs(turned - plain).mean() > 60
    # 12.5 mm in the plane of the isocenter are 17.2 mm on the detector: 2.75 pixels to the patient's left
    shifts = {by: float(np.abs(moved[16:48, 20:44] - plain[16:48, 20 - by : 44 - by]).mean()) for by in range(-4, 5)}
    assert min(shifts, key=shifts.__getitem__) == 3


def test_a_table_that_runs_shows_other_parts() -> None:
    stepping = replace(OTHERS[-1], matrix=48, duration_s=1.0, contrast=None)
    ((series, (first, last)),) = expose(stepping)
    assert event_of(series).event_type == "Stepping Acquisition"
    assert np.abs(first.pixels.astype(float) - last.pixels).mean() > 100


def test_geometry_and_technique_in_other_units() -> None:
    assert XRayGeometry(field_width_mm=200.0, field_height_mm=100.0).field_area_m2 == pytest.approx(0.02)
    assert XRayTechnique(80, 300.0, 50.0, 50.0, 1).exposure_mas == pytest.approx(15.0)


def test_more_mas_is_less_noise() -> None:
    def roughness(tube_current_ma: float) -> float:
        faint = replace(SHOT, tube_current_ma=tube_current_ma, matrix=128, pulse_width_ms=10.0)
        one, other = (expose(faint, seed=seed)[0][1][0].pixels.astype(float) for seed in (1, 2))
        return float((one - other)[40:88, 40:88].std())

    # Poisson: a hundred times the photons, a tenth of the noise.
    assert roughness(1.0) == pytest.approx(10 * roughness(100.0), rel=0.3)


def test_kind_of_image_decides_modality_and_sop_class() -> None:
    results = list(RfSimulator([replace(SHOT, kind=kind) for kind in ImageKind]).series())
    assert [series.modality for series in results] == ["RF", "XA", "CR"]
    assert len({series.sop_class_uid for series in results}) == 3
