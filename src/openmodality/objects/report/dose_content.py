"""The content of a dose report as values, and its units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.stating import convert_dose
from openmodality.objects.irradiation.totals import DGY_CM2_PER_GY_M2, MGY_PER_GY
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import dcm
from openmodality.objects.rules.sequence_items import Code, SequenceItem
from openmodality.value_class import dataclass

DoseUnitsName: TypeAlias = Literal["standard", "statement"]

_REFERENCE_POINT: Final = dcm("113780", "Reference Point Definition")
_REFERENCE_POINTS: Final[Mapping[str, Code]] = {
    meaning: dcm(value, meaning)
    for value, meaning in (
        ("113860", "15cm from Isocenter toward Source"),
        ("113861", "30cm in Front of Image Input Surface"),
        ("113862", "1cm above Tabletop"),
        ("113863", "30cm above Tabletop"),
        ("113864", "15cm from Table Centerline"),
        ("113865", "4.2cm above Breast Support Surface"),
        ("113941", "In Detector Plane"),
        ("113964", "At Surface of Patient"),
        ("113965", "100cm from X-Ray Source"),
    )
}
_ACQUISITION_PLANE: Final = dcm("113764", "Acquisition Plane")
_SINGLE_PLANE: Final = dcm("113622", "Single Plane")


@dataclass(frozen=True, slots=True)
class DoseUnits:
    """Units of dose: those that TID 10002 and 10003 fix, or those of the R/F statement."""

    area_product: Code
    area_product_per_gy_m2: float
    kerma: Code
    kerma_per_gy: float

    def make_area_product(self, concept: Code, gy_m2: float | None) -> SequenceItem:
        """A NUM of a dose area product."""
        return sr.make_num(concept, convert_dose(gy_m2, self.area_product_per_gy_m2), self.area_product)

    def make_kerma(self, concept: Code, gy: float | None) -> SequenceItem:
        """A NUM of a dose at the reference point."""
        return sr.make_num(concept, convert_dose(gy, self.kerma_per_gy), self.kerma)


_UNITS: Final[Mapping[DoseUnitsName, DoseUnits]] = {
    "standard": DoseUnits(sr.ucum("Gy.m2"), 1.0, sr.ucum("Gy"), 1.0),
    "statement": DoseUnits(sr.ucum("dGy.cm2"), DGY_CM2_PER_GY_M2, sr.ucum("mGy"), MGY_PER_GY),
}


@dataclass(frozen=True, slots=True)
class DoseCalibration:
    """How the dosimeter was calibrated (TID 10002): when, by whom, by which protocol, and how good it is."""

    moment: datetime
    responsible_party: str
    factor: float = 1.0
    uncertainty_percent: float = 0.0
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class ReferencePoint:
    """Where the dose (RP) holds: in words, or by a meaning of CID 10025, and how far from the focal spot."""

    definition: str = "48.0 cm Chamber Patient Distance"
    distance_mm: float = 480.0


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image that an irradiation event made."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True)
class DoseContent:
    """What a report tells. ``images`` are those of each irradiation event, by Irradiation Event UID; ``labels`` are the
    Series Numbers of these, by the same.

    ``predecessors`` are the reports of the same step that came before this one.
    """

    events: Sequence[IrradiationEvent]
    complete: bool
    device_observer_uid: str
    images: Mapping[str, Sequence[ImageReference]] = field(default_factory=dict)
    units: DoseUnitsName = "standard"
    reference_point: ReferencePoint = field(default_factory=ReferencePoint)
    calibration: DoseCalibration | None = None
    predecessors: Sequence[ImageReference] = ()
    comment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def dose_units(self) -> DoseUnits:
        """The units of all doses in the report."""
        return _UNITS[self.units]

    def make_reference_point(self) -> SequenceItem:
        """The item that says where the dose (RP) is measured: a CODE of CID 10025, or a TEXT."""
        definition = self.reference_point.definition
        if code := _REFERENCE_POINTS.get(definition):
            return sr.make_code(_REFERENCE_POINT, code)
        return sr.make_text(_REFERENCE_POINT, definition)


def make_acquisition_plane() -> SequenceItem:
    """The CODE that says that there is one plane only."""
    return sr.relate(sr.HAS_CONCEPT_MOD, sr.make_code(_ACQUISITION_PLANE, _SINGLE_PLANE))
