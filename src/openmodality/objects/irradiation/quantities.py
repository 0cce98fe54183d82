"""The quantities and terms of an irradiation event, and the keywords that state them.

A quantity is called as PS3.16 calls its concept, without blanks, and kept in the unit of TID 10003. Attributes of PS3.6
that mean the same may state it too, in the unit that PS3.6 gives them: ``DoseAreaProduct`` is in Gy.m2 and
``ImageAndFluoroscopyAreaDoseProduct`` in dGy.cm2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from pydicom.datadict import tag_for_keyword

from openmodality.value_class import dataclass

Range: TypeAlias = Literal["above 0", "not below 0", "any number", "-360 to 360"]


_MOST: Final[Mapping[str, float]] = MappingProxyType(
    {
        "kV": 1e3, "mA": 1e5, "ms": 1e8, "s": 1e5, "mAs": 1e6, "Gy.m2": 1e3, "Gy": 1e3, "mGy": 1e6, "mm": 1e5,
        "m2": 1e2, "1": 1e6, "{pulse}/s": 1e6, "deg": 360.0,
    }
)  # fmt: skip
"""What no device reaches, by unit: a number beyond it is in another unit, or a slip."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit. ``also`` are other keywords that state it, each with the factor to the unit."""

    name: str
    unit: str
    allowed: Range = "above 0"
    also: Mapping[str, float] = field(default_factory=dict)
    is_whole: bool = False

    @property
    def most(self) -> float:
        """The largest value, either way, in its unit."""
        return _MOST[self.unit]

    def allows(self, value: float) -> bool:
        """Whether the quantity can have this value."""
        if self.allowed == "any number":
            return True
        if self.allowed == "-360 to 360":
            return -360 <= value <= 360
        return value > 0 if self.allowed == "above 0" else value >= 0


@dataclass(frozen=True, slots=True)
class Term:
    """A word out of a list; ``also`` are other keywords that state it, with their words and what these mean."""

    name: str
    words: tuple[str, ...]
    also: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _angle(name: str) -> Quantity:
    return Quantity(name, "deg", "-360 to 360")


def _place(name: str) -> Quantity:
    return Quantity(name, "mm", "any number")


QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("KVP", "kV"),
    Quantity("XRayTubeCurrent", "mA", also={"XRayTubeCurrentInmA": 1.0, "XRayTubeCurrentInuA": 1e-3}),
    Quantity("ExposureTime", "ms", also={"ExposureTimeInms": 1.0, "ExposureTimeInuS": 1e-3}),
    # As an attribute, (0018,1152) Exposure is in mAs; the content item has uA.s.
    Quantity("Exposure", "mAs", also={"ExposureInmAs": 1.0, "ExposureInuAs": 1e-3}),
    Quantity("PulseWidth", "ms", also={"AveragePulseWidth": 1.0}),
    Quantity("NumberOfPulses", "1", is_whole=True),
    Quantity("PulseRate", "{pulse}/s"),
    Quantity("IrradiationDuration", "s"),
    Quantity("DoseAreaProduct", "Gy.m2", "not below 0", {"ImageAndFluoroscopyAreaDoseProduct": 1e-5}),
    Quantity("DoseRP", "Gy", "not below 0"),
    Quantity("EntranceDoseInmGy", "mGy", "not below 0", {"EntranceDose": 100.0}),
    Quantity("FocalSpotSize", "mm", also={"FocalSpots": 1.0}),
    Quantity("CollimatedFieldArea", "m2"),
    Quantity("CollimatedFieldHeight", "mm"),
    Quantity("CollimatedFieldWidth", "mm"),
    Quantity("DistanceSourceToDetector", "mm"),
    Quantity("DistanceSourceToIsocenter", "mm"),
    Quantity("DistanceSourceToReferencePoint", "mm"),
    Quantity("DistanceSourceToEntrance", "mm"),
    Quantity("DistanceSourceToPatient", "mm"),
    Quantity("PatientEquivalentThickness", "mm", also={"BodyPartThickness": 1.0}),
    _angle("PositionerPrimaryAngle"),
    _angle("PositionerSecondaryAngle"),
    _angle("PositionerPrimaryEndAngle"),
    _angle("PositionerSecondaryEndAngle"),
    _angle("ColumnAngulation"),
    _place("TableLongitudinalPosition"),
    _place("TableLateralPosition"),
    _place("TableHeightPosition"),
    _place("TableLongitudinalEndPosition"),
    _place("TableLateralEndPosition"),
    _place("TableHeightEndPosition"),
    _angle("TableHeadTiltAngle"),
    _angle("TableHorizontalRotationAngle"),
    _angle("TableCradleTiltAngle"),
    Quantity("NumberOfFrames", "1", "not below 0", is_whole=True),
)

