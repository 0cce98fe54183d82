"""What a dose report tells, and the units in which it tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pydicom.dataset import Dataset

from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import Code, dcm
from openmodality.objects.report.irradiation import DGY_CM2_PER_GY_M2, MGY_PER_GY, IrradiationEvent

DoseUnitsName: TypeAlias = Literal["standard", "statement"]

_REFERENCE_POINT: Final = dcm("113780", "Reference Point Definition")
_ACQUISITION_PLANE: Final = dcm("113764", "Acquisition Plane")
_SINGLE_PLANE: Final = dcm("113622", "Single Plane")


@dataclass(frozen=True, slots=True)
class DoseUnits:
    """Units of dose: those that TID 10002 and 10003 fix, or those of the R/F statement."""

    area_product: Code
    area_product_per_gy_m2: float
    kerma: Code
    kerma_per_gy: float

    def make_area_product(self, concept: Code, gy_m2: float) -> Dataset:
        """A NUM of a dose area product."""
        return sr.make_num(concept, gy_m2 * self.area_product_per_gy_m2, self.area_product)

    def make_kerma(self, concept: Code, gy: float) -> Dataset:
        """A NUM of a dose at the reference point."""
        return sr.make_num(concept, gy * self.kerma_per_gy, self.kerma)


_UNITS: Final[Mapping[DoseUnitsName, DoseUnits]] = {
    "standard": DoseUnits(sr.ucum("Gy.m2"), 1.0, sr.ucum("Gy"), 1.0),
    "statement": DoseUnits(sr.ucum("dGy.cm2"), DGY_CM2_PER_GY_M2, sr.ucum("mGy"), MGY_PER_GY),
}


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image that an irradiation event made."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True)
class DoseContent:
    """What a report tells. ``images`` are those of each irradiation event, by Irradiation Event UID."""

    events: Sequence[IrradiationEvent]
    complete: bool
    device_observer_uid: str
    images: Mapping[str, Sequence[ImageReference]] = field(default_factory=dict)
    units: DoseUnitsName = "standard"
    reference_point: str = "48.0 cm Chamber Patient Distance"

    @property
    def dose_units(self) -> DoseUnits:
        """The units of all doses in the report."""
        return _UNITS[self.units]

    def make_reference_point(self) -> Dataset:
        """The TEXT that says where the dose (RP) is measured."""
        return sr.make_text(_REFERENCE_POINT, self.reference_point)


def make_acquisition_plane() -> Dataset:
    """The CODE that says that there is one plane only."""
    return sr.relate(sr.HAS_CONCEPT_MOD, sr.make_code(_ACQUISITION_PLANE, _SINGLE_PLANE))
