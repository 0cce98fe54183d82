"""The digital trunk: what a radiographer looks for in it is where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition import xray_phantom
from openmodality.acquisition.xray_phantom import TissueLayers
from openmodality.acquisition.xray_physics import (
    BARIUM_SUSPENSION,
    CORTICAL_BONE,
    FAT,
    IODINE_BLOOD,
    LUNG,
    SOFT_TISSUE,
    SPONGIOUS_BONE,
    Material,
)
from openmodality.acquisition.xray_shapes import Beam, Lengths

WHOLE = Beam(5000.0, 4500.0, 7.0, 96, (0.0, 100.0))
"""All of the trunk, with rays that run nearly parallel: a pixel is 6.3 mm."""


@pytest.fixture(scope="module")
def layers() -> TissueLayers:
    return xray_phantom.anatomy(WHOLE)


def at(layer: Lengths, x: float, y: float) -> float:
    pixel_mm = WHOLE.pixel_mm / WHOLE.magnification
    column, row = (round((value - centre) / pixel_mm + 47.5) for value, centre in ((x, 0.0), (y, 100.0)))
    return float(layer[row, column])


def test_nothing_is_less_than_nothing(layers: TissueLayers) -> None:
    assert all(layer.dtype == np.float32 and layer.min() >= 0.0 for layer in layers.values())


def test_the_trunk_is_as_thick_as_a_patient(layers: TissueLayers) -> None:
    depth = sum(at(layer, 60.0, 140.0) for layer in layers.values())
    assert 170 < depth < 220
    assert sum(at(layer, 250.0, 140.0) for layer in layers.values()) == 0.0
    assert at(layers[FAT], 160.0, 140.0) > at(layers[FAT], 100.0, 140.0)


def test_bones_lie_where_they_belong(layers: TissueLayers) -> None:
    bone = layers[SPONGIOUS_BONE] + layers[CORTICAL_BONE]
    assert at(bone, 0.0, 136.0) > 25.0  # the second lumbar vertebra
    assert at(bone, 91.0, 346.0) > 30.0  # the head of the femur
    assert at(bone, 0.0, 290.0) > 15.0  # the sacrum
    assert at(bone, 44.0, 383.0) < at(bone, 40.0, 358.0) / 3  # the foramen below the branch of the pubis
    assert at(bone, 60.0, 190.0) < 2.0  # between ribs and pelvis
    assert np.allclose(bone.sum(axis=1), bone[:, ::-1].sum(axis=1))


def test_lungs_end_at_the_diaphragm(layers: TissueLayers) -> None:
    lung = layers[LUNG]
    assert at(lung, 80.0, -100.0) > 100.0
    assert at(lung, 80.0, 150.0) == 0.0
    assert at(lung, 0.0, -60.0) < 20.0  # the mediastinum


def test_gas_takes_the_place_of_tissue(layers: TissueLayers) -> None:
    """In the splenic flexure: less of it than a little further in."""
    assert at(layers[SOFT_TISSUE], 100.0, 70.0) < at(layers[SOFT_TISSUE], 60.0, 70.0) - 10.0


def test_barium_goes_down_and_fills_the_stomach() -> None:
    early, late = (xray_phantom.barium(WHOLE, progress) for progress in (0.2, 0.9))
    assert at(early, 7.0, -150.0) > 5.0
    assert at(early, 64.0, 82.0) == 0.0
    assert at(late, 64.0, 82.0) > 15.0
    assert at(late, 7.0, -150.0) == 0.0  # the gullet has closed again


def test_waves_run_along_the_stomach() -> None:
    one, other = (xray_phantom.barium(WHOLE, 0.9, phase) for phase in (0.0, 2.0))
    assert np.abs(one - other).max() > 2.0


def test_iodine_comes_to_the_branches_after_the_aorta() -> None:
    early, late = (xray_phantom.iodine(WHOLE, progress) for progress in (0.3, 1.0))
    assert at(early, 4.0, 0.0) > 10.0
    assert at(early, 62.0, 310.0) == 0.0
    assert at(late, 62.0, 310.0) > 5.0  # the left iliac artery


@pytest.mark.parametrize("agent", [BARIUM_SUSPENSION, IODINE_BLOOD])
def test_contrast_agent_takes_the_place_of_tissue(layers: TissueLayers, agent: Material) -> None:
    layer = np.full_like(layers[SOFT_TISSUE], 5.0)
    mixed = xray_phantom.with_contrast(layers, agent, layer)
    assert at(mixed[SOFT_TISSUE], 60.0, 140.0) == pytest.approx(at(layers[SOFT_TISSUE], 60.0, 140.0) - 5.0)
    assert mixed[agent] is layer
