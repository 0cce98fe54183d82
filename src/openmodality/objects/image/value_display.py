"""The attributes of a series about its stored values: their meaning (rescale, real world values) and their display."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from openmodality.dimse.attribute_names import name_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.image.scaling import StoredForm, Survey
from openmodality.objects.rules.elements import data_set_of
from openmodality.standard.tags import (
    BITS_STORED,
    REAL_WORLD_VALUE_FIRST_VALUE_MAPPED,
    REAL_WORLD_VALUE_LAST_VALUE_MAPPED,
)
from openmodality.standard.value_rules import format_decimal

_NO_UNITS: Final = ("1", "no units")
_UNITS: Final = {"rad": ("rad", "radian")}
"""UCUM code and meaning (PS3.16 CID 82)."""
_LINEAR_EXACT: Final = "LINEAR_EXACT"


def explain_too_few_bits() -> ObjectInvalid:
    """What is said where a caller states fewer Bits Stored than the values have."""
    return ObjectInvalid(
        f"{name_of(BITS_STORED)} is too small for the pixel values",
        advice="leave it out to have it found",
        tag=BITS_STORED,
    )


def describe_values(form: StoredForm, said: Dataset, rules: PixelRules, units: str = "") -> Dataset:
    """Bits Stored, and slope and intercept where values are not stored as they are and the object has a place for them.

    A rescale that the caller stated is that of the values that were handed over. Raises :class:`ObjectInvalid` where
    the caller stated fewer bits than the values have.
    """
    stated_bits = int(said.get("BitsStored") or 0)
    if 0 < stated_bits < form.bits and not form.is_scaled and form.bits > min(rules.bits):
        raise explain_too_few_bits()
    data_set = data_set_of(BitsStored=max(form.bits, stated_bits))
    if not form.is_scaled or not rules.has_rescale:
        return data_set
    slope, intercept = _find_stated(said)
    slope, intercept = form.slope * slope, form.intercept * slope + intercept
    data_set.update(
        data_set_of(
            RescaleSlope=format_decimal(slope),
            RescaleIntercept=format_decimal(intercept),
            RescaleType=str(said.get("RescaleType") or units or "US"),
        )
    )
    if rules.has_real_world:
        data_set.update(_describe_real_world(form, slope, intercept, units))
    return data_set


def describe_display(survey: Survey, form: StoredForm, said: Dataset, described: Dataset, rules: PixelRules) -> Dataset:
    """The window for all images, in units after the rescale (PS3.3 C.11.2.1.2); none where the caller says it."""
    if said.get("WindowCenter") is not None and said.get("WindowWidth") is not None:
        return Dataset()
    center, width = survey.find_window()
    if form.is_scaled and not rules.has_rescale:
        center, width = (center - form.intercept) / form.slope, width / form.slope
    elif not form.is_scaled:
        slope, intercept = _find_stated(said)
        center, width = center * slope + intercept, width * abs(slope)
    is_exact = form.is_scaled and rules.has_rescale and rules.has_voi_function and survey.kind == "f"
    if not is_exact:
        width = max(width, 1.0)
    data_set = data_set_of(WindowCenter=format_decimal(center), WindowWidth=format_decimal(width or 1.0))
    if is_exact:
        # By LINEAR a window of fractions is half a unit aside, and one below 1 is not allowed (C.11.2.1.2.1).
        data_set.update(data_set_of(VOILUTFunction=_LINEAR_EXACT))
    return data_set


def _find_stated(said: Dataset) -> tuple[float, float]:
    return float(said.get("RescaleSlope") or 1), float(said.get("RescaleIntercept") or 0)


def _describe_real_world(form: StoredForm, slope: float, intercept: float, units: str) -> Dataset:
    """Real World Value Mapping (PS3.3 C.7.6.16.2.11): the same line, with units."""
    code, meaning = _UNITS.get(units, _NO_UNITS)
    first, last = form.range
    unit = data_set_of(CodeValue=code, CodingSchemeDesignator="UCUM", CodeMeaning=meaning)
    mapping = data_set_of(
        LUTExplanation="values as they were acquired", MeasurementUnitsCodeSequence=[unit], LUTLabel="VALUES",
        RealWorldValueIntercept=intercept, RealWorldValueSlope=slope,
    )  # fmt: skip
    vr = "SS" if form.is_signed else "US"
    mapping.add_new(REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, vr, first)
    mapping.add_new(REAL_WORLD_VALUE_LAST_VALUE_MAPPED, vr, last)
    return data_set_of(RealWorldValueMappingSequence=[mapping])
