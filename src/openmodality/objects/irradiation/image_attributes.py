"""The attributes of an image about the irradiation event that made it (PS3.3 C.8.7.2, C.8.7.5, C.8.7.7, C.4.16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.exam_facts import format_moment
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.stating import convert_dose
from openmodality.objects.irradiation.totals import DGY_CM2_PER_GY_M2, share
from openmodality.standard.value_rules import format_decimal

_MGY_PER_DGY: Final = 100.0
_LARGEST_US: Final = 65535
_DECIMALS: Final[Mapping[str, str]] = {
    "KVP": "KVP",
    "AveragePulseWidth": "PulseWidth",
    "DistanceSourceToDetector": "DistanceSourceToDetector",
    "DistanceSourceToPatient": "DistanceSourceToPatient",
    "PositionerPrimaryAngle": "PositionerPrimaryAngle",
    "PositionerSecondaryAngle": "PositionerSecondaryAngle",
    "FocalSpots": "FocalSpotSize",
    "BodyPartThickness": "PatientEquivalentThickness",
    "TableAngle": "TableHeadTiltAngle",
}
"""Attributes of Decimal Strings that are a quantity of the event."""
_SOURCE_KNOWS_BETTER: Final = ("AcquisitionDate", "AcquisitionTime")


def merge_exposure(attributes: Dataset, exposure: Dataset) -> Dataset:
    """The attributes of a frame, with what the record says of its exposure in their place."""
    merged = Dataset()
    merged.update(attributes)
    merged.update({element.tag: element for element in exposure if not _is_said_better(attributes, element.keyword)})
    return merged


def _is_said_better(attributes: Dataset, keyword: str) -> bool:
    return keyword in _SOURCE_KNOWS_BETTER and bool(attributes.get(keyword))


def describe_exposure(event: IrradiationEvent, index: int) -> Dataset:
    """The attributes of the image number ``index`` (from 0) of a recorded event. Doses are the image's share."""
    count = max(event.number_of_frames, 1)
    data_set = Dataset()
    data_set.IrradiationEventUID = event.uid
    for keyword, name in _DECIMALS.items():
        if (value := event.get(name)) is not None:
            setattr(data_set, keyword, format_decimal(value))
    data_set.RadiationSetting = "SC" if event.is_fluoroscopy else "GR"
    data_set.RadiationMode = "PULSED" if event.get("PulseRate") else "CONTINUOUS"
    if grid := event.text("XRayGrid"):
        data_set.Grid = "NONE" if grid == "No grid" else "IN"
    data_set.update(_describe_technique(event, count))
    data_set.update(_describe_doses(event, index, count))
    data_set.update(_describe_magnification(event))
    if event.started is not None:
        moment = event.started + timedelta(seconds=index * event.duration_s / count)
        data_set.AcquisitionDate, data_set.AcquisitionTime = format_moment(moment)
    return data_set


def _describe_technique(event: IrradiationEvent, count: int) -> Dataset:
    data_set = Dataset()
    current, time, exposure = (event.get(name) for name in ("XRayTubeCurrent", "ExposureTime", "Exposure"))
    if current is not None:
        data_set.XRayTubeCurrent = max(round(current), 1)
    if time is not None:
        data_set.ExposureTime = max(round(time / count), 1)
    if exposure is not None:
        data_set.Exposure = max(round(exposure / count), 1)
    return data_set


def _describe_doses(event: IrradiationEvent, index: int, count: int) -> Dataset:
    data_set = Dataset()
    if (product := event.get("DoseAreaProduct")) is not None:
        in_dgy_cm2 = convert_dose(share("DoseAreaProduct", product, index, count), DGY_CM2_PER_GY_M2)
        data_set.ImageAndFluoroscopyAreaDoseProduct = format_decimal(in_dgy_cm2)
    if (entrance := event.get("EntranceDoseInmGy")) is not None:
        own = share("EntranceDoseInmGy", entrance, index, count)
        data_set.EntranceDoseInmGy = format_decimal(own)
        data_set.EntranceDose = min(round(own / _MGY_PER_DGY), _LARGEST_US)
    return data_set


def _describe_magnification(event: IrradiationEvent) -> Dataset:
    data_set = Dataset()
    detector = event.get("DistanceSourceToDetector")
    patient = event.get("DistanceSourceToPatient") or event.get("DistanceSourceToIsocenter")
    if detector and patient:
        data_set.EstimatedRadiographicMagnificationFactor = f"{detector / patient:.4g}"
    return data_set
