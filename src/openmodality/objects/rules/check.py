"""Checks a data set against the attribute rules of a profile: the same table that builds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from openmodality.device.paths import TagPath, format_keywords
from openmodality.device.profile.profile import AttributeRule
from openmodality.dimse.attribute_names import name_of
from openmodality.objects.rules.builder import MAY_BE_UNKNOWN, NEVER_EMPTY
from openmodality.objects.rules.definition import Node, tree
from openmodality.objects.rules.elements import element_at


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one attribute. It names the attribute, never its value."""

    path: TagPath
    module: str
    problem: str

    def __str__(self) -> str:
        return f"{name_of(self.path[-1])} in {self.module} module: {self.problem} ({format_keywords(self.path)})"


def check(data_set: Dataset, rules: Iterable[AttributeRule], optional_modules: Iterable[str] = ()) -> list[Finding]:
    """All that is wrong with ``data_set``; nothing where it follows ``rules``.

    A module of ``optional_modules`` is only looked at when one of its own attributes is there.
    """
    rules = tuple(rules)
    absent = _absent_modules(data_set, rules, frozenset(optional_modules))
    return list(_findings(data_set, tree(rule for rule in rules if rule.module not in absent)))


def _absent_modules(data_set: Dataset, rules: Iterable[AttributeRule], optional: frozenset[str]) -> set[str]:
    elsewhere = {rule.path[0] for rule in rules if rule.module not in optional}
    present = {rule.module for rule in rules if rule.path[0] not in elsewhere and rule.path[0] in data_set}
    return set(optional) - present


def _findings(data_set: Dataset, nodes: Iterable[Node]) -> Iterator[Finding]:
    for node in nodes:
        tag = node.rule.path[-1]
        element = element_at(data_set, tag)
        for problem in _problems(node.rule, element):
            yield Finding(node.rule.path, node.rule.module, problem)
        if element is not None and element.VR == "SQ":
            for item in element.value:
                yield from _findings(item, node.children)


def _problems(rule: AttributeRule, element: DataElement | None) -> Iterator[str]:
    if element is None:
        if rule.requirement in ("1", "2", "ALWAYS", "VNAP", "EMPTY") and not _left_out(rule):
            yield "missing"
        return
    if rule.vr != element.VR:
        yield f"value representation {element.VR} instead of {rule.vr}"
        return
    if element.is_empty:
        if rule.requirement in ("1", "1C") or (rule.requirement == "ALWAYS" and not _may_be_empty(rule)):
            yield "without a value"
    elif rule.requirement == "EMPTY":
        yield "with a value where there must be none"
    else:
        yield from _value_problems(rule, element)


def _value_problems(rule: AttributeRule, element: DataElement) -> Iterator[str]:
    values = element.value if isinstance(element.value, MultiValue) else [element.value]
    if rule.value_rule in ("fixed", "enumerated") and any(str(value) not in rule.values for value in values):
        yield f"not {' or '.join(rule.values)}"
    if rule.vr == "UI" and not all(UID(str(value), IGNORE).is_valid for value in values):
        yield "not a valid UID"


def _left_out(rule: AttributeRule) -> bool:
    return rule.requirement == "VNAP" and rule.path[-1] in NEVER_EMPTY


def _may_be_empty(rule: AttributeRule) -> bool:
    return rule.vr == "SQ" or rule.path[-1] in MAY_BE_UNKNOWN
