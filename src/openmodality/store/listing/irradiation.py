"""Irradiation events as they are on record, and the queries that read them."""

from __future__ import annotations

from typing import Final

from openmodality.store.listing.reader import Json, Reader, decode_json
from openmodality.value_class import dataclass

_EVENTS: Final = (
    'SELECT id, "IrradiationEventUID", step_uid, "SeriesInstanceUID", event FROM irradiation_events'
    " WHERE exam_id = ? ORDER BY id"
)
_IMAGES: Final = (
    'SELECT event_id, "SOPInstanceUID" FROM irradiation_images'
    " WHERE event_id IN (SELECT id FROM irradiation_events WHERE exam_id = ?)"
)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An irradiation event of an exam; ``images`` are the SOP Instance UIDs of those that it made and that were kept.

    ``series_instance_uid`` is empty where it made no images.
    """

    uid: str
    step_uid: str
    event: Json
    series_instance_uid: str = ""
    images: frozenset[str] = frozenset()


def read_irradiation(reader: Reader, exam_id: int) -> list[EventRecord]:
    """The irradiation events of an exam, in the order in which they were recorded."""
    images: dict[int, list[str]] = {}
    for row in reader.rows(_IMAGES, (exam_id,)):
        images.setdefault(row["event_id"], []).append(row["SOPInstanceUID"])
    return [
        EventRecord(
            uid=row["IrradiationEventUID"],
            step_uid=row["step_uid"],
            event=decode_json(row["event"]),
            series_instance_uid=row["SeriesInstanceUID"],
            images=frozenset(images.get(row["id"], ())),
        )
        for row in reader.rows(_EVENTS, (exam_id,))
    ]
