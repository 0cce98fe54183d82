"""Definitions: made once, strict where two rows meet, and refused where a condition is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openmodality.device.profile.conditions import Context
from openmodality.device.profile.loader import load_profile
from openmodality.errors import ConfigurationError
from openmodality.objects.rules.definition import ObjectDefinition
from tests.rule_tables import rule, table_of

PROFILES = [(name, item.name) for name in ("mr", "rf") for item in load_profile(name).objects]


@pytest.mark.parametrize(("profile", "name"), PROFILES)
def test_every_object_of_both_devices_has_a_definition(profile: str, name: str) -> None:
    definition = ObjectDefinition.of(load_profile(profile), name)
    assert definition.nodes
    assert len({node.key for node in definition.nodes}) == len(definition.nodes)


def test_the_attributes_form_a_tree_in_table_order() -> None:
    table = table_of(
        rule("ReferencedStudySequence", "3"),
        rule("ReferencedStudySequence>ReferencedSOPInstanceUID", "1"),
        rule("StudyID", "2"),
        rule("ReferencedStudySequence>ReferencedSOPClassUID", "1"),
    )
    sequence, study_id = table.nodes
    assert [node.key for node in sequence.children] == [0x00081155, 0x00081150]
    assert (sequence.vr, study_id.vr, study_id.children) == ("SQ", "SH", ())


def test_the_strictest_row_decides_beforehand_where_nothing_can_change_it() -> None:
    (node,) = table_of(rule("StudyID", "3"), rule("StudyID", "1", module="Other")).nodes
    assert node.always is not None
    assert (node.always.row.module, node.always.requirement) == ("Other", "1")
    (node,) = table_of(rule("StudyID", "3"), rule("StudyID", "1", module="Other"), optional=("Other",)).nodes
    assert node.always is None
    decision = node.decide(lambda tag: None, Context(), frozenset({"Other"}))
    assert decision is not None
    assert decision.requirement == "3"


def test_inside_each_item_needs_no_look_at_the_item() -> None:
    (node,) = table_of(rule("StudyID", "1C", condition="inside each item")).nodes
    assert node.always is not None
    assert node.always.requirement == "1"


def test_a_condition_that_cannot_be_read_names_object_module_and_attribute() -> None:
    with pytest.raises(ConfigurationError) as caught:
        table_of(rule("StudyID", "1C", condition="on Mondays"))
    assert str(caught.value).startswith("Test Object, Test module, (0020,0010) StudyID: condition 'on Mondays'")
    assert "inside each item" in caught.value.advice


def test_a_copy_with_other_switches_is_made_ready_again() -> None:
    table = table_of(rule("EntranceDose", "3", condition="0 unless kits.dap"))
    assert replace(table, switches_off=frozenset({"kits.dap"})).nodes == table.nodes


def test_the_device_of_two_lines_still_has_what_makes_an_image_readable() -> None:
    definition = ObjectDefinition.of(load_profile("tests/data/profiles/us"), "US Image")
    for keyword in ("SOPInstanceUID", "Rows", "PixelData", "Laterality"):
        assert any(row.keyword == keyword for row in definition.rules)
