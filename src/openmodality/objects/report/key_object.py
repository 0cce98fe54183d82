"""Key Object Selection Document, as an instance (PS3.3 A.35.4; MR Annex A, Table 13.6)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    refer_to_step,
)
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.references import list_evidence
from openmodality.objects.report.tid_2010 import KeyObjects, make_key_object_content
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import copy_item


def build_key_object(
    definition: ObjectDefinition,
    exam: ExamFacts,
    series: SeriesFacts,
    instance: InstanceFacts,
    content: KeyObjects,
) -> Dataset:
    """The document as a data set with its file meta information.

    Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
    """
    values = find_common_values(exam, series)
    document = values.automatic
    document.update(make_key_object_content(content, exam.configuration).to_data_set())
    document.CurrentRequestedProcedureEvidenceSequence = list_evidence(content.references)
    document.ReferencedPerformedProcedureStepSequence = [refer_to_step(exam.step)] if exam.step else []
    if exam.requests:
        document.ReferencedRequestSequence = [copy_item(request) for request in exam.requests]
    if content.identical:
        document.IdenticalDocumentsSequence = list_evidence(content.identical)
    return InstanceBuilder(definition, values).build(find_own_values(series, instance, Dataset()))
