"""Automatic control: the detector gets the dose that it needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.acquisition import xray_exposure_control
from openmodality.acquisition.xray_phantom import anatomy
from openmodality.acquisition.xray_protocol import OTHERS, UPPER_GI, XRayProtocol
from openmodality.acquisition.xray_technique import XRayGeometry

FLUORO, SHOT = replace(UPPER_GI[1], matrix=64), replace(UPPER_GI[2], matrix=64)


def regulate(protocol: XRayProtocol) -> XRayProtocol:
    return xray_exposure_control.regulate(protocol, anatomy(protocol.beam))


CHEST, BELLY = (0.0, -60.0), (0.0, 140.0)


def test_without_it_nothing_changes() -> None:
    by_hand = replace(SHOT, is_automatic=False)
    assert regulate(by_hand) is by_hand
    once = regulate(SHOT)
    assert regulate(once) is once


def test_fluoroscopy_takes_more_where_more_lies_in_the_beam() -> None:
    chest, belly = (regulate(replace(FLUORO, centre=centre)) for centre in (CHEST, BELLY))
    assert (belly.kvp, belly.kvp * belly.tube_current_ma) > (chest.kvp, chest.kvp * chest.tube_current_ma)
    assert belly.tube_current_ma <= FLUORO.tube_current_ma
    assert belly.pulse_width_ms == FLUORO.pulse_width_ms


def test_of_an_exposure_the_time_is_set() -> None:
    chest, belly = (regulate(replace(SHOT, centre=centre)) for centre in (CHEST, BELLY))
    assert belly.pulse_width_ms > 1.5 * chest.pulse_width_ms
    assert {(each.kvp, each.tube_current_ma) for each in (chest, belly)} == {(SHOT.kvp, SHOT.tube_current_ma)}
    # Twice the current, half the time.
    double = regulate(replace(SHOT, centre=BELLY, tube_current_ma=2 * SHOT.tube_current_ma))
    assert double.pulse_width_ms == pytest.approx(belly.pulse_width_ms / 2, rel=0.02)


def test_distance_costs_time() -> None:
    far = replace(SHOT, geometry=XRayGeometry(1500.0, 1200.0, 1100.0))
    assert regulate(far).pulse_width_ms > 1.3 * regulate(SHOT).pulse_width_ms


@pytest.mark.parametrize("protocol", [*UPPER_GI, *OTHERS], ids=lambda each: each.name)
def test_what_can_be_asked_for_can_be_done(protocol: XRayProtocol) -> None:
    done = regulate(replace(protocol, matrix=64))
    assert 40 <= done.kvp <= 150
    assert done.pulse_width_ms < (1000.0 / done.frame_rate if done.frame_rate else 1000.0)
