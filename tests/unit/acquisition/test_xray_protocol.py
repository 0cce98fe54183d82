"""Protocols of the simulated R/F system."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.acquisition.xray_protocol import OTHERS, UPPER_GI, Position, XRayProtocol
from openmodality.acquisition.xray_technique import XRayGeometry
from openmodality.errors import UsageError

RUN, SHOT = UPPER_GI[1], UPPER_GI[2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"matrix": 8}, {"tube_current_ma": 0.0}, {"frame_rate": -1.0}, {"geometry": XRayGeometry(field_width_mm=500.0)},
        {"frame_rate": 30.0, "pulse_width_ms": 50.0}, {"position": Position(primary_angle_deg=80.0)},
    ],
)  # fmt: skip
def test_impossible_exposures_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        replace(SHOT, **wrong)  # type: ignore[arg-type]


def test_pulses_and_continuous_radiation() -> None:
    pulsed = replace(RUN, frame_rate=5.0, duration_s=1.0)
    assert (pulsed.number_of_frames, pulsed.run_s) == (5, 1.0)
    assert (pulsed.technique.exposure_time_ms, pulsed.technique.pulse_rate) == (5 * RUN.pulse_width_ms, 5.0)
    continuous = replace(pulsed, is_continuous=True)
    assert (continuous.technique.exposure_time_ms, continuous.technique.pulse_rate) == (1000.0, 0.0)


def test_the_table_moves_the_patient() -> None:
    """To the head and to the left: the central ray then meets what lies further to the feet and to the right."""
    moved = replace(SHOT, position=Position(table_longitudinal_mm=100.0, table_lateral_mm=20.0, travel_mm=50.0))
    x, y = SHOT.beam.centre
    assert moved.beam.centre == (x - 20.0, y + 100.0)
    assert moved.find_beam(1.0).centre == (x - 20.0, y + 150.0)
    assert moved.position.describe()["TableLongitudinalEndPosition"] == 150.0


def test_names_are_unique() -> None:
    protocols: tuple[XRayProtocol, ...] = (*UPPER_GI, *OTHERS)
    assert len({protocol.name for protocol in protocols}) == len(protocols)
