"""Codes of what a dose report says: the concepts of PS3.16 and the context groups of its values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from openmodality.objects.irradiation.quantities import (
    FLUOROSCOPY,
    ROTATIONAL_ACQUISITION,
    STATIONARY_ACQUISITION,
    STEPPING_ACQUISITION,
)
from openmodality.objects.report.content_items import dcm, ucum
from openmodality.objects.rules.sequence_items import Code

SCT: Final = "SCT"

UNITS: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "1": ucum("1", "no units"),
        "%": ucum("%", "Percent"),
        "{pulse}/s": ucum("{pulse}/s", "pulse/s"),
        **{unit: ucum(unit) for unit in ("mm", "m2", "ms", "s", "kV", "mA", "uA.s", "deg")},
    }
)
"""Units of measurement with their meanings in the templates."""

NUMBERS: Final[Mapping[str, tuple[Code, Code, float]]] = MappingProxyType(
    {
        name: (dcm(value, meaning), UNITS[unit], factor)
        for name, value, meaning, unit, factor in (
            ("KVP", "113733", "KVP", "kV", 1.0),
            ("XRayTubeCurrent", "113734", "X-Ray Tube Current", "mA", 1.0),
            ("ExposureTime", "113824", "Exposure Time", "ms", 1.0),
            ("Exposure", "113736", "Exposure", "uA.s", 1000.0),
            ("PulseWidth", "113793", "Pulse Width", "ms", 1.0),
            ("NumberOfPulses", "113768", "Number of Pulses", "1", 1.0),
            ("PulseRate", "113791", "Pulse Rate", "{pulse}/s", 1.0),
            ("IrradiationDuration", "113742", "Irradiation Duration", "s", 1.0),
            ("FocalSpotSize", "113766", "Focal Spot Size", "mm", 1.0),
            ("CollimatedFieldArea", "113790", "Collimated Field Area", "m2", 1.0),
            ("CollimatedFieldHeight", "113788", "Collimated Field Height", "mm", 1.0),
            ("CollimatedFieldWidth", "113789", "Collimated Field Width", "mm", 1.0),
            ("DistanceSourceToDetector", "113750", "Distance Source to Detector", "mm", 1.0),
            ("DistanceSourceToIsocenter", "113748", "Distance Source to Isocenter", "mm", 1.0),
            ("DistanceSourceToReferencePoint", "113737", "Distance Source to Reference Point", "mm", 1.0),
            ("PatientEquivalentThickness", "111638", "Patient Equivalent Thickness", "mm", 1.0),
            ("PositionerPrimaryAngle", "112011", "Positioner Primary Angle", "deg", 1.0),
            ("PositionerSecondaryAngle", "112012", "Positioner Secondary Angle", "deg", 1.0),
            ("PositionerPrimaryEndAngle", "113739", "Positioner Primary End Angle", "deg", 1.0),
            ("PositionerSecondaryEndAngle", "113740", "Positioner Secondary End Angle", "deg", 1.0),
            ("ColumnAngulation", "113770", "Column Angulation", "deg", 1.0),
            ("TableLongitudinalPosition", "113751", "Table Longitudinal Position", "mm", 1.0),
            ("TableLateralPosition", "113752", "Table Lateral Position", "mm", 1.0),
            ("TableHeightPosition", "113753", "Table Height Position", "mm", 1.0),
            ("TableLongitudinalEndPosition", "113759", "Table Longitudinal End Position", "mm", 1.0),
            ("TableLateralEndPosition", "113760", "Table Lateral End Position", "mm", 1.0),
            ("TableHeightEndPosition", "113761", "Table Height End Position", "mm", 1.0),
            ("TableHeadTiltAngle", "113754", "Table Head Tilt Angle", "deg", 1.0),
            ("TableHorizontalRotationAngle", "113755", "Table Horizontal Rotation Angle", "deg", 1.0),
            ("TableCradleTiltAngle", "113756", "Table Cradle Tilt Angle", "deg", 1.0),
        )
    }
)
"""Quantities of an event by name: concept, unit, and the factor to that unit."""

TERM_CONCEPTS: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "IrradiationEventType": dcm("113721", "Irradiation Event Type"),
        "FluoroMode": dcm("113732", "Fluoro Mode"),
        "AnodeTargetMaterial": dcm("111632", "Anode Target Material"),
        "XRayGrid": dcm("111635", "X-Ray Grid"),
        "Laterality": Code("272741003", SCT, "Laterality"),
        "PatientTableRelationship": dcm("113745", "Patient Table Relationship"),
        "PatientOrientation": dcm("113743", "Patient Orientation"),
        "PatientOrientationModifier": dcm("113744", "Patient Orientation Modifier"),
    }
)

_MEANINGS: Final = (
    Code("44491008", SCT, FLUOROSCOPY),
    dcm("113611", STATIONARY_ACQUISITION),
    dcm("113612", STEPPING_ACQUISITION),
    dcm("113613", ROTATIONAL_ACQUISITION),
    dcm("113630", "Continuous"),
    dcm("113631", "Pulsed"),
    Code("26194003", SCT, "Tungsten"),
    Code("71128006", SCT, "Molybdenum"),
    Code("59801003", SCT, "Rhodium"),
    dcm("111646", "No grid"),
    dcm("111641", "Fixed grid"),
    dcm("111642", "Focused grid"),
    dcm("111643", "Reciprocating grid"),
    dcm("111644", "Parallel grid"),
    dcm("111645", "Crossed grid"),
    dcm("111640", "Virtual grid"),
    Code("102540008", SCT, "headfirst"),
    Code("102541007", SCT, "feet-first"),
    Code("102538003", SCT, "recumbent"),
    Code("102539006", SCT, "semi-erect"),
    Code("C86043", "NCIt", "erect"),
    Code("40199007", SCT, "supine"),
    Code("1240000", SCT, "prone"),
    Code("102536004", SCT, "left lateral decubitus"),
    Code("102535000", SCT, "right lateral decubitus"),
    Code("32185000", SCT, "lateral decubitus"),
    Code("10904000", SCT, "standing"),
    Code("33586001", SCT, "sitting"),
    Code("34106002", SCT, "Trendelenburg"),
    Code("26527006", SCT, "inverse Trendelenburg"),
    Code("24028007", SCT, "Right"),
    Code("7771000", SCT, "Left"),
    Code("51440002", SCT, "Bilateral"),
    Code("66459002", SCT, "Unilateral"),
    dcm("113650", "Strip filter"),
    dcm("113651", "Wedge filter"),
    dcm("113652", "Butterfly filter"),
    dcm("113653", "Flat filter"),
    dcm("111609", "No filter"),
    Code("12503006", SCT, "Aluminum"),
    Code("66925006", SCT, "Copper"),
    Code("88488004", SCT, "Lead"),
    Code("41967008", SCT, "Silver"),
    Code("767776000", SCT, "Niobium"),
    Code("767775001", SCT, "Europium"),
    Code("45215009", SCT, "Tantalum"),
    Code("12597001", SCT, "Tin"),
)
WORDS: Final[Mapping[str, Code]] = MappingProxyType({code.meaning: code for code in _MEANINGS})
"""Codes of the terms of an event, by their meaning."""
