"""The private attributes of a device as rows of a rule table: each group is a module that is there where it is used.

Such a module begins with the element that reserves its block (PS3.5 7.8.1). A private attribute that repeats a standard
one has the value that was given for that; so an image says what it has no standard place for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import AttributeRule, PrivateAttribute
from openmodality.objects.private_names import BLOCK, find_tag
from openmodality.objects.rules.elements import (
    copy_element,
    element_at,
    has_length,
    make_data_set,
    make_element,
    make_sequence,
)
from openmodality.standard.value_rules import format_decimal
from openmodality.standard.vr_groups import WHOLE_NUMBER_VRS

Mirrors: TypeAlias = Mapping[int, Sequence[tuple[TagPath, BaseTag, str]]]
"""By the first tag of a standard attribute: the rest of its path, and tag and VR of the private one that repeats it."""


def list_private_rules(attributes: Sequence[PrivateAttribute]) -> tuple[AttributeRule, ...]:
    """The rows, group by group."""
    groups = {each.group: each.creator for each in attributes}
    creators = [
        AttributeRule(
            module=name_module(group),
            path=(group << 16 | BLOCK,),
            keyword="",
            vr="LO",
            requirement="1",
            value_rule="fixed",
            values=(creator,),
        )
        for group, creator in groups.items()
    ]
    return (*creators, *map(_make_rule, attributes))


def _make_rule(attribute: PrivateAttribute) -> AttributeRule:
    return AttributeRule(
        module=name_module(attribute.group),
        path=(find_tag(attribute),),
        keyword="",
        vr=attribute.vr,
        requirement="3",
        sources=("ACQ",),
    )


def name_module(group: int) -> str:
    """What errors call the private attributes of a group."""
    return f"Private Attributes {group:04X}"


def index_mirrors(attributes: Iterable[PrivateAttribute]) -> Mirrors:
    """The private attributes that repeat a standard one."""
    mirrors: dict[int, list[tuple[TagPath, BaseTag, str]]] = {}
    for each in attributes:
        if each.mirrors:
            mirrors.setdefault(each.mirrors[0], []).append((each.mirrors[1:], Tag(find_tag(each)), each.vr))
    return mirrors


def add_mirrors(given: Dataset, mirrors: Mirrors) -> Dataset:
    """What was given, with the private attributes that repeat it; those that were given themselves stay."""
    added: dict[BaseTag, DataElement] = {}
    for first in [tag for tag in given.keys() if tag in mirrors]:  # noqa: SIM118 - the tags alone cost less
        for rest, tag, vr in mirrors[first]:
            found = _find_below(given[first], rest)
            if found is not None and has_length(found) and tag not in given:
                repeated = _repeat(tag, vr, found)
                added |= {} if repeated is None else {tag: repeated}
    return make_data_set({**{each.tag: each for each in given}, **added}) if added else given


def _find_below(found: DataElement, rest: TagPath) -> DataElement | None:
    """The element at the rest of a path, in first items; None where there is none."""
    for tag in rest:
        below = element_at(found.value[0], tag) if found.VR == "SQ" and found.value else None
        if below is None:
            return None
        found = below
    return found


def _repeat(tag: BaseTag, vr: str, found: DataElement) -> DataElement | None:
    """The value in the VR of the private attribute; None where it cannot be said in it."""
    if vr == "SQ" or found.VR == "SQ":
        return make_sequence(tag, copy_element(found).value) if vr == found.VR else None
    if isinstance(found.value, bytes):
        return None
    values = list(found.value) if isinstance(found.value, MultiValue | list) else [found.value]
    if vr in WHOLE_NUMBER_VRS:
        if any(float(each) != int(each) for each in values):
            return None
        values = [int(each) for each in values]
    elif vr == "FD":
        values = [float(each) for each in values]
    elif vr != found.VR:
        values = [format_decimal(each) if isinstance(each, float) else str(each) for each in values]
    return make_element(tag, vr, values[0] if len(values) == 1 else values)
