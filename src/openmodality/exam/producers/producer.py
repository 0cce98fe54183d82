"""The port between the workflow and a producer, which makes one kind of object in an exam.

The workflow goes through the producers at two moments. While a step is in progress, series are put on record by their
plans, and instances are stored as they come. When a step ends, each producer may add one more series. Series and
instances that are made at the end have UIDs derived from the step's, so that making them twice makes them once.

A producer does nothing for delivery: whatever is in a series of the exam is sent to every archive of the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.listing.irradiation import EventRecord
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class StepWork:
    """What a step has done so far. Without a ``step``, the whole exam.

    ``instances`` and ``irradiation`` are those of the whole exam.
    """

    exam: ExamRecord
    step: StepRecord | None
    instances: Sequence[InstanceReference]
    irradiation: Sequence[EventRecord] = ()

    @property
    def key(self) -> str:
        """The UID from which those of derived series are made."""
        return self.step.sop_instance_uid if self.step else self.exam.study_instance_uid

    @property
    def series(self) -> list[SeriesRecord]:
        """The series of the step."""
        step = self.step
        return [each for each in self.exam.series if step is None or each.step_uid == step.sop_instance_uid]

    @property
    def events(self) -> list[EventRecord]:
        """The irradiation events of the step."""
        step = self.step
        return [each for each in self.irradiation if step is None or each.step_uid == step.sop_instance_uid]

    def instances_of(self, series: SeriesRecord) -> list[InstanceReference]:
        """What was made in a series."""
        return [each for each in self.instances if each.SeriesInstanceUID == series.series_instance_uid]


class SeriesPlan(Protocol):
    """What is known of a series before its first instance."""

    def make_record(self, site: Site, exam: ExamRecord, step: StepRecord | None, at: float) -> SeriesRecord:
        """The series as it goes on record.

        Raises :class:`UsageError` where the device makes no such series.
        """
        ...


class Producer(Protocol):
    """Makes one kind of object in the exams of one device."""

    def plan_series_at_end(self, work: StepWork, at: float) -> SeriesRecord | None:
        """The series that it adds when a step ends; ``None`` where there is nothing to add.

        The same series, by its UID, whenever it is asked for.
        """
        ...

    def plan_series_meanwhile(self, work: StepWork, at: float) -> SeriesRecord | None:
        """The series to which it adds while the step is in progress; ``None`` where there is nothing to add."""
        ...

    def build_meanwhile(self, work: StepWork, series: SeriesRecord, at: float) -> Iterable[Dataset]:
        """What is to be added to that series now; the same instances, by their UIDs, where nothing has changed."""
        ...

    def build_at_end(self, work: StepWork, series: SeriesRecord) -> Iterable[Dataset]:
        """The instances of that series, the same ones, by their UIDs, whenever it is asked for."""
        ...

    def describe_step(self, work: StepWork) -> Dataset:
        """What it adds to the attributes of the performed step that ends, such as the dose."""
        ...
