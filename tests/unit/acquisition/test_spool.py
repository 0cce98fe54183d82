"""Frames that come once can be walked twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.spool import SpooledFrames
from openmodality.errors import StoreError


def test_frames_come_again_as_they_were(tmp_path: Path) -> None:
    frames: list[Any] = [np.full((3, 4), 5, np.int16), np.linspace(0, 1, 6).reshape(2, 3)[:, ::-1]]
    spooled = SpooledFrames.of(iter([(2, frames[0]), (1, frames[1])]), tmp_path)
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        numbers, again = zip(*spooled, strict=True)
        assert numbers == (2, 1)
        assert all(
            np.array_equal(each, frame) and each.dtype == frame.dtype for each, frame in zip(again, frames, strict=True)
        )


def test_without_a_place_they_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="frames that come one by one"):
        SpooledFrames.of(iter([]), tmp_path / "missing")
