"""Irradiation Event X-Ray Data (PS3.16 TID 10003, with its parts 10003B and 10003C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import Code, contains, dcm, make_container
from openmodality.objects.report.dose_content import DoseContent, make_acquisition_plane
from openmodality.objects.report.irradiation import IrradiationEvent, IrradiationEventType

_MM, _MS, _S, _KV, _MA = (sr.ucum(unit) for unit in ("mm", "ms", "s", "kV", "mA"))
_COUNT: Final = sr.ucum("1", "no units")
_PULSES_PER_S: Final = sr.ucum("{pulse}/s", "pulse/s")
_SQUARE_METRE: Final = sr.ucum("m2")
_EVENT_TYPES: Final[Mapping[IrradiationEventType, Code]] = {
    IrradiationEventType.FLUOROSCOPY: Code("44491008", "SCT", "Fluoroscopy"),
    IrradiationEventType.STATIONARY_ACQUISITION: dcm("113611", "Stationary Acquisition"),
    IrradiationEventType.STEPPING_ACQUISITION: dcm("113612", "Stepping Acquisition"),
    IrradiationEventType.ROTATIONAL_ACQUISITION: dcm("113613", "Rotational Acquisition"),
}


def make_irradiation_event(event: IrradiationEvent, content: DoseContent) -> Dataset:
    """The container of one irradiation event."""
    units = content.dose_units
    items = [
        sr.make_date_time(dcm("111526", "DateTime Started"), event.started),
        sr.make_code(dcm("113721", "Irradiation Event Type"), _EVENT_TYPES[event.event_type]),
        sr.make_text(dcm("125203", "Acquisition Protocol"), event.protocol),
        content.make_reference_point(),
        sr.make_uidref(dcm("113769", "Irradiation Event UID"), event.uid),
        units.make_area_product(dcm("122130", "Dose Area Product"), event.dose_area_product_gy_m2),
        units.make_kerma(dcm("113738", "Dose (RP)"), event.dose_rp_gy),
        *_make_source_data(event),
        *_make_mechanical_data(event),
        sr.make_code(dcm("123014", "Target Region"), Code("38266002", "SCT", "Entire body")),
        *(
            sr.make_image(dcm("113795", "Acquired Image"), image.sop_class_uid, image.sop_instance_uid)
            for image in content.images.get(event.uid, ())
        ),
    ]
    children = [make_acquisition_plane(), *contains(*items)]
    return make_container(dcm("113706", "Irradiation Event X-Ray Data"), children, template="10003")


def _make_source_data(event: IrradiationEvent) -> list[Dataset]:
    """X-Ray Source Data (TID 10003B)."""
    technique, geometry = event.technique, event.geometry
    items = [_make_filter(technique.filter_thickness_mm_al)] if technique.filter_thickness_mm_al else []
    items += [
        sr.make_num(dcm("113766", "Focal Spot Size"), technique.focal_spot_mm, _MM),
        sr.make_num(dcm("113790", "Collimated Field Area"), geometry.field_area_m2, _SQUARE_METRE),
        sr.make_num(dcm("113788", "Collimated Field Height"), geometry.field_height_mm, _MM),
        sr.make_num(dcm("113789", "Collimated Field Width"), geometry.field_width_mm, _MM),
    ]
    if event.is_fluoroscopy:
        is_pulsed = technique.pulse_rate > 0
        mode = dcm("113631", "Pulsed") if is_pulsed else dcm("113630", "Continuous")
        items.append(sr.make_code(dcm("113732", "Fluoro Mode"), mode))
    if technique.pulse_rate:
        items.append(sr.make_num(dcm("113791", "Pulse Rate"), technique.pulse_rate, _PULSES_PER_S))
    return [
        *items,
        sr.make_num(dcm("113768", "Number of Pulses"), technique.number_of_pulses, _COUNT),
        sr.make_num(dcm("113733", "KVP"), technique.kvp, _KV),
        sr.make_num(dcm("113734", "X-Ray Tube Current"), technique.tube_current_ma, _MA),
        sr.make_num(dcm("113824", "Exposure Time"), technique.exposure_time_ms, _MS),
        sr.make_num(dcm("113793", "Pulse Width"), technique.pulse_width_ms, _MS),
        sr.make_num(dcm("113742", "Irradiation Duration"), event.duration_s, _S),
        sr.make_code(dcm("111635", "X-Ray Grid"), dcm("111646", "No grid")),
    ]


def _make_filter(thickness_mm: float) -> Dataset:
    aluminium = Code("105830007", "SCT", "Aluminum or Aluminum compound")
    items = contains(
        sr.make_code(dcm("113772", "X-Ray Filter Type"), dcm("113650", "Strip filter")),
        sr.make_code(dcm("113757", "X-Ray Filter Material"), aluminium),
        sr.make_num(dcm("113758", "X-Ray Filter Thickness Minimum"), thickness_mm, _MM),
        sr.make_num(dcm("113773", "X-Ray Filter Thickness Maximum"), thickness_mm, _MM),
    )
    return make_container(dcm("113771", "X-Ray Filters"), items)


def _make_mechanical_data(event: IrradiationEvent) -> list[Dataset]:
    """X-Ray Mechanical Data (TID 10003C)."""
    geometry, table = event.geometry, event.table
    return [
        sr.make_num(dcm("113737", "Distance Source to Reference Point"), geometry.source_to_reference_point_mm, _MM),
        sr.make_num(dcm("113750", "Distance Source to Detector"), geometry.source_to_detector_mm, _MM),
        sr.make_num(dcm("113748", "Distance Source to Isocenter"), geometry.source_to_isocenter_mm, _MM),
        sr.make_num(dcm("113751", "Table Longitudinal Position"), table.longitudinal_mm, _MM),
        sr.make_num(dcm("113752", "Table Lateral Position"), table.lateral_mm, _MM),
        sr.make_num(dcm("113753", "Table Height Position"), table.height_mm, _MM),
    ]