FLUOROSCOPY: Final = "Fluoroscopy"
STATIONARY_ACQUISITION: Final = "Stationary Acquisition"
STEPPING_ACQUISITION: Final = "Stepping Acquisition"
ROTATIONAL_ACQUISITION: Final = "Rotational Acquisition"

SIDES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "R": "Right", "L": "Left", "B": "Bilateral", "U": "Unilateral",
        "Right": "Right", "Left": "Left", "Bilateral": "Bilateral", "Unilateral": "Unilateral",
    }
)  # fmt: skip
"""(0020,0060) Laterality, (0020,0062) Image Laterality, and the terms of CID 244."""

SOME_GRID: Final = "Grid"
"""A grid of no known kind: (0018,1166) Grid IN of XA and RF Images, for which CID 10017 has no code."""

TERMS: Final[tuple[Term, ...]] = (
    Term(
        "IrradiationEventType",
        (FLUOROSCOPY, STATIONARY_ACQUISITION, STEPPING_ACQUISITION, ROTATIONAL_ACQUISITION),
        {
            "RadiationSetting": {"SC": FLUOROSCOPY, "GR": STATIONARY_ACQUISITION},
            "FluoroscopyFlag": {"YES": FLUOROSCOPY, "NO": STATIONARY_ACQUISITION},
        },
    ),
    Term(
        "FluoroMode",
        ("Continuous", "Pulsed"),
        {"RadiationMode": {"CONTINUOUS": "Continuous", "PULSED": "Pulsed"}},
    ),
    Term(
        "AnodeTargetMaterial",
        ("Tungsten", "Molybdenum", "Rhodium"),
    ),
    Term(
        "XRayGrid",
        (
            "No grid", "Fixed grid", "Focused grid", "Reciprocating grid", "Parallel grid", "Crossed grid",
            "Virtual grid",
        ),
        {
            "Grid": {
                "NONE": "No grid", "FIXED": "Fixed grid", "FOCUSED": "Focused grid",
                "RECIPROCATING": "Reciprocating grid", "PARALLEL": "Parallel grid", "CROSSED": "Crossed grid",
                "IN": SOME_GRID,
            }
        },
    ),
    Term(
        "Laterality",
        ("Right", "Left", "Bilateral", "Unilateral"),
        {"Laterality": SIDES, "ImageLaterality": SIDES},
    ),
    Term("PatientTableRelationship", ("headfirst", "feet-first")),
    Term("PatientOrientation", ("recumbent", "semi-erect", "erect")),
    Term(
        "PatientOrientationModifier",
        (
            "supine", "prone", "left lateral decubitus", "right lateral decubitus", "standing", "sitting",
            "lateral decubitus", "Trendelenburg", "inverse Trendelenburg",
        ),
    ),
)  # fmt: skip

FILTER_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "STRIP": "Strip filter", "WEDGE": "Wedge filter", "BUTTERFLY": "Butterfly filter", "FLAT": "Flat filter",
        "NONE": "No filter",
    }
)  # fmt: skip
"""(0018,1160) Filter Type and the terms of CID 10007."""

FILTER_MATERIALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ALUMINUM": "Aluminum", "COPPER": "Copper", "LEAD": "Lead", "MOLYBDENUM": "Molybdenum", "RHODIUM": "Rhodium",
        "SILVER": "Silver", "NIOBIUM": "Niobium", "EUROPIUM": "Europium", "TANTALUM": "Tantalum", "TIN": "Tin",
    }
)  # fmt: skip
"""(0018,7050) Filter Material and the terms of CID 10006."""

PATIENT_POSITIONS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        f"{first}{second}": (relationship, "recumbent", modifier)
        for first, relationship in (("HF", "headfirst"), ("FF", "feet-first"))
        for second, modifier in (
            ("S", "supine"),
            ("P", "prone"),
            ("DR", "right lateral decubitus"),
            ("DL", "left lateral decubitus"),
        )
    }
)
"""(0018,5100) Patient Position: table relationship, orientation and its modifier."""

TEXTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "AcquisitionProtocol": ("AcquisitionProtocol", "ProtocolName"),
        "BodyPartExamined": ("BodyPartExamined",),
        "Comment": ("Comment", "CommentsOnRadiationDose"),
    }
)
"""Texts, and the keywords that state them."""


def describe_keyword(keyword: str) -> str:
    """How an error names a keyword: with its tag, where PS3.6 has it."""
    tag = tag_for_keyword(keyword)
    return keyword if tag is None else f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}"
