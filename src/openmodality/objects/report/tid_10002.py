"""Accumulated X-Ray Dose of the whole report (PS3.16 TID 10002, 10004)."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import Code, contains, dcm, make_container
from openmodality.objects.report.dose_content import DoseContent, DoseUnits, make_acquisition_plane
from openmodality.objects.report.irradiation import DoseTotals, accumulate

_S: Final = sr.ucum("s")
_COUNT: Final = sr.ucum("1", "no units")


def make_accumulated_dose(content: DoseContent) -> Dataset:
    """The container of the sums over all irradiation events."""
    dose, units = accumulate(content.events), content.dose_units
    fluoroscopy, acquisition = dose.fluoroscopy, dose.acquisition
    items = [
        *_make_doses(dose.total, units, dcm("113722", "Dose Area Product Total"), dcm("113725", "Dose (RP) Total")),
        *_make_doses(
            fluoroscopy, units, dcm("113726", "Fluoro Dose Area Product Total"), dcm("113728", "Fluoro Dose (RP) Total")
        ),
        sr.make_num(dcm("113730", "Total Fluoro Time"), fluoroscopy.time_s, _S),
        *_make_doses(
            acquisition,
            units,
            dcm("113727", "Acquisition Dose Area Product Total"),
            dcm("113729", "Acquisition Dose (RP) Total"),
        ),
        sr.make_num(dcm("113855", "Total Acquisition Time"), acquisition.time_s, _S),
        content.make_reference_point(),
        sr.make_num(dcm("113731", "Total Number of Radiographic Frames"), acquisition.frames, _COUNT),
    ]
    children = [make_acquisition_plane(), *contains(*items)]
    return make_container(
        dcm("113702", "Accumulated X-Ray Dose Data"), children, template="10002", continuity="CONTINUOUS"
    )


def _make_doses(totals: DoseTotals, units: DoseUnits, area_product: Code, reference_point: Code) -> list[Dataset]:
    return [
        units.make_area_product(area_product, totals.dose_area_product_gy_m2),
        units.make_kerma(reference_point, totals.dose_rp_gy),
    ]
