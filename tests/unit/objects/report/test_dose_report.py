"""The dose report as an instance: header, evidence, character set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.rules.check import check
from tests.content_tree import find_items
from tests.made_objects import NAMES, NOW, UIDS, definition_of, exam, irradiation_events, report, worklist


def test_header_follows_the_statement() -> None:
    data_set = report(worklist(NAMES["ascii"]))
    definition = definition_of("rf", "Dose SR")
    assert check(data_set, definition) == []
    assert (data_set.Modality, data_set.SeriesNumber, data_set.InstanceNumber) == ("SR", 9001, 1)
    assert len(data_set.ReferencedPerformedProcedureStepSequence) == 0
    assert len(data_set.PerformedProcedureCodeSequence) == 0
    assert data_set.VerificationFlag == "UNVERIFIED"
    assert "PatientAge" not in data_set


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
    events = [replace(irradiation_events()[0], protocol="胃")]
    definition = definition_of("rf", "Dose SR")
    data_set = build_dose_report(
        definition, exam(None), SeriesFacts(UIDS(), 9001, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW),
        DoseContent(events, True, UIDS()),
    )  # fmt: skip
    assert data_set.SpecificCharacterSet == "GB18030"
