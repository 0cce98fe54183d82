"""The irradiation of one series: on record before its images, and what the record says of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pydicom import Dataset

from openmodality.acquisition.source import AcquiredFrame
from openmodality.errors import ObjectInvalid
from openmodality.exam.given import check_given_body_part
from openmodality.exam.irradiation_record import record_event
from openmodality.exam.workflow import Workflow
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.image_attributes import describe_exposure, merge_exposure
from openmodality.store.data_set_json import from_json
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.exams import SeriesRecord
from openmodality.store.rows.irradiation import remove_irradiation
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Making:
    """How the images of a volume are made: the function that is told of each, their UIDs by number, and their exposure,
    which is on record as ``event``, or ``stated`` and put on record when the number of images is known.
    """

    progress: Progress = lambda done, total: None
    keys: Callable[[int], str] = lambda image: ""
    event: IrradiationEvent | None = None
    stated: IrradiationEvent | None = None


SILENTLY: Final = Making()


class Exposures:
    """The exposures of a series, and how many images of each were made by this process."""

    def __init__(self, workflow: Workflow, exam_id: int, series: SeriesRecord) -> None:
        self._workflow = workflow
        self._exam_id = exam_id
        self._series = series
        self._made: dict[str, int] = {}
        self._latest: tuple[IrradiationEvent, IrradiationEvent] | None = None

    def record(self, event: IrradiationEvent, frames: int, uid: str = "") -> IrradiationEvent:
        """Put an event of ``frames`` images on record; ``uid`` is its UID where it states none.

        Raises :class:`UsageError` where the device does not have its body part, and as
        :func:`openmodality.exam.irradiation_record.record_event`.
        """
        said = from_json(self._series.attributes)
        protocol = str(said.get("ProtocolName") or self._series.description)
        side = str(said.get("Laterality") or said.get("ImageLaterality") or "")
        complete = event.complete(protocol, str(said.get("BodyPartExamined") or ""), side)
        check_given_body_part(self._workflow.site.profile, complete.text("BodyPartExamined"))
        return record_event(self._workflow, self._exam_id, complete, frames, self._series.series_instance_uid, uid)

    @contextmanager
    def put_on_record(self, how: Making, images: int) -> Iterator[Making]:
        """Put the exposure that ``how`` states on record for the block; it is withdrawn where the ``images`` fail."""
        event = None if how.stated is None else self.record(how.stated, images)
        with self.withdraw_on_failure(event):
            yield how if event is None else replace(how, event=event, stated=None)

    @contextmanager
    def withdraw_on_failure(self, event: IrradiationEvent | None) -> Iterator[None]:
        """Take an event of this series off the record where its images fail: given again, it is not counted twice."""
        made = dict(self._made)
        try:
            yield
        except BaseException:
            self._made = made
            if event is not None:
                with self._workflow.store.write() as transaction:
                    remove_irradiation(transaction, event.uid, self._series.series_instance_uid)
            raise

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

    def expose(self, frame: AcquiredFrame, event: IrradiationEvent) -> AcquiredFrame:
        """The next frame of an event on record, with what the record says of it. Raises as :meth:`describe_next`."""
        attributes = merge_exposure(frame.attributes, self.describe_next(event))
        return replace(frame, attributes=attributes, irradiation=event)

    def expose_all(
        self, frames: Iterable[AcquiredFrame], event: IrradiationEvent, before: int
    ) -> list[tuple[int, AcquiredFrame]]:
        """The next frames of an event as :meth:`expose` has them, numbered after the ``before`` of the series."""
        return list(enumerate((self.expose(frame, event) for frame in frames), before + 1))
