"""The values that every source of pixels delivers: simulator, file, watched folder or the caller's own program.

A source knows its pixels and how they were acquired. It knows nothing of patient, study or UIDs of instances: those
are added where the object is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from openmodality.acquisition.volume import Volume
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.value_class import dataclass

Pixels = NDArray[np.uint16]
LocalClock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, eq=False)
class AcquiredFrame:
    """One image: ``pixels`` of shape (rows, columns), and the attributes that say how it was acquired and how to show
    it.

    ``attributes`` holds Bits Stored, geometry, technique and window; no patient, no study, no UIDs of instances.
    ``stated`` is what a person or a program gave for it: where its object has no place for that, or another value, the
    keyword is named. ``irradiation`` is the event that made it, where that is not the one of its series; frames of one
    run have the same.
    """

    pixels: Pixels
    attributes: Dataset
    stated: Dataset = field(default_factory=Dataset)
    irradiation: IrradiationEvent | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AcquiredSeries:
    """Frames that belong together. ``frames`` may be computed one by one as it is walked; walk it once.

    ``sop_class_uid`` is what the source takes the images for; ``attributes`` are the same for the whole series, such
    as Body Part Examined. ``irradiation`` is the run or exposure that made all the images, None where no X-ray was used
    or the frames say it themselves. Where there is a ``volume``, the images are its, and ``frames`` is empty.
    ``identities`` are whom the source takes the images to show, by keyword; ``notices`` are texts for the operator,
    ``unused`` names what is not used, with the reason. ``is_whole``: the frames are all there already,
    and all of them become images, or none does.
    """

    description: str
    modality: str
    sop_class_uid: str
    frames: Iterable[AcquiredFrame]
    number_of_frames: int
    attributes: Dataset = field(default_factory=Dataset)
    irradiation: IrradiationEvent | None = None
    volume: Volume | None = None
    identities: tuple[Mapping[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    unused: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False


class Source(Protocol):
    """Where pixels come from."""

    def series(self) -> Iterator[AcquiredSeries]:
        """The series in the order in which they were, or are now, acquired."""
        ...
