"""An information object as a device makes it: the rows of its profile that concern one kind of instance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import AttributeRule, InformationObject, Profile, Requirement

# The strictest first: where an attribute stands in two modules of an object, the stricter rule holds.
STRICTNESS: tuple[Requirement, ...] = ("1", "ALWAYS", "2", "VNAP", "1C", "2C", "EMPTY", "3", "ANAP", "")
ZERO_UNLESS = re.compile(r"0 unless ([a-z_]+\.[a-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """What the builder and the check need of a profile for one object.

    ``optional_modules`` are left out as a whole when there is nothing to say in them. ``character_sets`` are tried in
    their order, UTF-8 after them. ``switches_off`` names the parameters of kind boolean that are off at this site, such
    as ``kits.dap``.
    """

    information_object: InformationObject
    rules: tuple[AttributeRule, ...]
    optional_modules: frozenset[str]
    character_sets: tuple[tuple[str, ...], ...]
    switches_off: frozenset[str] = frozenset()

    @classmethod
    def of(cls, profile: Profile, name: str, *, switches_off: Iterable[str] = ()) -> ObjectDefinition:
        """The object called ``name`` in ``profile``, such as ``MR Image``. Raises KeyError for another device's."""
        uses = [use for use in profile.module_uses if use.object == name]
        return cls(
            information_object=profile.object_named(name),
            rules=profile.rules_of(name),
            optional_modules=frozenset(use.module for use in uses if use.presence == "ANAP"),
            character_sets=profile.character_sets,
            switches_off=frozenset(switches_off),
        )

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID (0008,0016) of the instances."""
        return self.information_object.sop_class_uid

    @property
    def name(self) -> str:
        """What errors call the object."""
        return self.information_object.name

    def rule_at(self, *path: int) -> AttributeRule | None:
        """The strictest rule for an attribute; None where the object has no such attribute."""
        return strictest([rule for rule in self.rules if rule.path == path])

    def is_zero(self, rule: AttributeRule) -> bool:
        """Whether a kit that measures this value is not installed, so that the value is 0 (R/F Table 8.1-17)."""
        match = ZERO_UNLESS.fullmatch(rule.condition)
        return match is not None and match[1] in self.switches_off


@dataclass(frozen=True, slots=True)
class Node:
    """An attribute with the strictest of its rules, all rules in table order, and what its items hold."""

    rule: AttributeRule
    all_rules: tuple[AttributeRule, ...]
    children: tuple[Node, ...]


def tree(rules: Iterable[AttributeRule]) -> tuple[Node, ...]:
    """The rules as a tree along their paths, each path once, in table order."""
    by_path: dict[TagPath, list[AttributeRule]] = {}
    for rule in rules:
        by_path.setdefault(rule.path, []).append(rule)
    by_parent: dict[TagPath, list[TagPath]] = {}
    for path in by_path:
        by_parent.setdefault(path[:-1], []).append(path)
    return _below((), by_parent, by_path)


def _below(
    parent: TagPath, by_parent: dict[TagPath, list[TagPath]], by_path: dict[TagPath, list[AttributeRule]]
) -> tuple[Node, ...]:
    nodes = []
    for path in by_parent.get(parent, ()):
        rules = tuple(by_path[path])
        rule = strictest(rules)
        if rule is not None:
            nodes.append(Node(rule, rules, _below(path, by_parent, by_path)))
    return tuple(nodes)


def strictest(rules: Iterable[AttributeRule]) -> AttributeRule | None:
    """The rule of an attribute that decides whether it must be there."""
    return min(rules, key=lambda rule: STRICTNESS.index(rule.requirement), default=None)
