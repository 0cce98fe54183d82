"""The digital head: each tissue where the table puts it."""

from __future__ import annotations

import numpy as np

from openmodality.acquisition import mr_phantom
from openmodality.acquisition.geometry import Plane


def test_the_lesion_is_where_the_table_puts_it() -> None:
    plane = Plane.make_square((33.0, 30.0, 30.0), "axial", field_of_view_mm=64.0, matrix=65)
    labels = mr_phantom.tissue_map(plane)
    assert mr_phantom.NAMES[labels[32, 24]] == "lesion"
    assert mr_phantom.NAMES[labels[32, 33]] == "fluid"


def test_each_tissue_has_its_relaxation_times() -> None:
    tissues = mr_phantom.relaxation()
    assert len(tissues.t1_ms) == len(mr_phantom.NAMES)
    assert np.all(tissues.t2_star_ms <= tissues.t2_ms)
    assert np.all(tissues.t2_ms <= tissues.t1_ms)
