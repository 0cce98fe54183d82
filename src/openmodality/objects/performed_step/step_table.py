"""The attribute lists of N-CREATE and N-SET as rule tables, from the table of the profile (PS3.4 Table F.7.2-1)."""

from __future__ import annotations

from enum import Enum

from openmodality.device.profile.profile import AttributeRule, MppsAttribute, Requirement
from openmodality.device.site.site import Site
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.site_objects import find_switches_off


class StepOperation(Enum):
    """What is done to a performed step; its value is the name of the DIMSE-N service."""

    BEGIN = "N-CREATE"
    END = "N-SET"
    """The N-SET that ends the step: the table's column ``final`` holds too."""


def make_step_table(site: Site, operation: StepOperation) -> RuleTable:
    """What a request of this operation carries at this site."""
    rows = ((row, _choose_requirement(row, operation)) for row in site.profile.mpps_attributes)
    return RuleTable(
        name=f"{operation.value} of the performed procedure step",
        rules=tuple(_make_rule(row, requirement) for row, requirement in rows if requirement),
        character_sets=site.character_sets,
        charset_attributes=site.profile.charset_attributes,
        switches_off=find_switches_off(site),
    )


def _choose_requirement(row: MppsAttribute, operation: StepOperation) -> Requirement:
    """The type of an attribute; empty where it is not sent. What N-SET sends without a value has none at the end."""
    if operation is StepOperation.BEGIN:
        return row.n_create
    return row.n_set if row.n_set == "EMPTY" else row.final or row.n_set


def _make_rule(row: MppsAttribute, requirement: Requirement) -> AttributeRule:
    return AttributeRule(
        object="Modality Performed Procedure Step",
        path=row.path,
        keyword=row.keyword,
        vr=row.vr,
        requirement=requirement,
        sources=row.sources,
        value_rule="fixed" if row.value else "",
        values=(row.value,) if row.value else (),
        condition=row.condition,
    )
