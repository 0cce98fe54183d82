"""A volume as it is handed over."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.volume import Volume
from openmodality.errors import UsageError


def test_options_and_keywords_stand_side_by_side() -> None:
    volume = Volume.of(np.zeros((2, 3, 4)), np.eye(4), space="LPS", axes="ijk", EchoTime=12)
    assert (volume.space, volume.axes, volume.keywords) == ("LPS", "ijk", {"EchoTime": 12})
    with pytest.raises(UsageError, match="no option spacing"):
        Volume.of(np.zeros((2, 3, 4)), spacing=3)
