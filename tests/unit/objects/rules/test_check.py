"""The check, on small tables: the same rules that build."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.objects.rules.check import check
from openmodality.objects.rules.elements import make_element
from tests.rule_tables import data, rule, table_of


@pytest.mark.parametrize(
    ("built", "problem"),
    [
        (data(), "(0020,0010) StudyID in Test module: missing (StudyID)"),
        (data(StudyID=""), "(0020,0010) StudyID in Test module: without a value (StudyID)"),
    ],
)
def test_the_check_names_what_is_wrong(built: Dataset, problem: str) -> None:
    assert [str(finding) for finding in check(built, table_of(rule("StudyID", "1")))] == [problem]


def test_the_check_looks_at_values_and_into_sequences() -> None:
    rules = [
        rule("Modality", "1", value_rule="enumerated", values=("XA", "RF")), rule("PatientOrientation", "EMPTY"),
        rule("ReferencedStudySequence", "3"), rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1"),
        rule("SOPInstanceUID", "1"), rule("PatientName", "2"), rule("StudyID", "VNAP"),
    ]  # fmt: skip
    wrong = data(Modality="CR", PatientOrientation=["L", "P"], ReferencedStudySequence=[data()], PatientName="")
    wrong.add(make_element(0x00080018, "UI", "1.02.3"))
    problems = {finding.path[-1]: finding.problem for finding in check(wrong, table_of(*rules))}
    assert {f"{tag:08X}": text for tag, text in problems.items()} == {
        "00080060": "not XA or RF", "00200020": "with a value where there must be none", "00081155": "missing",
        "00080018": "not a valid UID", "00200010": "missing",
    }  # fmt: skip


def test_uids_may_be_left_unjudged() -> None:
    table = table_of(
        rule("ReferencedStudySequence", "3"), rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1")
    )
    sent = data(ReferencedStudySequence=[data()])
    sent.ReferencedStudySequence[0].add(make_element(0x00081155, "UI", "1.02.3"))
    assert [finding.problem for finding in check(sent, table)] == ["not a valid UID"]
    assert check(sent, table, judge_uids=False) == []


def test_the_check_leaves_absent_optional_modules_alone() -> None:
    rules = [rule("PatientAge", "ALWAYS", module="Patient Study"), rule("PatientSize", "1", module="Patient Study")]
    table = table_of(*rules, optional=("Patient Study",))
    assert check(data(), table) == []
    assert [finding.problem for finding in check(data(PatientAge="010Y"), table)] == ["missing"]


def test_findings_hold_no_values() -> None:
    wrong = data(Modality="SECRET")
    (finding,) = check(wrong, table_of(rule("Modality", "1", value_rule="fixed", values=("MR",))))
    assert "SECRET" not in str(finding)


def test_what_a_condition_asks_for_is_looked_for() -> None:
    table = table_of(
        rule("Laterality", "2C", condition="when BodyPartExamined is not CHEST|HEAD"),
        rule("TriggerTime", "3", condition="when BodyPartExamined is CHEST"),
    )
    assert [finding.problem for finding in check(data(BodyPartExamined="KNEE"), table)] == ["missing"]
    assert check(data(BodyPartExamined="CHEST"), table) == []


def test_a_value_that_another_one_gives_is_compared() -> None:
    table = table_of(rule("BitsStored", "1"), rule("HighBit", "1", condition="one less than BitsStored"))
    assert check(data(BitsStored=12, HighBit=11), table) == []
    (finding,) = check(data(BitsStored=12, HighBit=15), table)
    assert finding.problem == "not one less than (0028,0101) BitsStored"


def test_what_a_switch_turns_to_zero_must_be_zero() -> None:
    table = replace(
        table_of(rule("EntranceDose", "3", condition="0 unless kits.dap")), switches_off=frozenset({"kits.dap"})
    )
    assert [finding.problem for finding in check(data(EntranceDose=3), table)] == ["not 0"]


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "problem"),
    [
        ("EchoTime", "DS", "0.456412596987676812", "longer than 16 characters"),
        ("EchoTime", "DS", "NaN", "no number"),
        ("StudyDate", "DA", "19810229", "no date of the calendar"),
        ("SeriesDescription", "LO", "A\x1bB", "a control character"),
        ("PatientID", "LO", "9" * 70, ""),
        ("EchoTime", "DS", "10.5", ""),
    ],
)
def test_a_value_keeps_the_rule_of_its_vr(keyword: str, vr: str, value: str, problem: str) -> None:
    built = Dataset()
    built.add(DataElement(Tag(keyword), vr, value, already_converted=True))
    findings = check(built, table_of(rule(keyword, "1")))
    assert [finding.problem for finding in findings] == [problem] * bool(problem)
