"""Enumerated values of what is said side by side."""

from __future__ import annotations

from openmodality.objects.rules.definition import FUNCTIONAL_GROUPS
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.rules.terms import (
    drop_other_terms,
    has_other_term,
    index_frame_terms,
    index_image_terms,
    index_terms,
)
from tests.rule_tables import rule

OF_FRAME = rule(
    "MRModifierSequence>Spoiling", "1C", "ACQ", module=FUNCTIONAL_GROUPS, value_rule="enumerated", values=("RF", "NONE")
)
OF_IMAGE = rule("EchoPulseSequence", "1C", "ACQ", value_rule="enumerated", values=("SPIN", "GRADIENT"))
SPOILING, ECHO = 0x00189016, 0x00189008


def test_terms_of_frames_and_of_the_whole_are_apart() -> None:
    assert index_frame_terms([OF_FRAME, OF_IMAGE]) == {SPOILING: {"RF", "NONE"}}
    assert index_image_terms([OF_FRAME, OF_IMAGE]) == {ECHO: {"SPIN", "GRADIENT"}}


def test_rows_of_one_attribute_hold_together_and_a_free_one_frees_it() -> None:
    more = rule("Spoiling", "3", "ACQ", value_rule="enumerated", values=("GRADIENT",))
    assert index_terms([OF_FRAME, more]) == {SPOILING: {"RF", "NONE", "GRADIENT"}}
    assert index_terms([OF_FRAME, rule("Spoiling", "3", "ACQ")]) == {}


def test_other_terms_are_dropped_and_all_else_stays() -> None:
    terms = index_terms([OF_FRAME, OF_IMAGE])
    said = data_set_of(Spoiling="SOME", EchoPulseSequence="SPIN", EchoTime="5", ScanOptions="X")
    assert has_other_term(said["Spoiling"], terms)
    assert not has_other_term(said["EchoPulseSequence"], terms)
    assert {each.keyword for each in drop_other_terms(said, terms)} == {"EchoPulseSequence", "EchoTime", "ScanOptions"}
    assert not has_other_term(data_set_of(Spoiling="")["Spoiling"], terms)
