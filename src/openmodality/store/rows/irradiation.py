"""Changes the rows of irradiation events: ``irradiation_events`` and ``irradiation_images``.

An event is on record before its first image is made, so that no dose is lost when the process dies.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from openmodality.store.listing.irradiation import EventRecord
from openmodality.store.schema import irradiation_events, irradiation_images
from openmodality.store.transaction import Snapshot, Transaction


def add_irradiation(transaction: Transaction, exam_id: int, record: EventRecord) -> None:
    """Put an irradiation event on record; its images are added as they are made."""
    row = {
        "exam_id": exam_id,
        "IrradiationEventUID": record.uid,
        "step_uid": record.step_uid,
        "SeriesInstanceUID": record.series_instance_uid,
        "event": record.event,
    }
    transaction.execute(insert(irradiation_events).values(row))


def remove_irradiation(transaction: Transaction, uid: str, series_instance_uid: str) -> None:
    """Take an event off the record that was put there for a series, and made no image."""
    with_images = select(irradiation_images.c.event_id)
    transaction.execute(
        delete(irradiation_events).where(
            irradiation_events.c.IrradiationEventUID == uid,
            irradiation_events.c.SeriesInstanceUID == series_instance_uid,
            irradiation_events.c.id.not_in(with_images),
        )
    )


def remove_image(transaction: Transaction, sop_instance_uid: str) -> None:
    """Forget an image that was not stored after all; its event stays on record."""
    transaction.execute(delete(irradiation_images).where(irradiation_images.c.SOPInstanceUID == sop_instance_uid))


def has_irradiation(snapshot: Snapshot, uid: str) -> bool:
    """Whether an irradiation event of this UID is on record, in whichever exam."""
    same = select(irradiation_events.c.id).where(irradiation_events.c.IrradiationEventUID == uid)
    return snapshot.execute(same).first() is not None


def add_image(transaction: Transaction, uid: str, sop_instance_uid: str) -> None:
    """Note that an irradiation event made an image; once, also when the image is made again after a crash."""
    known = select(irradiation_images.c.event_id).where(irradiation_images.c.SOPInstanceUID == sop_instance_uid)
    if transaction.execute(known).first() is not None:
        return
    event = select(irradiation_events.c.id).where(irradiation_events.c.IrradiationEventUID == uid)
    event_id = transaction.execute(event).scalar_one()
    row = {"SOPInstanceUID": sop_instance_uid, "event_id": event_id}
    transaction.execute(insert(irradiation_images).values(row))
