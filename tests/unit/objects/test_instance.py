"""What every instance has: its character set, its File Meta Information, cautious defaults."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.device.profile.profile import AttributeRule
from openmodality.errors import ObjectInvalid
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.rules.elements import make_element
from openmodality.objects.rules.sources import SourceValues
from openmodality.objects.rules.standard_rules import IDENTITY
from tests.made_objects import definition_of
from tests.rule_tables import data, rule

COMMON = SourceValues(automatic=data(SOPInstanceUID="1.2.6", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.5"))


RULES = (*IDENTITY, rule("SpecificCharacterSet", "1C", "AUTO"), rule("ScanningSequence", "3", "ACQ", module="MR Image"))


def builder(*character_sets: tuple[str, ...]) -> InstanceBuilder:
    """Of an object with little in it."""
    definition = replace(definition_of("rf", "Dose SR"), rules=RULES, character_sets=character_sets)
    return InstanceBuilder(definition, COMMON)


def build(made_by: InstanceBuilder, description: str) -> Dataset:
    return made_by.build(SourceValues(), data(SeriesDescription=description))


def test_each_instance_declares_what_its_own_text_needs() -> None:
    made_by = builder((), ("ISO_IR 100",))
    texts = ("plain", "Müller", "also plain", "Jürgen", "山", "Müller")
    declared = [build(made_by, text).get("SpecificCharacterSet") for text in texts]
    assert declared == [None, "ISO_IR 100", None, "ISO_IR 100", "ISO_IR 192", "ISO_IR 100"]


def test_a_character_set_without_backslash_and_tilde_is_not_taken_for_them() -> None:
    made_by = builder(("ISO_IR 13",), ("ISO_IR 100",))
    assert [build(made_by, text).SpecificCharacterSet for text in ("plain", "a~b")] == ["ISO_IR 13", "ISO_IR 100"]


def test_text_in_sequences_counts() -> None:
    nested = data(ReferencedStudySequence=[data(StudyDescription="Müller")])
    assert builder((), ("ISO_IR 100",)).build(SourceValues(), nested).SpecificCharacterSet == "ISO_IR 100"


def test_file_meta_information_names_the_instance() -> None:
    meta = build(builder(()), "plain").file_meta
    assert (meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID) == ("1.2.6", ExplicitVRLittleEndian)
    assert meta.MediaStorageSOPClassUID == definition_of("rf", "Dose SR").sop_class_uid


@pytest.mark.parametrize(("stated", "expected"), [("SE", "SE"), ("", "RM")])
def test_defaults_stand_where_the_source_says_nothing(stated: str, expected: str) -> None:
    built = builder(()).build(SourceValues(acquisition=data(ScanningSequence=stated)))
    assert built.ScanningSequence == expected


def describing(rules: tuple[AttributeRule, ...]) -> InstanceBuilder:
    return InstanceBuilder(replace(definition_of("rf", "Dose SR"), rules=rules), COMMON)


def test_the_first_instance_of_a_series_is_checked_against_the_rules_of_its_object() -> None:
    made_by = describing((*RULES, rule("StudyID", "EMPTY", module="General Study")))
    with pytest.raises(ObjectInvalid, match=r"Dose SR: \(0020,0010\) StudyID in General Study module: with a value"):
        made_by.build(SourceValues(), data(StudyID="7"))
    made_by.build(SourceValues())
    assert made_by.build(SourceValues(), data(StudyID="7")).StudyID == "7"  # the series is known to be good


def test_a_broken_uid_of_a_worklist_item_loses_no_image() -> None:
    referred = rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1")
    made_by = describing((*RULES, rule("ReferencedStudySequence", "3"), referred))
    study = data()
    study.add(make_element(0x00081155, "UI", "1.02.3"))
    built = made_by.build(SourceValues(), data(ReferencedStudySequence=[study]))
    assert built.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.02.3"
