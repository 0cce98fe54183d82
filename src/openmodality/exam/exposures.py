"""The irradiation of one series: on record before its images, and what the record says of each of them."""

from __future__ import annotations

from pydicom import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.exam.irradiation_record import record_event
from openmodality.exam.workflow import Workflow
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.image_attributes import describe_exposure
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.exams import SeriesRecord


class Exposures:
    """The exposures of a series, and how many images of each were made by this process."""

    def __init__(self, workflow: Workflow, exam_id: int, series: SeriesRecord) -> None:
        self._workflow = workflow
        self._exam_id = exam_id
        self._series = series
        self._made: dict[str, int] = {}
        self._latest: tuple[IrradiationEvent, IrradiationEvent] | None = None

    def record(self, event: IrradiationEvent, frames: int, uid: str = "") -> IrradiationEvent:
        """Put an event of ``frames`` images on record; ``uid`` is its UID where it states none."""
        said = from_json(self._series.attributes)
        protocol = str(said.get("ProtocolName") or self._series.description)
        complete = event.complete(protocol, str(said.get("BodyPartExamined") or ""))
        return record_event(self._workflow, self._exam_id, complete, frames, self._series.series_instance_uid, uid)

    def find(
        self, own: IrradiationEvent | None, recorded: IrradiationEvent | None, uid: str
    ) -> IrradiationEvent | None:
        """The event on record of a frame: its ``own``, which goes on record with its first frame, or its series'."""
        if own is None:
            return recorded
        if self._latest is None or self._latest[0] is not own:
            self._latest = own, self.record(own, 1, uid)
        return self._latest[1]

    def describe_next(self, event: IrradiationEvent) -> Dataset:
        """What the record says of the next image of an event.

        Raises :class:`ObjectInvalid` where the event has all its images.
        """
        index = self._made.get(event.uid, 0)
        if index >= max(event.number_of_frames, 1):
            raise ObjectInvalid(
                f"irradiation: (0028,0008) NumberOfFrames is {event.number_of_frames}, and this is one more image",
                advice="give all images of a run at once, or state NumberOfFrames",
            )
        self._made[event.uid] = index + 1
        exposure = describe_exposure(event, index)
        if body_part := event.text("BodyPartExamined"):
            exposure.BodyPartExamined = body_part
        return exposure
