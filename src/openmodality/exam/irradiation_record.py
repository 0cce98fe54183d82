"""Puts irradiation events on record: each once, with a UID and a moment, and none over another.

Image, performed step and dose report take their numbers from the record. This device has one plane: what is stated to
overlap in time with another event of the exam is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from openmodality.errors import ObjectInvalid
from openmodality.exam.dose_settings import read_dose_settings
from openmodality.exam.workflow import Workflow
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.site_objects import find_uid_maker
from openmodality.store.listing.exams import StepRecord
from openmodality.store.listing.irradiation import EventRecord, read_irradiation
from openmodality.store.rows.exams import lock_exam_to_add_to
from openmodality.store.rows.irradiation import add_irradiation, has_irradiation

_WHERE = "irradiation"


def record_event(
    workflow: Workflow, exam_id: int, event: IrradiationEvent, frames: int, series_instance_uid: str = "", uid: str = ""
) -> IrradiationEvent:
    """Put an event on record, and return it as it stands there: with its UID, its moment and its frames.

    ``frames`` is how many images it makes where the event does not say that; ``uid`` is the UID of one that states
    none itself. An event of a UID that is on record in this exam already is that event.

    Raises :class:`UsageError` where the exam takes nothing, and :class:`ObjectInvalid` where the event overlaps another
    one or its UID is that of another.
    """
    uid = event.uid or uid or find_uid_maker(workflow.site).new()
    with workflow.store.write() as transaction:
        _, step = lock_exam_to_add_to(transaction, exam_id)
        records = read_irradiation(transaction, exam_id)
        known = next((IrradiationEvent.from_json(each.event) for each in records if each.uid == uid), None)
        if known is not None:
            return known
        if has_irradiation(transaction, uid):
            raise ObjectInvalid(
                f"{_WHERE}: (0008,3010) IrradiationEventUID is that of another exam",
                advice="leave it out to have one made",
            )
        started = _find_start(event, list_recorded(records), workflow.now, step)
        distance_mm = read_dose_settings(workflow.site).reference_point.distance_mm
        begun = event.derive_doses(distance_mm).begin(uid, started, frames)
        record = EventRecord(uid, step.sop_instance_uid, begun.to_json(), series_instance_uid)
        add_irradiation(transaction, exam_id, record)
        return begun


def list_recorded(records: Iterable[EventRecord]) -> list[IrradiationEvent]:
    """Recorded events, in the order in which they began."""
    events = [IrradiationEvent.from_json(each.event) for each in records]
    return sorted(events, key=lambda event: event.started or datetime.min)


def _find_start(event: IrradiationEvent, earlier: Sequence[IrradiationEvent], now: float, step: StepRecord) -> datetime:
    """When the event began: as it says, or so that it ends now, and begins after the step and after all others."""
    spans = [(each.started, each.find_end(each.started)) for each in earlier if each.started]
    if event.started is None:
        moment = max(now - event.duration_s, step.started_at)
        return max([datetime.fromtimestamp(moment), *(end for _, end in spans)])
    ended = event.find_end(event.started)
    if any(event.started < end and begin < ended for begin, end in spans):
        raise ObjectInvalid(
            f"{_WHERE}: it overlaps in time with another irradiation event of this exam",
            advice="correct (0008,002A) AcquisitionDateTime or IrradiationDuration; a plane has one event at a time",
        )
    return event.started
