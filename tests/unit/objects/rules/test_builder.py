"""The builder and the check, on a small table of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from openmodality.device.paths import parse_path
from openmodality.device.profile.profile import AttributeRule, Requirement, Source, ValueRule
from openmodality.dimse.attribute_names import vr_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.builder import build
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.elements import make_element
from openmodality.objects.rules.sources import SourceValues


def rule(
    path: str,
    requirement: Requirement,
    *sources: Source,
    module: str = "Test",
    value_rule: ValueRule = "",
    values: tuple[str, ...] = (),
    condition: str = "",
) -> AttributeRule:
    tags = parse_path(path)
    return AttributeRule(
        object="Test Object", ie="Image", module=module, usage="M", path=tags, keyword=path.rsplit(">", 1)[-1],
        vr=vr_of(tags[-1]), requirement=requirement, sources=sources or ("AUTO",), value_rule=value_rule,
        values=values, example="", condition=condition,
    )  # fmt: skip


def definition(*rules: AttributeRule, optional: tuple[str, ...] = ()) -> RuleTable:
    return RuleTable("Test Object", rules, frozenset(optional))


def data(**values: object) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


@pytest.mark.requirement("RF-8.1.1-02")
def test_presence_without_a_value() -> None:
    rules = (
        rule("PatientName", "VNAP"), rule("StudyID", "2"), rule("PatientOrientation", "EMPTY"),
        rule("OtherPatientIDs", "ANAP"), rule("EthnicGroup", "3"), rule("EchoTime", "1C"), rule("Laterality", "2C"),
        rule("ReferencedStudySequence", "ALWAYS"), rule("PatientAge", "ALWAYS"),
    )  # fmt: skip
    built = build(definition(*rules), SourceValues())
    assert [element.keyword for element in built] == [
        "ReferencedStudySequence", "PatientName", "PatientAge", "StudyID", "PatientOrientation",
    ]  # fmt: skip
    assert all(element.is_empty for element in built)


@pytest.mark.requirement("RF-8.1.1-02")
@pytest.mark.parametrize("requirement", ["1", "2", "3", "1C", "2C", "ALWAYS", "VNAP", "ANAP"])
def test_a_value_is_always_sent(requirement: Requirement) -> None:
    built = build(definition(rule("StudyID", requirement)), SourceValues(automatic=data(StudyID="7")))
    assert built.StudyID == "7"


@pytest.mark.requirement("RF-8.1.1-02")
def test_empty_means_empty() -> None:
    found = definition(rule("PatientOrientation", "EMPTY"))
    assert (
        build(found, SourceValues()).PatientOrientation is None or not build(found, SourceValues()).PatientOrientation
    )


@pytest.mark.parametrize("requirement", ["1", "ALWAYS"])
def test_a_missing_mandatory_value_names_module_tag_and_keyword(requirement: Requirement) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        build(definition(rule("ScanningSequence", requirement, "ACQ", module="MR Image")), SourceValues())
    assert str(caught.value) == "Test Object: (0018,0020) ScanningSequence of the MR Image module has no value"
    assert "ACQ" in caught.value.advice


@pytest.mark.requirement("RF-8.1.1-03")
@pytest.mark.parametrize(
    ("sources", "found"),
    [(("MWL",), "worklist"), (("USER",), "user"), (("CONFIG",), "config"), (("AUTO",), "auto"), (("ACQ",), "acq")],
)
def test_each_source_is_a_place(sources: tuple[Source, ...], found: str) -> None:
    places = {
        "worklist": data(StudyDescription="worklist"), "user": data(StudyDescription="user"),
        "configuration": data(StudyDescription="config"), "automatic": data(StudyDescription="auto"),
        "acquisition": data(StudyDescription="acq"),
    }  # fmt: skip
    built = build(definition(rule("StudyDescription", "ANAP", *sources)), SourceValues(**places))
    assert built.StudyDescription == found


@pytest.mark.requirement("RF-8.1.1-03")
def test_sources_are_asked_in_their_order() -> None:
    both = definition(rule("PatientName", "VNAP", "MWL", "USER"))
    user = data(PatientName="Typed")
    assert build(both, SourceValues(worklist=data(PatientName="Item"), user=user)).PatientName == "Item"
    assert build(both, SourceValues(worklist=data(PatientName=""), user=user)).PatientName == "Typed"
    only_worklist = definition(rule("PatientName", "ANAP", "MWL"))
    assert "PatientName" not in build(only_worklist, SourceValues(user=user))


def test_a_value_that_is_not_enumerated_gives_way_to_the_next_source() -> None:
    modality = definition(rule("Modality", "ALWAYS", "MWL", "USER", value_rule="enumerated", values=("XA", "RF")))
    values = SourceValues(worklist=data(Modality="CR"), user=data(Modality="XA"))
    assert build(modality, values).Modality == "XA"
    assert build(modality, SourceValues(worklist=data(Modality="CR"), automatic=data(Modality="RF"))).Modality == "RF"


def test_defined_terms_may_be_extended() -> None:
    part = definition(rule("BodyPartExamined", "VNAP", "USER", value_rule="defined", values=("SKULL",)))
    assert build(part, SourceValues(user=data(BodyPartExamined="TOE"))).BodyPartExamined == "TOE"


def test_a_fixed_value_wins() -> None:
    fixed = definition(rule("BitsAllocated", "ALWAYS", "ACQ", value_rule="fixed", values=("16",)))
    assert build(fixed, SourceValues(acquisition=data(BitsAllocated=8))).BitsAllocated == 16


def test_a_kit_that_is_not_installed_measures_zero() -> None:
    dose = definition(rule("EntranceDose", "ANAP", "ACQ", condition="0 unless kits.dap"))
    values = SourceValues(acquisition=data(EntranceDose=3))
    assert build(dose, values).EntranceDose == 3
    assert build(replace(dose, switches_off=frozenset({"kits.dap"})), values).EntranceDose == 0


def test_the_strictest_of_two_rules_holds_wherever_it_stands() -> None:
    two = definition(rule("InstanceNumber", "VNAP"), rule("InstanceNumber", "ALWAYS", module="SOP Common"))
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
    built = build(definition(*CODE_RULES), SourceValues(worklist=data(PerformedProtocolCodeSequence=items)))
    first, second = built.PerformedProtocolCodeSequence
    assert [element.keyword for element in first] == ["CodeValue", "CodeMeaning"]
    # An empty Type 1 attribute would break PS3.5 7.4.1, so it is left out.
    assert [element.keyword for element in second] == ["CodeValue"]


def test_a_sequence_without_rules_below_is_taken_whole() -> None:
    inner = data(CodeValue="1", SpecificCharacterSet="ISO_IR 100")
    whole = definition(rule("ProcedureCodeSequence", "3", "MWL"))
    built = build(
        whole, SourceValues(worklist=data(ProcedureCodeSequence=[data(CodeValue="0", EquivalentCodeSequence=[inner])]))
    )
    (item,) = built.ProcedureCodeSequence
    assert [element.keyword for element in item.EquivalentCodeSequence[0]] == ["CodeValue"]


def test_an_optional_module_is_absent_when_it_has_nothing_to_say() -> None:
    table = definition(
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
    built = build(definition(*CODE_RULES), SourceValues(worklist=worklist))
    built.PerformedProtocolCodeSequence[0].CodeValue = "2"
    assert item.CodeValue == "1"


@pytest.mark.parametrize(
    ("built", "problem"),
    [
        (data(), "(0020,0010) StudyID in Test module: missing (StudyID)"),
        (data(StudyID=""), "(0020,0010) StudyID in Test module: without a value (StudyID)"),
    ],
)
def test_the_check_names_what_is_wrong(built: Dataset, problem: str) -> None:
    assert [str(finding) for finding in check(built, definition(rule("StudyID", "1")))] == [problem]


def test_the_check_looks_at_values_and_into_sequences() -> None:
    rules = [
        rule("Modality", "1", value_rule="enumerated", values=("XA", "RF")), rule("PatientOrientation", "EMPTY"),
        rule("ReferencedStudySequence", "3"), rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1"),
        rule("SOPInstanceUID", "1"), rule("PatientName", "2"), rule("StudyID", "VNAP"),
    ]  # fmt: skip
    wrong = data(Modality="CR", PatientOrientation=["L", "P"], ReferencedStudySequence=[data()], PatientName="")
    wrong.add(make_element(0x00080018, "UI", "1.02.3"))
    problems = {finding.path[-1]: finding.problem for finding in check(wrong, definition(*rules))}
    assert {f"{tag:08X}": text for tag, text in problems.items()} == {
        "00080060": "not XA or RF", "00200020": "with a value where there must be none", "00081155": "missing",
        "00080018": "not a valid UID", "00200010": "missing",
    }  # fmt: skip


def test_the_check_leaves_absent_optional_modules_alone() -> None:
    rules = [rule("PatientAge", "ALWAYS", module="Patient Study"), rule("PatientSize", "1", module="Patient Study")]
    table = definition(*rules, optional=("Patient Study",))
    assert check(data(), table) == []
    assert [finding.problem for finding in check(data(PatientAge="010Y"), table)] == ["missing"]


def test_findings_hold_no_values() -> None:
    wrong = data(Modality="SECRET")
    (finding,) = check(wrong, definition(rule("Modality", "1", value_rule="fixed", values=("MR",))))
    assert "SECRET" not in str(finding)


def test_values_that_break_their_vr_are_passed_on_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    worklist = Dataset()
    worklist.add(make_element(0x00080050, "SH", "SECRET" * 9))
    accession = definition(rule("AccessionNumber", "ALWAYS", "MWL"))
    assert build(accession, SourceValues(worklist=worklist)).AccessionNumber == "SECRET" * 9
    assert "SECRET" not in caplog.text
