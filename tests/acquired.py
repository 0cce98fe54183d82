"""What a source hands over, frame by frame, whether it comes as frames or as a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from openmodality.acquisition.files import FileSource
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.stack import make_stack


def list_frames(series: AcquiredSeries) -> list[AcquiredFrame]:
    """The frames of a series in the order of their Instance Numbers, with all that is said of each."""
    if series.volume is None:
        return list(series.frames)
    stack = make_stack(series.volume)
    frames: dict[int, AcquiredFrame] = {}
    for number, pixels in stack.frames:
        attributes = Dataset()
        attributes.update(stack.shared)
        attributes.update(stack.own[number - 1])
        frames[number] = AcquiredFrame(np.asarray(pixels), attributes)
    return [frames[number] for number in sorted(frames)]


def read_frames(path: Path, **options: Any) -> tuple[list[AcquiredFrame], AcquiredSeries]:
    """The frames of the one series of a file, and the series."""
    (series,) = FileSource([path], **options).series()
    return list_frames(series), series
