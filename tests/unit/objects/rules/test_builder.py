"""The builder, on small tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from openmodality.device.profile.conditions import STEP_IN_PROGRESS, parse_expression
from openmodality.device.profile.profile import Requirement, ValueSource
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.builder import Draft, build
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.elements import make_element
from openmodality.objects.rules.sources import SourceValues
from tests.rule_tables import data, rule, table_of


def test_presence_without_a_value() -> None:
    rules = (
        rule("PatientName", "VNAP"), rule("StudyID", "2"), rule("PatientOrientation", "EMPTY"),
        rule("OtherPatientIDs", "ANAP"), rule("EthnicGroup", "3"), rule("EchoTime", "1C"), rule("Laterality", "2C"),
        rule("ReferencedStudySequence", "ALWAYS"), rule("PatientAge", "ALWAYS"),
    )  # fmt: skip
    built = build(table_of(*rules), SourceValues())
    assert [element.keyword for element in built] == [
        "ReferencedStudySequence", "PatientName", "PatientAge", "StudyID", "PatientOrientation",
    ]  # fmt: skip
    assert all(element.is_empty for element in built)


@pytest.mark.parametrize("requirement", ["1", "2", "3", "1C", "2C", "ALWAYS", "VNAP", "ANAP"])
def test_a_value_is_always_sent(requirement: Requirement) -> None:
    built = build(table_of(rule("StudyID", requirement)), SourceValues(automatic=data(StudyID="7")))
    assert built.StudyID == "7"


def test_empty_means_empty() -> None:
    found = table_of(rule("PatientOrientation", "EMPTY"))
    assert (
        build(found, SourceValues()).PatientOrientation is None or not build(found, SourceValues()).PatientOrientation
    )


@pytest.mark.parametrize("requirement", ["1", "ALWAYS"])
def test_a_missing_mandatory_value_names_module_tag_and_keyword(requirement: Requirement) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        build(table_of(rule("ScanningSequence", requirement, "ACQ", module="MR Image")), SourceValues())
    assert caught.value.message == "Test Object: (0018,0020) ScanningSequence of the MR Image module has no value"
    assert "the acquisition" in caught.value.advice


@pytest.mark.parametrize(
    ("sources", "found"),
    [(("MWL",), "worklist"), (("USER",), "user"), (("CONFIG",), "config"), (("AUTO",), "auto"), (("ACQ",), "acq")],
)
def test_each_source_is_a_place(sources: tuple[ValueSource, ...], found: str) -> None:
    places = {
        "worklist": data(StudyDescription="worklist"), "user": data(StudyDescription="user"),
        "configuration": data(StudyDescription="config"), "automatic": data(StudyDescription="auto"),
        "acquisition": data(StudyDescription="acq"),
    }  # fmt: skip
    built = build(table_of(rule("StudyDescription", "ANAP", *sources)), SourceValues(**places))
    assert built.StudyDescription == found


def test_sources_are_asked_in_their_order() -> None:
    both = table_of(rule("PatientName", "VNAP", "MWL", "USER"))
    user = data(PatientName="Typed")
    assert build(both, SourceValues(worklist=data(PatientName="Item"), user=user)).PatientName == "Item"
    assert build(both, SourceValues(worklist=data(PatientName=""), user=user)).PatientName == "Typed"
    only_worklist = table_of(rule("PatientName", "ANAP", "MWL"))
    assert "PatientName" not in build(only_worklist, SourceValues(user=user))


def test_a_value_that_is_not_enumerated_gives_way_to_the_next_source() -> None:
    modality = table_of(rule("Modality", "ALWAYS", "MWL", "USER", value_rule="enumerated", values=("XA", "RF")))
    values = SourceValues(worklist=data(Modality="CR"), user=data(Modality="XA"))
    assert build(modality, values).Modality == "XA"
    assert build(modality, SourceValues(worklist=data(Modality="CR"), automatic=data(Modality="RF"))).Modality == "RF"


def test_defined_terms_may_be_extended() -> None:
    part = table_of(rule("BodyPartExamined", "VNAP", "USER", value_rule="defined", values=("SKULL",)))
    assert build(part, SourceValues(user=data(BodyPartExamined="TOE"))).BodyPartExamined == "TOE"


def test_a_fixed_value_wins() -> None:
    fixed = table_of(rule("BitsAllocated", "ALWAYS", "ACQ", value_rule="fixed", values=("16",)))
    assert build(fixed, SourceValues(acquisition=data(BitsAllocated=8))).BitsAllocated == 16


def test_a_kit_that_is_not_installed_measures_zero() -> None:
    dose = table_of(rule("EntranceDose", "ANAP", "ACQ", condition="0 unless kits.dap"))
    values = SourceValues(acquisition=data(EntranceDose=3))
    assert build(dose, values).EntranceDose == 3
    assert build(replace(dose, switches_off=frozenset({"kits.dap"})), values).EntranceDose == 0


def test_the_strictest_of_two_rules_holds_wherever_it_stands() -> None:
    two = table_of(rule("InstanceNumber", "VNAP"), rule("InstanceNumber", "ALWAYS", module="SOP Common"))
    with pytest.raises(ObjectInvalid, match="SOP Common"):
        build(two, SourceValues())


CODE_RULES = (
    rule("PerformedProtocolCodeSequence", "VNAP", "MWL"),
    rule("PerformedProtocolCodeSequence>CodeValue", "VNAP", "MWL"),
    rule("PerformedProtocolCodeSequence>CodingSchemeVersion", "VNAP", "MWL"),
    rule("PerformedProtocolCodeSequence>CodeMeaning", "VNAP", "MWL"),
)


def test_items_are_walked_with_the_rules_below() -> None:
    items = [data(CodeValue="1", CodeMeaning="One", MappingResource="X"), data(CodeValue="2")]
    built = build(table_of(*CODE_RULES), SourceValues(worklist=data(PerformedProtocolCodeSequence=items)))
    first, second = built.PerformedProtocolCodeSequence
    assert [element.keyword for element in first] == ["CodeValue", "CodeMeaning"]
    # An empty Type 1 attribute would break PS3.5 7.4.1, so it is left out.
    assert [element.keyword for element in second] == ["CodeValue"]


def test_a_sequence_without_rules_below_is_taken_whole() -> None:
    inner = data(CodeValue="1", SpecificCharacterSet="ISO_IR 100")
    whole = table_of(rule("ProcedureCodeSequence", "3", "MWL"))
    built = build(
        whole, SourceValues(worklist=data(ProcedureCodeSequence=[data(CodeValue="0", EquivalentCodeSequence=[inner])]))
    )
    (item,) = built.ProcedureCodeSequence
    assert [element.keyword for element in item.EquivalentCodeSequence[0]] == ["CodeValue"]


def test_an_optional_module_is_absent_when_it_has_nothing_to_say() -> None:
    table = table_of(
        rule("TableMotion", "ALWAYS", "ACQ", module="X-Ray Table", value_rule="fixed", values=("DYNAMIC",)),
        rule("TableAngle", "VNAP", "ACQ", module="X-Ray Table"),
        rule("TableLateralIncrement", "VNAP", "ACQ", module="X-Ray Table"),
        optional=("X-Ray Table",),
    )
    assert len(build(table, SourceValues())) == 0
    built = build(table, SourceValues(acquisition=data(TableAngle="10")))
    assert (built.TableMotion, float(built.TableAngle)) == ("DYNAMIC", 10.0)
    assert "TableLateralIncrement" in built


def test_what_is_built_is_a_copy() -> None:
    item = data(CodeValue="1")
    worklist = data(PerformedProtocolCodeSequence=[item])
    built = build(table_of(*CODE_RULES), SourceValues(worklist=worklist))
    built.PerformedProtocolCodeSequence[0].CodeValue = "2"
    assert item.CodeValue == "1"


def test_values_that_break_their_vr_are_passed_on_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    worklist = Dataset()
    worklist.add(make_element(0x00080050, "SH", "SECRET" * 9))
    accession = table_of(rule("AccessionNumber", "ALWAYS", "MWL"))
    assert build(accession, SourceValues(worklist=worklist)).AccessionNumber == "SECRET" * 9
    assert "SECRET" not in caplog.text


MODULES = (
    rule("TableAngle", "VNAP", "ACQ", module="X-Ray Table"),
    rule("TableMotion", "1", "ACQ", module="X-Ray Table", value_rule="fixed", values=("DYNAMIC",)),
    rule("StudyID", "1", "AUTO"),
    rule("PixelSpacing", "1", "ACQ"),
    rule("ReferencedStudySequence", "3", "MWL"),
    rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1", "MWL"),
)


def test_a_draft_gives_each_instance_its_own_values() -> None:
    common = SourceValues(worklist=data(ReferencedStudySequence=[data(ReferencedSOPInstanceUID="1.2")]),
                          automatic=data(StudyID="7"), acquisition=data(PixelSpacing=[1, 1]))  # fmt: skip
    draft = Draft(table_of(*MODULES, optional=("X-Ray Table",)), common)
    plain = draft.build()
    tilted = draft.build(SourceValues(acquisition=data(TableAngle="10", PixelSpacing=[2, 2])))
    again = draft.build(SourceValues(automatic=data(StudyID="8")))
    assert [list(each.PixelSpacing) for each in (plain, tilted, again)] == [[1, 1], [2, 2], [1, 1]]
    assert ["TableMotion" in each for each in (plain, tilted, again)] == [False, True, False]
    assert [each.StudyID for each in (plain, tilted, again)] == ["7", "7", "8"]


def test_instances_of_a_draft_share_no_element() -> None:
    common = SourceValues(worklist=data(ReferencedStudySequence=[data(ReferencedSOPInstanceUID="1.2")]),
                          automatic=data(StudyID="7"), acquisition=data(PixelSpacing=[1, 1]))  # fmt: skip
    draft = Draft(table_of(*MODULES, optional=("X-Ray Table",)), common)
    first, second = draft.build(), draft.build()
    first.StudyID, first.PixelSpacing[0] = "changed", 9
    first.ReferencedStudySequence[0].ReferencedSOPInstanceUID = "1.3"
    assert (second.StudyID, second.PixelSpacing[0]) == ("7", 1)
    assert second.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.2"


def test_a_draft_refuses_only_the_instance_that_lacks_a_value() -> None:
    draft = Draft(table_of(*MODULES), SourceValues(automatic=data(StudyID="7")))
    with pytest.raises(ObjectInvalid, match="PixelSpacing"):
        draft.build()
    assert draft.build(SourceValues(acquisition=data(PixelSpacing=[1, 1]))).StudyID == "7"


def test_empty_is_empty_whatever_is_known() -> None:
    found = table_of(rule("PatientOrientation", "EMPTY", "ACQ"))
    built = build(found, SourceValues(acquisition=data(PatientOrientation=["L", "P"])))
    assert built["PatientOrientation"].is_empty


@pytest.mark.parametrize(("requirement", "sent"), [("2C", True), ("3", False), ("1C", False)])
def test_a_condition_that_does_not_hold(requirement: Requirement, sent: bool) -> None:
    """A conditional type is only not required then; an attribute of another type is not sent."""
    table = table_of(rule("StudyID", "3"), rule("Laterality", requirement, condition="when StudyID is known"))
    held = build(table, SourceValues(automatic=data(StudyID="7", Laterality="L")))
    assert held.Laterality == "L"
    void = build(table, SourceValues(automatic=data(Laterality="L")))
    assert ("Laterality" in void) is (requirement != "3")
    if requirement == "1C":
        with pytest.raises(ObjectInvalid, match="Laterality"):
            build(table, SourceValues(automatic=data(StudyID="7")))
    else:
        assert ("Laterality" in build(table, SourceValues(automatic=data(StudyID="7")))) is sent


def test_a_module_is_there_where_its_condition_holds() -> None:
    rows = (rule("PatientAge", "3", module="Patient Study"), rule("PatientWeight", "3", module="Patient Study"))
    condition = parse_expression("PatientAge is known")
    table = RuleTable("Test Object", rows, module_conditions={"Patient Study": condition})
    assert len(build(table, SourceValues(automatic=data(PatientWeight="70")))) == 0
    assert len(build(table, SourceValues(automatic=data(PatientWeight="70", PatientAge="010Y")))) == 2


def test_a_value_may_follow_from_a_fact_or_from_another_attribute() -> None:
    table = table_of(
        rule("HighBit", "1", "ACQ", condition="one less than BitsStored"),
        rule("BitsStored", "1", "ACQ"),
        rule("CompletionFlag", "1", "AUTO", condition="PARTIAL while the step is IN PROGRESS"),
    )
    values = SourceValues(acquisition=data(BitsStored=12), automatic=data(CompletionFlag="COMPLETE"))
    done = build(table, values)
    assert (done.HighBit, done.CompletionFlag) == (11, "COMPLETE")
    assert build(table, values, facts=frozenset({STEP_IN_PROGRESS})).CompletionFlag == "PARTIAL"
