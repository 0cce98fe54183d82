"""X-Ray Radiation Dose SR of a projection X-ray exam, as an instance (PS3.3 A.35.8; R/F Table 8.1-28).

While the performed procedure step is IN PROGRESS the report is PARTIAL, when the step ends it is COMPLETE (DECISIONS
R/F 44).
"""

from __future__ import annotations

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
from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.tid_10001 import make_dose_report
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import copy_item


def build_dose_report(
    definition: ObjectDefinition, exam: ExamFacts, series: SeriesFacts, instance: InstanceFacts, content: DoseContent
) -> Dataset:
    """The report as a data set with its file meta information.

    Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
    """
    values = find_common_values(exam, series)
    values.automatic.CompletionFlag = "COMPLETE"
    values.automatic.VerificationFlag = "UNVERIFIED"
    facts = frozenset[str]() if content.complete else frozenset({STEP_IN_PROGRESS})
    document = make_dose_report(exam, content)
    document.update(_list_references(exam))
    document.update(_list_evidence(exam, content))
    builder = InstanceBuilder(definition, values, facts)
    return builder.build(find_own_values(series, instance, Dataset()), document)


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
    by_series: dict[str, list[Dataset]] = {}
    for event in content.events:
        for image in content.images.get(event.uid, ()):
            item = Dataset()
            item.ReferencedSOPClassUID = image.sop_class_uid
            item.ReferencedSOPInstanceUID = image.sop_instance_uid
            by_series.setdefault(image.series_instance_uid, []).append(item)
    data_set = Dataset()
    if by_series:
        study = Dataset()
        study.ReferencedSeriesSequence = [_refer_to_series(uid, items) for uid, items in by_series.items()]
        study.StudyInstanceUID = exam.study_instance_uid
        data_set.CurrentRequestedProcedureEvidenceSequence = [study]
    return data_set


def _refer_to_series(series_instance_uid: str, items: list[Dataset]) -> Dataset:
    data_set = Dataset()
    data_set.ReferencedSOPSequence = items
    data_set.SeriesInstanceUID = series_instance_uid
    return data_set
