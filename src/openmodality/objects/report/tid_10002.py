"""Accumulated X-Ray Dose of the whole report (PS3.16 TID 10002, with 10004 and 10007)."""

from __future__ import annotations

from typing import Final

from openmodality.objects.irradiation.totals import DoseTotals, accumulate
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import contains, dcm, make_container, relate
from openmodality.objects.report.dose_codes import NUMBERS, SCT, UNITS
from openmodality.objects.report.dose_content import DoseCalibration, DoseContent, DoseUnits, make_acquisition_plane
from openmodality.objects.rules.sequence_items import Code, SequenceItem

_S: Final = UNITS["s"]
_COUNT: Final = UNITS["1"]
_PERCENT: Final = UNITS["%"]


def make_accumulated_dose(content: DoseContent) -> SequenceItem:
    """The container of the sums over all irradiation events."""
    dose, units = accumulate(content.events), content.dose_units
    acquisition = dose.acquisition
    items = [
        *_make_doses(dose.total, units, dcm("113722", "Dose Area Product Total"), dcm("113725", "Dose (RP) Total")),
        *_make_fluoroscopy(dose.fluoroscopy, units),
        *_make_doses(
            acquisition,
            units,
            dcm("113727", "Acquisition Dose Area Product Total"),
            dcm("113729", "Acquisition Dose (RP) Total"),
        ),
        sr.make_num(dcm("113855", "Total Acquisition Time"), acquisition.time_s, _S),
        *_make_distance(content),
        content.make_reference_point(),
        sr.make_num(dcm("113731", "Total Number of Radiographic Frames"), acquisition.frames, _COUNT),
    ]
    calibration = [_make_calibration(content.calibration)] if content.calibration else []
    children = [make_acquisition_plane(), *contains(*calibration, *items)]
    return make_container(
        dcm("113702", "Accumulated X-Ray Dose Data"), children, template="10002", continuity="CONTINUOUS"
    )


def _make_fluoroscopy(totals: DoseTotals, units: DoseUnits) -> list[SequenceItem]:
    """The sums of fluoroscopy, where there was some (TID 10004)."""
    if not totals.events:
        return []
    area_product, dose = dcm("113726", "Fluoro Dose Area Product Total"), dcm("113728", "Fluoro Dose (RP) Total")
    time = sr.make_num(dcm("113730", "Total Fluoro Time"), totals.time_s, _S)
    return [*_make_doses(totals, units, area_product, dose), time]


def _make_distance(content: DoseContent) -> list[SequenceItem]:
    """Distance Source to Reference Point, where it is the same for all events (TID 10007)."""
    own = content.reference_point.distance_mm
    distances = {event.get("DistanceSourceToReferencePoint") or own for event in content.events}
    concept, unit, _ = NUMBERS["DistanceSourceToReferencePoint"]
    return [sr.make_num(concept, distances.pop(), unit)] if len(distances) == 1 else []


def _make_calibration(calibration: DoseCalibration) -> SequenceItem:
    device = sr.make_code(dcm("113794", "Dose Measurement Device"), Code("15869005", SCT, "Dosimeter"))
    items = [
        sr.make_date_time(dcm("113723", "Calibration DateTime"), calibration.moment),
        sr.make_num(dcm("122322", "Calibration Factor"), calibration.factor, _COUNT),
        sr.make_num(dcm("113763", "Calibration Uncertainty"), calibration.uncertainty_percent, _PERCENT),
        sr.make_text(dcm("113724", "Calibration Responsible Party"), calibration.responsible_party),
    ]
    if calibration.protocol:
        items.append(sr.make_text(dcm("113720", "Calibration Protocol"), calibration.protocol))
    return make_container(dcm("122505", "Calibration"), [relate(sr.HAS_CONCEPT_MOD, device), *contains(*items)])


def _make_doses(totals: DoseTotals, units: DoseUnits, area_product: Code, reference_point: Code) -> list[SequenceItem]:
    return [
        units.make_area_product(area_product, totals.dose_area_product_gy_m2),
        units.make_kerma(reference_point, totals.dose_rp_gy),
    ]
