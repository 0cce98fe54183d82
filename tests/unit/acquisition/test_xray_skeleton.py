"""The bones of the digital trunk."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from openmodality.acquisition.xray_shapes import Beam
from openmodality.acquisition.xray_skeleton import find_level, list_bones, project_skeleton


def test_vertebrae_follow_each_other_and_those_of_the_loins_are_higher() -> None:
    steps = [lower - upper for upper, lower in pairwise(map(find_level, range(-11, 6)))]
    assert all(20.0 < step < 36.0 for step in steps)
    assert steps[-1] > steps[0]


def test_each_bone_has_a_shell() -> None:
    bones = list_bones()
    assert len(bones) == 1 + 2 * 17 + 2 * 2 + 2 * 12
    for bone in bones:
        assert len(bone.bodies) == len(bone.marrow)
        assert any(marrow is not None for marrow in bone.marrow)


def test_the_shell_is_seen_at_the_edge_of_a_bone() -> None:
    """A ray through the edge of the shaft of a femur meets compact bone, in the middle of its head mostly marrow."""
    beam = Beam(1e5, 9.8e4, 0.5, 400, (91.0, 400.0))
    skeleton = project_skeleton(beam)
    shaft = skeleton.compact[300, 220:320]  # some 50 mm below the middle
    edges = np.flatnonzero(shaft > 0.6 * shaft.max())
    assert 40 < edges[-1] - edges[0] < 70
    assert shaft[edges[0] : edges[-1]].min() < shaft.max() / 2
    head = round(200 + (346.0 - 400.0) * 1e5 / 9.8e4 / 0.5)
    assert skeleton.spongy[head, 200] > 5 * skeleton.compact[head, 200]
