"""Irradiation events as the database keeps them, with the series that they made."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from openmodality.objects.report.irradiation import (
    IrradiationEvent,
    IrradiationEventType,
    TablePosition,
    XRayGeometry,
    XRayTechnique,
)
from openmodality.store.listing.reader import Json


def event_to_json(event: IrradiationEvent) -> Json:
    """An irradiation event as the database keeps it."""
    return asdict(event) | {"event_type": event.event_type.name, "started": event.started.isoformat()}


def event_from_json(value: Json) -> IrradiationEvent:
    """An irradiation event that was kept."""
    parts = {
        "event_type": IrradiationEventType[value["event_type"]],
        "started": datetime.fromisoformat(value["started"]),
        "technique": XRayTechnique(**value["technique"]),
        "geometry": XRayGeometry(**value["geometry"]),
        "table": TablePosition(**value["table"]),
    }
    return IrradiationEvent(**value | parts)
