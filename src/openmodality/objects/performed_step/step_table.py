"""The attribute lists of N-CREATE and N-SET as rule tables, from the table of the profile (PS3.4 Table F.7.2-1)."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from openmodality.device.profile.profile import AttributeRule, MppsAttribute, Requirement
from openmodality.device.site.site import Site
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.site_objects import SameProfile, find_switches_off


class StepOperation(Enum):
    """What is done to a performed step; its value is the name of the DIMSE-N service."""

    BEGIN = "N-CREATE"
    END = "N-SET"
    """The N-SET that ends the step: the table's column ``final`` holds too."""


def make_step_table(site: Site, operation: StepOperation) -> RuleTable:
    """What a request of this operation carries at this site."""
    return _make(SameProfile(site.profile), operation, site.character_sets, find_switches_off(site))


@lru_cache(maxsize=8)  # each step of each exam asks
def _make(
    same: SameProfile,
    operation: StepOperation,
    character_sets: tuple[tuple[str, ...], ...],
    switches_off: frozenset[str],
) -> RuleTable:
    rows = ((row, _choose_requirement(row, operation)) for row in same.profile.mpps_attributes)
    return RuleTable(
        name=f"{operation.value} of the performed procedure step",
        rules=tuple(_make_rule(row, requirement) for row, requirement in rows if requirement),
        character_sets=character_sets,
        charset_attributes=same.profile.charset_attributes,
        switches_off=switches_off,
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
