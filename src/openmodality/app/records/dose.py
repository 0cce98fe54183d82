"""The dose of an exam, or of a report, as JSON values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from openmodality.app.records.values import format_zoned
from openmodality.objects.report.dose_overview import DoseOverview


def list_irradiation(overview: DoseOverview) -> list[dict[str, Any]]:
    """The events, one object each."""
    return [
        {
            "irradiation_event_uid": event.uid,
            "started": _format_moment(event.started),
            "type": event.event_type,
            "protocol": event.protocol,
            "target_region": event.target,
            "kvp": event.kvp,
            "tube_current_ma": event.tube_current_ma,
            "exposure_time_ms": event.exposure_time_ms,
            "duration_s": event.duration_s,
            "dose_area_product_dgy_cm2": event.area_product_dgy_cm2,
            "dose_rp_mgy": event.dose_rp_mgy,
            "images": event.images,
        }
        for event in overview.events
    ]


def describe_dose_document(overview: DoseOverview) -> dict[str, Any]:
    """The members of the whole document."""
    sums = {"fluoroscopy": overview.fluoroscopy, "acquisition": overview.acquisition, "total": overview.total}
    return {
        "completion": overview.completion or None,
        "reference_point": overview.reference_point,
        **{
            name: {
                "dose_area_product_dgy_cm2": each.area_product_dgy_cm2,
                "dose_rp_mgy": each.dose_rp_mgy,
                "time_s": each.time_s,
            }
            for name, each in sums.items()
        },
    }


def _format_moment(moment: datetime | None) -> str | None:
    return format_zoned(moment.timestamp()) if moment else None
