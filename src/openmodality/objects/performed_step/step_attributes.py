"""Builds the attribute lists of a performed procedure step: what is known of it, chosen by the table of the profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

from openmodality.device import charsets
from openmodality.objects.exam_facts import format_moment
from openmodality.objects.references import drop_broken_references, refer_to_instance
from openmodality.objects.rules.builder import build
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.elements import copy_item, data_set_of
from openmodality.objects.rules.sources import SourceValues
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.sop_classes import is_image
from openmodality.value_class import dataclass

_PERFORMERS: Final = ("OperatorsName", "PerformingPhysicianName")


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What does not change while a step is performed.

    ``worklist`` and ``performed_series`` are the worklist items after the attribute mapping: for the step, and for each
    of its series. ``user`` is what the operator typed, ``configuration`` the equipment. ``local_accession_number`` is
    that of an exam without a worklist item.
    """

    study_instance_uid: str
    study_id: str
    worklist: Dataset
    performed_series: Dataset
    user: Dataset
    configuration: Dataset
    local_accession_number: str = ""


@dataclass(frozen=True, slots=True)
class StepBeginning:
    """How a step begins: with the modality that was asked for, else that of the worklist, else the device's own."""

    step_id: str
    asked_modality: str
    own_modality: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SeriesOfStep:
    """A series that a step made. ``instances`` are pairs of SOP Class UID and SOP Instance UID."""

    series_instance_uid: str
    description: str
    protocol_name: str
    retrieve_ae_title: str
    instances: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ends.

    ``reason`` is a code value of CID 9300, for a step that is DISCONTINUED. ``added`` are attributes that those who
    made the series add, such as the dose. ``begun`` is the attribute list of the step's N-CREATE.
    """

    status: StepStatus
    at: datetime
    reason: str
    series: Sequence[SeriesOfStep]
    added: Dataset = field(default_factory=Dataset)
    begun: Dataset = field(default_factory=Dataset)


def build_beginning(table: RuleTable, facts: StepFacts, beginning: StepBeginning) -> Dataset:
    """The attribute list of N-CREATE, the step IN PROGRESS.

    Raises :class:`ObjectInvalid` where a required attribute has no value.
    """
    day, time = format_moment(beginning.at)
    automatic = data_set_of(
        PerformedProcedureStepID=beginning.step_id,
        PerformedProcedureStepStartDate=day,
        PerformedProcedureStepStartTime=time,
        PerformedProcedureStepStatus=StepStatus.IN_PROGRESS,
        StudyID=facts.study_id,
        Modality=beginning.own_modality,
        ScheduledStepAttributesSequence=list(_list_scheduled_steps(facts)),
    )
    own = SourceValues(user=data_set_of(Modality=beginning.asked_modality), automatic=automatic)
    data_set = _build(table, facts, own)
    charsets.declare(data_set, table.character_sets, table.charset_attributes)
    return data_set


def build_end(table: RuleTable, facts: StepFacts, end: StepEnd) -> Dataset:
    """The attribute list of the final N-SET: every series and every instance that the step produced.

    Its Specific Character Set takes the place of that of N-CREATE in the step of the RIS, so it is the same one where
    that holds its text.

    Raises :class:`ObjectInvalid` where a required attribute has no value.
    """
    day, time = format_moment(end.at)
    automatic = data_set_of(
        PerformedProcedureStepEndDate=day,
        PerformedProcedureStepEndTime=time,
        PerformedProcedureStepStatus=end.status,
        PerformedSeriesSequence=[_describe_series(facts, series) for series in end.series],
    )
    user = Dataset()
    if end.reason:
        user.PerformedProcedureStepDiscontinuationReasonCodeSequence = [_make_reason(end.reason)]
    data_set = _build(table, facts, SourceValues(user=user, acquisition=end.added, automatic=automatic))
    charsets.declare_for_both(data_set, end.begun, table.character_sets, table.charset_attributes)
    return data_set


def _build(table: RuleTable, facts: StepFacts, own: SourceValues) -> Dataset:
    user = Dataset()
    user.update(facts.user)
    user.update(own.user)
    worklist = drop_broken_references(facts.worklist)
    return build(table, SourceValues(worklist, user, facts.configuration, own.acquisition, own.automatic))


def _list_scheduled_steps(facts: StepFacts) -> Iterable[Dataset]:
    """The scheduled steps that the performed one answers; one item for an exam that nobody scheduled."""
    for scheduled in facts.worklist.get("ScheduledStepAttributesSequence") or [Dataset()]:
        item = drop_broken_references(scheduled)
        item.StudyInstanceUID = item.get("StudyInstanceUID") or facts.study_instance_uid
        if facts.local_accession_number:
            item.AccessionNumber = facts.local_accession_number
        yield item


def _describe_series(facts: StepFacts, series: SeriesOfStep) -> Dataset:
    item = copy_item(facts.performed_series)
    for keyword in _PERFORMERS:
        if not item.get(keyword) and facts.user.get(keyword):
            setattr(item, keyword, str(facts.user.get(keyword)))
    item.SeriesInstanceUID = series.series_instance_uid
    item.SeriesDescription = series.description
    item.ProtocolName = series.protocol_name
    item.RetrieveAETitle = series.retrieve_ae_title
    images = [pair for pair in series.instances if is_image(pair[0])]
    others = [pair for pair in series.instances if not is_image(pair[0])]
    item.ReferencedImageSequence = [refer_to_instance(*pair) for pair in images]
    item.ReferencedNonImageCompositeSOPInstanceSequence = [refer_to_instance(*pair) for pair in others]
    return item


def _make_reason(code_value: str) -> Dataset:
    reason = DISCONTINUATION_REASONS[code_value]
    return data_set_of(CodeValue=reason.code_value, CodingSchemeDesignator="DCM", CodeMeaning=reason.meaning)
