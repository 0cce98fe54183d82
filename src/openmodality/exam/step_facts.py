"""Gathers the facts of a performed step from the record of its exam, and builds the attribute lists from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydicom import Dataset

from openmodality.device.mapping import map_to_mpps, map_to_performed_series
from openmodality.device.site.site import Site
from openmodality.exam.facts import describe_equipment, list_items
from openmodality.objects.performed_step.step_attributes import (
    SeriesOfStep,
    StepBeginning,
    StepEnd,
    StepFacts,
    build_beginning,
    build_end,
)
from openmodality.objects.performed_step.step_table import StepOperation, make_step_table
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import Ending, ExamRecord, SeriesRecord, StepRecord
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class SeriesContent:
    """A series with the instances that were made in it."""

    series: SeriesRecord
    instances: Sequence[InstanceReference]


def build_n_create(site: Site, exam: ExamRecord, step_id: str, modality: str, now: datetime) -> Dataset:
    """The attribute list of N-CREATE, the step IN PROGRESS; ``modality`` goes before that of the worklist.

    Raises :class:`ObjectInvalid` where a required attribute has no value.
    """
    table = make_step_table(site, StepOperation.BEGIN)
    beginning = StepBeginning(step_id, modality, site.profile.modalities[0], now)
    return build_beginning(table, _find_facts(site, exam), beginning)


def build_n_set(
    site: Site, exam: ExamRecord, step: StepRecord, ending: Ending, content: Iterable[SeriesContent], added: Dataset
) -> Dataset:
    """The attribute list of the final N-SET: every series and every instance that the step produced.

    ``added`` is what the producers say of the step, such as the dose.

    Raises :class:`ObjectInvalid` where a required attribute has no value.
    """
    series = [_describe_series(site, each) for each in content]
    at = datetime.fromtimestamp(ending.at)
    end = StepEnd(ending.state, at, ending.reason, series, added, from_json(step.n_create))
    return build_end(make_step_table(site, StepOperation.END), _find_facts(site, exam), end)


def _find_facts(site: Site, exam: ExamRecord) -> StepFacts:
    items = list_items(exam)
    configuration = describe_equipment(site)
    configuration.PerformedStationAETitle = site.calling_ae("mpps").ae_title
    return StepFacts(
        study_instance_uid=exam.study_instance_uid,
        study_id=exam.study_id,
        worklist=map_to_mpps(items, site.mapping),
        performed_series=map_to_performed_series(items, site.mapping),
        user=from_json(exam.user),
        configuration=configuration,
        local_accession_number="" if exam.scheduled else exam.accession_number,
    )


def _describe_series(site: Site, content: SeriesContent) -> SeriesOfStep:
    series = content.series
    archives = site.peers_for("storage")
    protocol_name = str(from_json(series.attributes).get("ProtocolName") or series.description or series.modality)
    return SeriesOfStep(
        series_instance_uid=series.series_instance_uid,
        description=series.description,
        protocol_name=protocol_name,
        retrieve_ae_title=next((each.ae_title for each in archives if each.ae_title), ""),
        instances=[(each.SOPClassUID, each.SOPInstanceUID) for each in content.instances],
    )
