"""What N-CREATE and N-SET say, by the tables of both devices."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.device.site.site_loader import load_site
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.errors import ObjectInvalid
from openmodality.objects.performed_step.step_attributes import (
    SeriesOfStep,
    StepBeginning,
    StepEnd,
    StepFacts,
    build_beginning,
    build_end,
)
from openmodality.objects.performed_step.step_table import StepOperation, make_step_table
from openmodality.objects.report.dose_summary import sum_radiation_dose
from openmodality.objects.rules.definition import RuleTable
from openmodality.standard.performed_step import StepStatus
from tests.made_objects import irradiation_events
from tests.rule_tables import data

PROFILES = pytest.mark.parametrize("profile", ["mr", "rf"])
NOW = datetime(2026, 11, 29, 13, 0)
BEGINNING = StepBeginning("7.1", "", "MR", NOW)
IMAGE = ("1.2.840.10008.5.1.4.1.1.4", "1.2.6.1")
REPORT = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.6.2")
END = StepEnd(StepStatus.COMPLETED, NOW, "", [SeriesOfStep("1.2.5", "T1", "T1 SE", "ARCHIVE", [IMAGE, REPORT])])


def facts(worklist: Dataset | None = None, **user: object) -> StepFacts:
    equipment = data(PerformedStationAETitle="OM_MR", PerformedStationName="ROOM1")
    return StepFacts("1.2.3", "7", worklist or Dataset(), Dataset(), data(PatientID="U1", **user), equipment)


def table(folder: Path, profile: str, operation: StepOperation, more: str = "") -> RuleTable:
    (folder / "site.toml").write_text(f'profile = "{profile}"\n{more}', encoding="utf-8")
    return make_step_table(load_site(folder / "site.toml"), operation)


@PROFILES
def test_a_step_begins_in_progress_with_one_item_for_what_nobody_scheduled(tmp_path: Path, profile: str) -> None:
    begun = build_beginning(
        table(tmp_path, profile, StepOperation.BEGIN), replace(facts(), local_accession_number="L1"), BEGINNING
    )
    (scheduled,) = begun.ScheduledStepAttributesSequence
    assert (scheduled.StudyInstanceUID, scheduled.AccessionNumber) == ("1.2.3", "L1")
    assert scheduled["RequestedProcedureID"].is_empty
    assert (begun.PerformedProcedureStepStatus, begun.PerformedProcedureStepID) == ("IN PROGRESS", "7.1")
    assert (begun.PatientID, begun.Modality, begun.PerformedStationAETitle) == ("U1", "MR", "OM_MR")
    assert begun["PerformedSeriesSequence"].is_empty


@pytest.mark.parametrize(("asked", "scheduled", "sent"), [("XA", "RF", "XA"), ("", "RF", "RF"), ("", "", "MR")])
def test_the_modality_is_that_asked_for_or_scheduled_or_the_own(
    tmp_path: Path, asked: str, scheduled: str, sent: str
) -> None:
    beginning = replace(BEGINNING, asked_modality=asked)
    begun = build_beginning(table(tmp_path, "rf", StepOperation.BEGIN), facts(data(Modality=scheduled)), beginning)
    assert begun.Modality == sent


@PROFILES
def test_worklist_goes_before_operator(tmp_path: Path, profile: str) -> None:
    known = facts(data(PatientName="Item"), PatientName="Typed", PatientSex="O")
    begun = build_beginning(table(tmp_path, profile, StepOperation.BEGIN), known, BEGINNING)
    assert (begun.PatientName, begun.PatientSex) == ("Item", "O")


@pytest.mark.parametrize(("profile", "sent"), [("mr", "Typed"), ("rf", "")])
def test_the_description_is_the_operators_where_the_statement_allows(tmp_path: Path, profile: str, sent: str) -> None:
    known = facts(PerformedProcedureStepDescription="Typed")
    begun = build_beginning(table(tmp_path, profile, StepOperation.BEGIN), known, BEGINNING)
    assert str(begun.PerformedProcedureStepDescription or "") == sent


@PROFILES
def test_references_of_the_worklist_that_lack_a_uid_do_not_stop_an_exam(tmp_path: Path, profile: str) -> None:
    whole = data(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID="1.2.3.4")
    broken = data(ReferencedSOPInstanceUID="1.2.3.5")
    worklist = data(
        ReferencedPatientSequence=[broken],
        ScheduledStepAttributesSequence=[data(ReferencedStudySequence=[broken, whole])],
    )
    begun = build_beginning(table(tmp_path, profile, StepOperation.BEGIN), facts(worklist), BEGINNING)
    (scheduled,) = begun.ScheduledStepAttributesSequence
    assert [item.ReferencedSOPInstanceUID for item in scheduled.ReferencedStudySequence] == ["1.2.3.4"]
    assert len(begun.ReferencedPatientSequence) == 0
    assert len(worklist.ReferencedPatientSequence) == 1


@PROFILES
def test_a_step_ends_with_all_that_it_made(tmp_path: Path, profile: str) -> None:
    ended = build_end(table(tmp_path, profile, StepOperation.END), facts(OperatorsName="Op^O"), END)
    (series,) = ended.PerformedSeriesSequence
    assert (series.SeriesInstanceUID, series.ProtocolName, series.OperatorsName) == ("1.2.5", "T1 SE", "Op^O")
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedImageSequence] == [IMAGE[1]]
    others = series.ReferencedNonImageCompositeSOPInstanceSequence
    assert [item.ReferencedSOPInstanceUID for item in others] == [REPORT[1]]
    assert (ended.PerformedProcedureStepStatus, ended.PerformedProcedureStepEndDate) == ("COMPLETED", "20261129")
    assert "PerformedProcedureStepDiscontinuationReasonCodeSequence" not in ended
    assert "PatientID" not in ended
    assert series["RetrieveAETitle"].is_empty is (profile == "rf")


@PROFILES
def test_the_reason_goes_with_a_step_that_is_discontinued(tmp_path: Path, profile: str) -> None:
    end = replace(END, status=StepStatus.DISCONTINUED, reason="110514")
    ended = build_end(table(tmp_path, profile, StepOperation.END), facts(), end)
    (reason,) = ended.PerformedProcedureStepDiscontinuationReasonCodeSequence
    assert (reason.CodeValue, reason.CodingSchemeDesignator) == ("110514", "DCM")


def test_a_step_without_its_identifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        build_beginning(table(tmp_path, "mr", StepOperation.BEGIN), facts(), replace(BEGINNING, step_id=""))
    assert caught.value.message == (
        "N-CREATE of the performed procedure step: (0040,0253) PerformedProcedureStepID has no value"
    )


@pytest.mark.parametrize("is_installed", [True, False])
def test_without_a_dap_meter_the_doses_are_zero(tmp_path: Path, is_installed: bool) -> None:
    kits = f"\n[parameters.kits]\ndap = {str(is_installed).lower()}\n"
    end = replace(END, added=sum_radiation_dose(irradiation_events()))
    ended = build_end(table(tmp_path, "rf", StepOperation.END, kits), facts(), end)
    doses = (ended.EntranceDoseInmGy, ended.ImageAndFluoroscopyAreaDoseProduct)
    assert all((float(dose) > 0) is is_installed for dose in doses)
    assert len(ended.ExposureDoseSequence) == len(irradiation_events())


def test_the_character_set_is_that_of_the_text(tmp_path: Path) -> None:
    begun = build_beginning(table(tmp_path, "mr", StepOperation.BEGIN), facts(PatientName="Müller"), BEGINNING)
    assert begun.SpecificCharacterSet == "ISO_IR 100"


@pytest.mark.parametrize(
    ("profile", "name", "series", "begun_in", "ended_in"),
    [
        ("mr", "Yamada^Tarou=山田^太郎", "T1 SE", ["", "ISO 2022 IR 87"], ["", "ISO 2022 IR 87"]),
        ("mr", "Müller", "Schädel", "ISO_IR 100", "ISO_IR 100"),
        ("mr", "Smith", "Schädel", "ISO_IR 100", "ISO_IR 100"),
        ("mr", "Yamada^Tarou=山田^太郎", "Schädel", ["", "ISO 2022 IR 87"], "ISO_IR 192"),
        ("mr", "กข", "Schädel", "ISO_IR 192", "ISO_IR 192"),
        ("rf", "MÜLLER", "Magen", "GB18030", "GB18030"),
        ("rf", "Smith", "Magen", None, None),
        ("rf", "Smith", "Ösophagus", None, "GB18030"),
    ],
)
def test_the_end_of_a_step_leaves_its_character_set(
    tmp_path: Path, profile: str, name: str, series: str, begun_in: object, ended_in: object
) -> None:
    known = facts(PatientName=name)
    begun = build_beginning(table(tmp_path, profile, StepOperation.BEGIN), known, BEGINNING)
    assert begun.get("SpecificCharacterSet") == begun_in
    of_step = [SeriesOfStep("1.2.5", series, series, "ARCHIVE", [IMAGE])]
    ended = build_end(table(tmp_path, profile, StepOperation.END), known, replace(END, series=of_step, begun=begun))
    assert ended.get("SpecificCharacterSet") == ended_in


@pytest.mark.parametrize(
    ("profile", "name", "series"),
    [
        ("mr", "Yamada^Tarou=山田^太郎", "T1 SE"),
        ("mr", "Müller", "T1 SE"),
        ("mr", "Müller", "Schädel"),
        ("rf", "MÜLLER", "Magen"),
    ],
)
def test_a_ris_that_keeps_bytes_under_the_later_declaration_keeps_the_name(
    tmp_path: Path, profile: str, name: str, series: str
) -> None:
    known = facts(PatientName=name)
    begun = build_beginning(table(tmp_path, profile, StepOperation.BEGIN), known, BEGINNING)
    of_step = [SeriesOfStep("1.2.5", series, series, "ARCHIVE", [IMAGE])]
    ended = build_end(table(tmp_path, profile, StepOperation.END), known, replace(END, series=of_step, begun=begun))
    kept_bytes = encode_data_set(begun, ExplicitVRLittleEndian).removeprefix(_declare_alone(begun))
    step = decode_data_set(_declare_alone(ended) + kept_bytes, ExplicitVRLittleEndian)
    assert step.PatientName == name


def _declare_alone(data_set: Dataset) -> bytes:
    """The bytes of its Specific Character Set."""
    return encode_data_set(data(SpecificCharacterSet=data_set.SpecificCharacterSet), ExplicitVRLittleEndian)


def test_a_step_in_latin_1_where_the_site_says_so(tmp_path: Path) -> None:
    more = '[device]\ncharacter_sets = ["ISO_IR 100", "GB18030"]\n'
    begun = build_beginning(table(tmp_path, "rf", StepOperation.BEGIN, more), facts(PatientName="MÜLLER"), BEGINNING)
    assert begun.SpecificCharacterSet == "ISO_IR 100"
