"""Checks a data set against the same rules that build it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.device.paths import TagPath, format_keywords
from openmodality.device.profile.conditions import Context, Lookup, OneLess
from openmodality.device.profile.profile import AttributeRule
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.mending import mend_copied
from openmodality.encoding.uid import is_valid_uid
from openmodality.objects.rules.definition import Decision, Node, RuleTable
from openmodality.objects.rules.elements import has_length, index_elements
from openmodality.objects.rules.filling import give_value, is_sent_empty, may_be_empty
from openmodality.objects.rules.sources import MUST_HAVE_VALUE
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one attribute. It names the attribute, never its value."""

    path: TagPath
    module: str
    problem: str

    def __str__(self) -> str:
        of_module = f" in {self.module} module" if self.module else ""
        return f"{name_of(self.path[-1])}{of_module}: {self.problem} ({format_keywords(self.path)})"


def check(
    data_set: Dataset, table: RuleTable, *, facts: frozenset[str] = frozenset(), judge_uids: bool = True
) -> list[Finding]:
    """All that is wrong with ``data_set``; nothing where it follows the table.

    A module that may be absent is only looked at where one of its own attributes is there. ``facts`` as in
    :func:`openmodality.objects.rules.builder.build`. Without ``judge_uids`` a UID may have any form.
    """
    checking = _Checking(Context(table.switches_off, facts), _find_absent_modules(data_set, table), judge_uids)
    found = [*checking.check_attributes(data_set, table.nodes)]
    if table.functional_groups:
        found += checking.check_groups(data_set, table.functional_groups)
    return list(dict.fromkeys(found))


def find_wrong_values(row: AttributeRule, found: DataElement) -> Iterator[str]:
    """What is wrong with the values of an attribute that has some, by its row and its VR."""
    values = found.value if isinstance(found.value, MultiValue) else [found.value]
    if row.value_rule in ("fixed", "enumerated") and any(str(value) not in row.values for value in values):
        yield f"not {' or '.join(row.values)}"
    if row.value_rule == "range" and not all(_is_within(value, *row.values) for value in values):
        yield f"not from {row.values[0]} to {row.values[1]}"
    mended = mend_copied(found)
    if mended.problem and mended.element is not found:
        yield mended.problem


def _is_within(value: object, least: str, greatest: str) -> bool:
    return int(least) <= float(str(value)) <= int(greatest)


def _find_absent_modules(data_set: Dataset, table: RuleTable) -> frozenset[str]:
    may_be_absent = table.optional_modules | table.module_conditions.keys()
    elsewhere = {row.path[0] for row in table.rules if row.module not in may_be_absent}
    present = {row.module for row in table.rules if row.path[0] not in elsewhere and row.path[0] in data_set}
    return may_be_absent - present


_GROUPS: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True, slots=True)
class _Checking:
    context: Context
    absent: frozenset[str]
    judges_uids: bool

    def check_attributes(self, data_set: Dataset, nodes: Iterable[Node]) -> Iterator[Finding]:
        lookup = index_elements(data_set).get
        for node in nodes:
            decision = node.decide(lookup, self.context, self.absent)
            if decision is None:
                continue
            row, found = decision.row, lookup(node.key)
            for problem in self._find_problems(lookup, node, decision, found):
                yield Finding(row.path, row.module, problem)
            if found is not None and found.VR == "SQ":
                for item in found.value:
                    yield from self.check_attributes(item, node.children)

    def check_groups(self, data_set: Dataset, groups: Iterable[Node]) -> Iterator[Finding]:
        """Each functional group stands once: in the shared ones, or in those of each frame (PS3.3 C.7.6.16.1)."""
        (shared, frames) = ([*data_set.get(keyword, ())] for keyword in _GROUPS)
        lookup = index_elements(data_set).get
        for node in groups:
            decision = node.decide(lookup, self.context)
            of_all = [item for item in shared if node.tag in item]
            of_frames = [item for item in frames if node.tag in item]
            if decision is None:
                continue
            row = decision.row
            if of_all and of_frames:
                yield Finding(row.path, row.module, "shared, and of frames too")
            is_missing = not of_all and (len(of_frames) < len(frames) or not frames)
            if is_missing and decision.requirement in MUST_HAVE_VALUE:
                yield Finding(row.path, row.module, "missing")
            for item in (*of_all, *of_frames):
                yield from self.check_attributes(item, [node])

    def _find_problems(
        self, lookup: Lookup, node: Node, decision: Decision, found: DataElement | None
    ) -> Iterator[str]:
        requirement = decision.requirement
        if found is None:
            if requirement in MUST_HAVE_VALUE or is_sent_empty(node, requirement):
                yield "missing"
        elif node.vr != found.VR:
            yield f"value representation {found.VR} instead of {node.vr}"
        elif not has_length(found):
            if not may_be_empty(node, requirement):
                yield "without a value"
        elif requirement == "EMPTY":
            yield "with a value where there must be none"
        else:
            yield from self._find_wrong_values(decision, found)
            yield from self._find_other_than_given(lookup, node, found)

    def _find_other_than_given(self, lookup: Lookup, node: Node, found: DataElement) -> Iterator[str]:
        for rule in node.rules:
            given = give_value(rule, lookup, self.context)
            if given is not None and given.value != found.value:
                if isinstance(rule.condition, OneLess):
                    yield f"not one less than {name_of(rule.condition.tag)}"
                else:
                    yield f"not {given.value}"

    def _find_wrong_values(self, decision: Decision, found: DataElement) -> Iterator[str]:
        row = decision.row
        yield from find_wrong_values(row, found)
        values = found.value if isinstance(found.value, MultiValue) else [found.value]
        if self.judges_uids and row.vr == "UI" and not all(is_valid_uid(str(value)) for value in values):
            yield "not a valid UID"
