"""Many bodies at once throw the shadows that each of them throws alone."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition import xray_bodies
from openmodality.acquisition.xray_bodies import Bodies, keep_longest
from openmodality.acquisition.xray_shapes import Beam, Body, make_tube

BEAM = Beam(1000.0, 800.0, 2.0, 64, (4.0, -3.0), primary_angle_deg=20.0, secondary_angle_deg=-10.0)
BODIES = (
    Body((0, 0, 0), (20, 10, 30)),
    Body((10, 5, 4), (8, 12, 6), turn_deg=30.0),
    Body((5, -9, 10), (15, 20, 10), is_capped=True, waist=0.2),
    Body((-60, 60, 0), (30, 30, 30)),  # across the edge of the detector
    Body((900, 0, 0), (10, 10, 10)),  # beside it
    *make_tube([(-40, -40, 0), (-20, -10, 20), (10, 30, 5)], [4.0, 5.0, 3.0], 0.7),
)


@pytest.mark.parametrize(("large", "at_once"), [(4096, 65_536), (4096, 60), (90, 65_536)])
def test_together_as_one_by_one(monkeypatch: pytest.MonkeyPatch, large: int, at_once: int) -> None:
    """However the bodies are parted: all in one go, in several, and large ones alone."""
    monkeypatch.setattr(xray_bodies, "_LARGE", large)
    monkeypatch.setattr(xray_bodies, "_AT_ONCE", at_once)
    out, alone = (np.full((64, 64), 2.5, dtype=np.float32) for _ in range(2))
    windows = [BEAM.path_length(body, alone, at_most_once=True) for body in BODIES]
    changed = keep_longest(BEAM, Bodies.make(BODIES), out)
    assert np.allclose(out, alone, rtol=1e-5)
    seen = [window for window in windows if window is not None]
    assert len(seen) == len(BODIES) - 1
    rows, columns = zip(*seen, strict=True)
    assert changed == tuple(
        slice(min(each.start for each in some), max(each.stop for each in some)) for some in (rows, columns)
    )


@pytest.mark.parametrize("bodies", [(), (Body((900, 0, 0), (10, 10, 10)),)])
def test_where_there_is_no_shadow_nothing_changes(bodies: tuple[Body, ...]) -> None:
    out = np.zeros((64, 64), dtype=np.float32)
    assert keep_longest(BEAM, Bodies.make(bodies), out) is None
    assert not out.any()


@pytest.mark.parametrize("large", [4096, 90])
def test_each_group_has_its_layer(monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(xray_bodies, "_LARGE", large)
    groups = (BODIES[:2], (), BODIES[2:])
    layers = np.zeros((3, 64, 64), dtype=np.float32)
    keep_longest(BEAM, Bodies.make_layers(groups), layers)
    for group, layer in zip(groups, layers, strict=True):
        alone = np.zeros((64, 64), dtype=np.float32)
        keep_longest(BEAM, Bodies.make(group), alone)
        assert np.array_equal(layer, alone)
        assert layer.any() == bool(group)
