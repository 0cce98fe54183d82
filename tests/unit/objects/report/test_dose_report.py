"""The dose report as an instance: header, evidence, character set."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataelem import RawDataElement

from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts
from openmodality.objects.report.dose_content import DoseContent, DoseUnitsName, ImageReference
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.rules.check import check
from openmodality.objects.rules.elements import copy_element
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP, X_RAY_RADIATION_DOSE_SR_STORAGE
from tests.content_tree import find_items
from tests.made_objects import NAMES, NOW, UIDS, changed, definition_of, exam, irradiation_events, report, worklist


def test_header_follows_the_statement() -> None:
    data_set = report(worklist(NAMES["ascii"]))
    definition = definition_of("rf", "Dose SR")
    assert check(data_set, definition) == []
    assert (data_set.Modality, data_set.SeriesNumber, data_set.InstanceNumber) == ("SR", 9001, 1)
    (step,) = data_set.ReferencedPerformedProcedureStepSequence
    assert step.ReferencedSOPClassUID == MODALITY_PERFORMED_PROCEDURE_STEP
    assert "ReferencedRequestSequence" not in data_set
    assert len(data_set.PerformedProcedureCodeSequence) == 0
    assert data_set.VerificationFlag == "UNVERIFIED"
    assert (data_set.PatientAge, data_set.SeriesDescription) == ("056Y", "Dose report")
    assert data_set.InstitutionName == "Test Hospital"
    assert data_set.PerformedProcedureStepStartDate == "20261122"


def test_the_reports_before_it_are_named() -> None:
    earlier = ImageReference(X_RAY_RADIATION_DOSE_SR_STORAGE, "1.2.3.4", "1.2.3")
    content = DoseContent(irradiation_events(), True, UIDS(), predecessors=[earlier])
    series = SeriesFacts(UIDS(), 9001, NOW, "SR")
    data_set = build_dose_report(
        definition_of("rf", "Dose SR"), exam(None), series, InstanceFacts(UIDS(), 2, NOW), content
    )
    (study,) = data_set.PredecessorDocumentsSequence
    (named,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert (named.ReferencedSOPInstanceUID, data_set.InstanceNumber) == ("1.2.3.4", 2)


def test_it_names_the_step_and_the_requests_that_it_answers() -> None:
    request = Dataset()
    request.StudyInstanceUID, request.AccessionNumber, request.RequestedProcedureID = "1.2.3", "A1", "RP1"
    facts = replace(exam(None), requests=(request,))
    data_set = _build(facts)
    (step,) = data_set.ReferencedPerformedProcedureStepSequence
    assert facts.step is not None
    assert step.ReferencedSOPInstanceUID == facts.step.sop_instance_uid
    assert [item.AccessionNumber for item in data_set.ReferencedRequestSequence] == ["A1"]
    assert check(data_set, definition_of("rf", "Dose SR")) == []


def test_without_a_performed_step_it_names_none() -> None:
    data_set = _build(replace(exam(None), step=None))
    assert len(data_set.ReferencedPerformedProcedureStepSequence) == 0


def _build(facts: ExamFacts, content: DoseContent | None = None) -> Dataset:
    return build_dose_report(
        definition_of("rf", "Dose SR"), facts, SeriesFacts(UIDS(), 9001, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW),
        content or DoseContent(irradiation_events(), True, UIDS()),
    )  # fmt: skip


@pytest.mark.parametrize(("complete", "flag"), [(True, "COMPLETE"), (False, "PARTIAL")])
def test_it_is_complete_when_the_step_ends(complete: bool, flag: str) -> None:
    assert report(None, complete=complete).CompletionFlag == flag


def test_events_refer_to_their_images_and_the_evidence_lists_them() -> None:
    data_set = report(None)
    referred = {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in find_items(data_set, "113795")}
    (study,) = data_set.CurrentRequestedProcedureEvidenceSequence
    listed = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert referred == listed
    assert study.StudyInstanceUID == data_set.StudyInstanceUID


def test_the_protocol_name_counts_for_the_character_set() -> None:
    events = [changed(irradiation_events()[0], AcquisitionProtocol="胃")]
    definition = definition_of("rf", "Dose SR")
    data_set = build_dose_report(
        definition, exam(None), SeriesFacts(UIDS(), 9001, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW),
        DoseContent(events, True, UIDS()),
    )  # fmt: skip
    assert data_set.SpecificCharacterSet == "GB18030"


@pytest.mark.parametrize("written", ["ascii", "latin", "japanese", "chinese"])
@pytest.mark.parametrize("units", ["standard", "statement"])
def test_the_encoded_tree_is_what_pydicom_writes(written: str, units: DoseUnitsName) -> None:
    event = changed(irradiation_events()[0], AcquisitionProtocol=NAMES[written], Comment="a \\ and\r\nb")
    made = _build(exam(worklist(NAMES[written])), DoseContent([event], True, UIDS(), units=units))
    assert isinstance(made.get_item("ContentSequence"), RawDataElement)
    file = _write(made)
    rebuilt = Dataset()
    rebuilt.update({element.tag: copy_element(element) for element in made})
    rebuilt.file_meta = made.file_meta
    assert _write(rebuilt) == file
    read = dcmread(BytesIO(file))
    for data_set in (made, read):
        (protocol,) = {item.TextValue for item in find_items(data_set, "125203")}
        assert protocol == NAMES[written]
    assert read == made


def _write(data_set: Dataset) -> bytes:
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()
