"""The result of a reader: a volume, its attributes, and the patient whom the file names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Final

from openmodality.acquisition.stack import count_images
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.value_class import dataclass

IDENTITY_KEYWORDS: Final[tuple[str, ...]] = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber")
"""What a file may say of whom it shows, and is compared with the exam."""
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class FoundSeries:
    """The pixels of one series; ``where`` names the file in errors.

    ``object_name`` is empty where nothing names one; ``identity`` is the patient whom the file names, by keyword;
    ``notices`` are texts for the operator. ``exposure`` is the exposure that made all the images, as a companion states
    it; ``detector`` is the name of the detector whose maps are to be applied, or False for none.
    """

    where: str
    volume: Volume
    description: str = ""
    object_name: str = ""
    modality: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    exposure: IrradiationEvent | None = None
    detector: str | bool = ""

    @property
    def positions(self) -> int:
        """How many volumes there are along the fourth axis. Raises :class:`ObjectInvalid` as :attr:`images` does."""
        return self._count()[0]

    @property
    def images(self) -> int:
        """How many images are made of it.

        Raises :class:`ObjectInvalid` where what is said of its axes does not fit them.
        """
        positions, slices = self._count()
        return positions * slices

    def _count(self) -> tuple[int, int]:
        try:
            return count_images(self.volume)
        except ObjectInvalid as error:
            raise ObjectInvalid(f"{self.where}: {error.message}", advice=error.advice) from error

    def say(self, keywords: Mapping[str, object]) -> FoundSeries:
        """A copy with further DICOM keywords; a keyword that is there already gets the new value."""
        volume = replace(self.volume, keywords={**self.volume.keywords, **keywords})
        description = keywords.get("SeriesDescription", self.description)
        return replace(self, volume=volume, description=str(description))

    def leave_out(self, unused: Mapping[str, str]) -> FoundSeries:
        """A copy that also names what is not used, each with the reason."""
        return replace(self, volume=replace(self.volume, unused={**self.volume.unused, **unused}))

    def arrange(self, **changes: Any) -> FoundSeries:
        """A copy with other options of the volume."""
        return replace(self, volume=replace(self.volume, **changes))
