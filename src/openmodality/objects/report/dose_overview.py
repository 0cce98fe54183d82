"""Sums up a dose report for people, of any maker and in any units: its events as lines, and its totals.

The same is made of the events on record of an exam, before there is a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

from openmodality.errors import UsageError
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.moments import parse_moment
from openmodality.objects.irradiation.quantities import FLUOROSCOPY
from openmodality.objects.irradiation.stating import convert_dose
from openmodality.objects.irradiation.totals import DGY_CM2_PER_GY_M2, MGY_PER_GY, DoseTotals, accumulate
from openmodality.objects.report.dose_codes import NUMBERS
from openmodality.standard.body_part_codes import find_target_region
from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE
from openmodality.value_class import dataclass

_TO_MGY: Final = {"Gy": MGY_PER_GY, "mGy": 1.0, "cGy": 10.0, "uGy": 1e-3}
_TO_DGY_CM2: Final = {
    "Gy.m2": DGY_CM2_PER_GY_M2, "dGy.cm2": 1.0, "Gy.cm2": 10.0, "cGy.cm2": 0.1, "mGy.cm2": 0.01,
    "uGy.m2": 0.1, "mGy.m2": 100.0,
}  # fmt: skip
_TO_S: Final = {"s": 1.0, "ms": 1e-3, "min": 60.0}
_TO_MS: Final = {"ms": 1.0, "s": 1e3}
_TO_KV: Final = {"kV": 1.0}
_TO_MA: Final = {"mA": 1.0, "A": 1e3}


@dataclass(frozen=True, slots=True)
class DoseLine:
    """One irradiation event, in the units of images and of the performed step."""

    started: datetime | None
    event_type: str
    protocol: str
    target: str
    kvp: float | None
    tube_current_ma: float | None
    exposure_time_ms: float | None
    duration_s: float | None
    area_product_dgy_cm2: float | None
    dose_rp_mgy: float | None
    images: int
    uid: str


@dataclass(frozen=True, slots=True)
class DoseSums:
    """Totals of fluoroscopy, of acquisitions, or of both."""

    area_product_dgy_cm2: float | None
    dose_rp_mgy: float | None
    time_s: float | None


_NOTHING_SAID: Final = DoseSums(None, None, None)


@dataclass(frozen=True, slots=True)
class DoseOverview:
    """A whole report; ``completion`` is COMPLETE or PARTIAL, empty for the events on record of an exam."""

    completion: str
    reference_point: str
    events: Sequence[DoseLine]
    fluoroscopy: DoseSums
    acquisition: DoseSums
    total: DoseSums

    @property
    def targets(self) -> dict[str, float]:
        """Dose area product by target region, in dGy.cm2, the largest first."""
        sums: dict[str, float] = {}
        for event in self.events:
            sums[event.target] = sums.get(event.target, 0.0) + (event.area_product_dgy_cm2 or 0.0)
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


def overlook_events(events: Sequence[IrradiationEvent], reference_point: str = "") -> DoseOverview:
    """The events on record of an exam."""
    dose = accumulate(events)
    return DoseOverview(
        completion="",
        reference_point=reference_point,
        events=[_make_line(event) for event in events],
        fluoroscopy=_convert_totals(dose.fluoroscopy),
        acquisition=_convert_totals(dose.acquisition),
        total=_convert_totals(dose.total),
    )


def overlook_report(report: Dataset) -> DoseOverview:
    """What an X-Ray Radiation Dose SR says.

    Raises :class:`UsageError` where it is not one of projection radiography.
    """
    if report.get("SOPClassUID") != X_RAY_RADIATION_DOSE_SR_STORAGE:
        raise UsageError("it is no X-Ray Radiation Dose SR", advice="name a dose report, or an exam of this device")
    content = list(_walk(report))
    accumulated = next((item for item in content if _find_code(item) == "113702"), Dataset())
    events = [_read_event(item) for item in content if _find_code(item) == "113706"]
    if not events and "ConceptNameCodeSequence" not in accumulated:
        raise UsageError("the dose report tells of no projection radiography", advice="CT dose reports are not read")
    fluoroscopy = _read_sums(accumulated, "113726", "113728", "113730")
    if not any(event.event_type == FLUOROSCOPY for event in events) and fluoroscopy == _NOTHING_SAID:
        fluoroscopy = DoseSums(0.0, 0.0, 0.0)  # TID 10004 has no sums of what there was not
    acquisition = _read_sums(accumulated, "113727", "113729", "113855")
    return DoseOverview(
        completion=str(report.get("CompletionFlag", "")),
        reference_point=_read_words(accumulated, "113780"),
        events=sorted(events, key=lambda event: event.started or datetime.min),
        fluoroscopy=fluoroscopy,
        acquisition=acquisition,
        total=replace(_read_sums(accumulated, "113722", "113725"), time_s=_add(fluoroscopy.time_s, acquisition.time_s)),
    )


def _make_line(event: IrradiationEvent) -> DoseLine:
    product, dose = event.get("DoseAreaProduct"), event.get("DoseRP")
    return DoseLine(
        started=event.started,
        event_type=event.event_type,
        protocol=event.text("AcquisitionProtocol"),
        target=find_target_region(event.text("BodyPartExamined"))[1],
        kvp=event.get("KVP"),
        tube_current_ma=event.get("XRayTubeCurrent"),
        exposure_time_ms=event.get("ExposureTime"),
        duration_s=event.get("IrradiationDuration"),
        area_product_dgy_cm2=convert_dose(product, DGY_CM2_PER_GY_M2),
        dose_rp_mgy=convert_dose(dose, MGY_PER_GY),
        images=event.number_of_frames,
        uid=event.uid,
    )


def _convert_totals(totals: DoseTotals) -> DoseSums:
    return DoseSums(
        convert_dose(totals.dose_area_product_gy_m2, DGY_CM2_PER_GY_M2),
        convert_dose(totals.dose_rp_gy, MGY_PER_GY),
        totals.time_s,
    )


def _walk(parent: Dataset) -> Iterator[Dataset]:
    for item in parent.get("ContentSequence") or ():
        yield item
        yield from _walk(item)


def _find_code(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].get("CodeValue", "")) if names else ""


def _find(parent: Dataset, code: str) -> Dataset | None:
    return next((item for item in parent.get("ContentSequence") or () if _find_code(item) == code), None)


def _read_sums(parent: Dataset, product: str, dose: str, time: str = "") -> DoseSums:
    return DoseSums(
        _read_number(parent, product, _TO_DGY_CM2),
        _read_number(parent, dose, _TO_MGY),
        _read_number(parent, time, _TO_S) if time else None,
    )


def _add(fluoroscopy_s: float | None, acquisition_s: float | None) -> float | None:
    """The time of both, to the digits of each; TID 10002 has no sum of them."""
    return None if fluoroscopy_s is None or acquisition_s is None else convert_dose(fluoroscopy_s + acquisition_s, 1.0)


def _read_event(item: Dataset) -> DoseLine:
    codes = {name: concept.value for name, (concept, _, _) in NUMBERS.items()}
    return DoseLine(
        started=_read_moment(item),
        event_type=_read_words(item, "113721"),
        protocol=_read_words(item, "125203"),
        target=_read_words(item, "123014"),
        kvp=_read_number(item, codes["KVP"], _TO_KV),
        tube_current_ma=_read_number(item, codes["XRayTubeCurrent"], _TO_MA),
        exposure_time_ms=_read_number(item, codes["ExposureTime"], _TO_MS),
        duration_s=_read_number(item, codes["IrradiationDuration"], _TO_S),
        area_product_dgy_cm2=_read_number(item, "122130", _TO_DGY_CM2),
        dose_rp_mgy=_read_number(item, "113738", _TO_MGY),
        images=sum(_find_code(child) == "113795" for child in item.get("ContentSequence") or ()),
        uid=_read_words(item, "113769"),
    )


def _read_words(parent: Dataset, code: str) -> str:
    item = _find(parent, code)
    if item is None:
        return ""
    values = item.get("ConceptCodeSequence")
    return str(values[0].get("CodeMeaning", "")) if values else str(item.get("TextValue") or item.get("UID") or "")


def _read_number(parent: Dataset, code: str, factors: dict[str, float]) -> float | None:
    """The number in the unit that is meant; None where there is none, or its unit is of another kind."""
    item = _find(parent, code)
    measured = item.get("MeasuredValueSequence") if item is not None else None
    if not measured or not measured[0].get("MeasurementUnitsCodeSequence"):
        return None
    factor = factors.get(str(measured[0].MeasurementUnitsCodeSequence[0].get("CodeValue")))
    value = measured[0].get("NumericValue")
    return None if factor is None or value is None else convert_dose(float(value), factor)


def _read_moment(parent: Dataset) -> datetime | None:
    item = _find(parent, "111526")
    return None if item is None else parse_moment(item.get("DateTime", ""))
