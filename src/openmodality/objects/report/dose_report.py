"""X-Ray Radiation Dose SR of a projection X-ray exam, as an instance (PS3.3 A.35.8; R/F Table 8.1-28).

While the performed procedure step is IN PROGRESS the report is PARTIAL, when the step ends it is COMPLETE (DECISIONS
R/F 44).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from openmodality.device.profile.conditions import STEP_IN_PROGRESS
from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    refer_to_step,
)
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.references import refer_to_instance
from openmodality.objects.report.content_items import CONTENT_SEQUENCE
from openmodality.objects.report.dose_content import DoseContent, ImageReference
from openmodality.objects.report.tid_10001 import make_dose_report
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import copy_item


def build_dose_report(
    definition: ObjectDefinition, exam: ExamFacts, series: SeriesFacts, instance: InstanceFacts, content: DoseContent
) -> Dataset:
    """The report as a data set with its file meta information; its content tree is encoded already.

    Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
    """
    values = find_common_values(exam, series)
    values.automatic.CompletionFlag = "COMPLETE"  # the table says PARTIAL while the step is in progress
    values.automatic.VerificationFlag = "UNVERIFIED"
    facts = frozenset[str]() if content.complete else frozenset({STEP_IN_PROGRESS})
    root = make_dose_report(exam, content)
    items = root.take_items(CONTENT_SEQUENCE)
    document = root.to_data_set()
    document.update(_list_references(exam))
    document.update(_list_evidence(exam, content))
    document.update(_list_predecessors(exam, content))
    builder = InstanceBuilder(definition, values, facts)
    return builder.build(find_own_values(series, instance, Dataset()), document, {CONTENT_SEQUENCE: items})


def _list_references(exam: ExamFacts) -> Dataset:
    """The performed step that the report tells of, and the requests that it answers, as far as they are known.

    The table of the R/F statement calls the step "Not Applicable" (Table 8.1-25), with which no dose registry could
    tell to which step a report belongs: ADR 36.
    """
    data_set = Dataset()
    data_set.ReferencedPerformedProcedureStepSequence = [refer_to_step(exam.step)] if exam.step else []
    if exam.requests:
        data_set.ReferencedRequestSequence = [copy_item(request) for request in exam.requests]
    return data_set


def _list_evidence(exam: ExamFacts, content: DoseContent) -> Dataset:
    """Current Requested Procedure Evidence Sequence (0040,A375): all images that the report refers to, by series."""
    images = [image for event in content.events for image in content.images.get(event.uid, ())]
    data_set = Dataset()
    if images:
        data_set.CurrentRequestedProcedureEvidenceSequence = [_refer_to_study(exam, images)]
    return data_set


def _list_predecessors(exam: ExamFacts, content: DoseContent) -> Dataset:
    """Predecessor Documents Sequence (0040,A360): the reports that were made while the step was in progress."""
    data_set = Dataset()
    if content.predecessors:
        data_set.PredecessorDocumentsSequence = [_refer_to_study(exam, content.predecessors)]
    return data_set


def _refer_to_study(exam: ExamFacts, instances: Sequence[ImageReference]) -> Dataset:
    by_series: dict[str, list[Dataset]] = {}
    for each in instances:
        item = refer_to_instance(each.sop_class_uid, each.sop_instance_uid)
        by_series.setdefault(each.series_instance_uid, []).append(item)
    study = Dataset()
    study.ReferencedSeriesSequence = [_refer_to_series(uid, items) for uid, items in by_series.items()]
    study.StudyInstanceUID = exam.study_instance_uid
    return study


def _refer_to_series(series_instance_uid: str, items: list[Dataset]) -> Dataset:
    data_set = Dataset()
    data_set.ReferencedSOPSequence = items
    data_set.SeriesInstanceUID = series_instance_uid
    return data_set
