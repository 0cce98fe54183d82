"""Finds attributes that PS3.3 requires of every instance of an object, and that the tables of a profile lack.

The facts are the mandatory modules of each SOP class and their attributes of Type 1 and 2 outside of sequences
(``standard/mandatory_modules.csv`` and ``mandatory_attributes.csv``). Conditional attributes and those inside sequences
are left to a validator of instances.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from pydicom.datadict import keyword_for_tag

from openmodality.device.profile.profile import InformationObject, Profile, Requirement
from openmodality.standard import tags
from openmodality.standard.type_1 import MODULE_OF_IDENTITY, PIXEL_DESCRIPTION
from openmodality.value_class import dataclass

_ENOUGH: Final[Mapping[str, frozenset[Requirement]]] = {
    "1": frozenset({"1", "ALWAYS"}),
    "2": frozenset({"1", "2", "ALWAYS", "VNAP", "EMPTY"}),
}
"""By the type of PS3.3: what a profile may say of the attribute so that each instance has it."""
_FILLED_ANYWAY: Final = frozenset(
    (
        *map(keyword_for_tag, (*MODULE_OF_IDENTITY, *PIXEL_DESCRIPTION, tags.PIXEL_DATA)),
        "SharedFunctionalGroupsSequence",
        "DimensionOrganizationSequence",
    )
)
"""The device adds these to each image, the last two to each with frames, whatever a profile lists."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Attributes of one mandatory module, by keyword with their type, that instances of an object would lack."""

    object_name: str
    module: str
    attributes: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        listed = ", ".join(f"{keyword} (Type {type_})" for keyword, type_ in self.attributes)
        return f"the mandatory module {self.module} lacks {listed}"


def find_gaps(profile: Profile) -> list[Gap]:
    """What is missing in the objects of a profile."""
    return [gap for item in profile.objects for gap in _find_gaps_of(profile, item)]


def _find_gaps_of(profile: Profile, item: InformationObject) -> Iterator[Gap]:
    given = {rule.keyword: rule.requirement for rule in profile.rules_of(item.name) if len(rule.path) == 1}
    by_module = _read_attributes()
    seen = set(_FILLED_ANYWAY | _list_fixed(profile, item))
    for module in _read_modules().get(str(item.sop_class_uid), ()):
        missing = tuple(
            (keyword, type_)
            for keyword, type_ in by_module[module]
            if keyword not in seen and given.get(keyword) not in _ENOUGH[type_]
        )
        seen.update(keyword for keyword, _ in missing)
        if missing:
            yield Gap(item.name, module.replace("-", " "), missing)


def _list_fixed(profile: Profile, item: InformationObject) -> frozenset[str]:
    """The attributes with a fixed value, of modules that each instance has."""
    uses = profile.module_uses
    modules = {use.module for use in uses if use.object == item.name and use.presence == "ALWAYS" and not use.condition}
    return frozenset(
        rule.keyword
        for rule in profile.rules_of(item.name)
        if rule.value_rule == "fixed" and rule.module in modules and len(rule.path) == 1 and not rule.condition
    )


@cache
def _read_modules() -> Mapping[str, tuple[str, ...]]:
    return {row["sop_class_uid"]: tuple(filter(None, row["modules"].split("|"))) for row in _read("mandatory_modules")}


@cache
def _read_attributes() -> Mapping[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in _read("mandatory_attributes"):
        found.setdefault(row["module"], []).append((row["keyword"], row["type"]))
    return {module: tuple(attributes) for module, attributes in found.items()}


def _read(name: str) -> Iterator[dict[str, str]]:
    text = (files("openmodality") / "standard" / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
