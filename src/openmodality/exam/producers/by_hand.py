"""What documents and presentation states have in common: a person asks for them in an exam, each is a series."""

from __future__ import annotations

from openmodality.device.site.site import Site
from openmodality.errors import UsageError
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.site_objects import find_uid_maker, make_definition
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class DocumentSeriesPlan:
    """A series of one object, numbered from ``first_number`` on. Fulfils the protocol ``SeriesPlan`` of a producer."""

    object_name: str
    first_number: int
    description: str

    def make_record(self, site: Site, exam: ExamRecord, step: StepRecord | None, at: float) -> SeriesRecord:
        """The series as it goes on record. Raises :class:`UsageError` where the device does not make the object."""
        check_made(site, self.object_name)
        earlier = sum(series.object_name == self.object_name for series in exam.series)
        return SeriesRecord(
            series_instance_uid=find_uid_maker(site).new(),
            number=self.first_number + earlier,
            object_name=self.object_name,
            modality=site.profile.find_object(self.object_name).modality,
            description=self.description,
            started=at,
            step_uid=step.sop_instance_uid if step else "",
        )


def check_made(site: Site, object_name: str) -> ObjectDefinition:
    """How the object is made. Raises :class:`UsageError` where this device does not make it."""
    if not site.profile.makes(object_name):
        raise UsageError(f"the device of profile {site.profile.name} makes no {object_name}")
    return make_definition(site, object_name)
