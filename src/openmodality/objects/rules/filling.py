"""Puts attributes into a data set, each as its rules decide: with the value that is found, with zero length, or not.

The same walk makes data sets, the items of their sequences and functional groups; they differ in where it looks for a
value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from openmodality.device.profile.conditions import Context, GivenValue, Lookup, OneLess
from openmodality.device.profile.profile import AttributeRule, Requirement
from openmodality.dimse.attribute_names import name_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.definition import Node, Rule
from openmodality.objects.rules.elements import (
    copy_item,
    copy_value,
    index_values,
    make_data_set,
    make_element,
    make_sequence,
)
from openmodality.objects.rules.sources import MUST_HAVE_VALUE, name_sources
from openmodality.value_class import dataclass

Elements: TypeAlias = dict[BaseTag, DataElement]
Find: TypeAlias = Callable[[Rule], DataElement | None]
"""Finds the value of a rule's attribute; None where there is none."""

Layers: TypeAlias = Sequence[Sequence[Mapping[int, DataElement]]]
"""Elements by tag for each place of :mod:`openmodality.objects.rules.sources`, in one or more layers."""

_EMPTY_WITHOUT_VALUE: Final[frozenset[Requirement]] = frozenset({"2", "VNAP", "EMPTY"})

# Attributes that a statement has as ALWAYS but which may be unknown: a patient without date of birth has no age. They
# are Type 2 or 3 in PS3.3, so zero length is allowed.
_MAY_BE_UNKNOWN: Final = frozenset({Tag("PatientAge"), Tag("StationName")})
# Attributes that a statement has as VNAP although PS3.3 requires a value or at least one item where they are present
# (Type 1, 1C, and sequences of Type 3 with one or more items): without a value they are left out.
_NEVER_EMPTY: Final = frozenset(
    Tag(keyword)
    for keyword in (
        "CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning", "ReferencedSOPClassUID",
        "ReferencedSOPInstanceUID", "ScheduledProcedureStepID", "RequestedProcedureID", "ReferencedPatientSequence",
        "RequestAttributesSequence", "PerformedProtocolCodeSequence", "ScheduledProtocolCodeSequence",
    )
)  # fmt: skip


def may_be_empty(node: Node, requirement: Requirement) -> bool:
    """Whether the attribute may have zero length."""
    if requirement == "ALWAYS":
        return node.vr == "SQ" or node.tag in _MAY_BE_UNKNOWN
    return requirement not in ("1", "1C")


def is_sent_empty(node: Node, requirement: Requirement) -> bool:
    """Whether the attribute is sent with zero length where it has no value."""
    if requirement == "VNAP" and node.tag in _NEVER_EMPTY:
        return False
    return requirement in _EMPTY_WITHOUT_VALUE or (requirement == "ALWAYS" and may_be_empty(node, requirement))


def give_value(rule: Rule, lookup: Lookup, context: Context) -> DataElement | None:
    """The value that the condition of a rule states; None where it states none."""
    condition, tag = rule.condition, rule.row.path[-1]
    if isinstance(condition, GivenValue) and condition.expression.evaluate(lookup, context):
        return make_element(tag, rule.row.vr, condition.value)
    if isinstance(condition, OneLess) and (other := lookup(condition.tag)) is not None and not other.is_empty:
        return make_element(tag, rule.row.vr, int(other.value) - 1)
    return None


def find_in(layers: Layers, rule: Rule) -> DataElement | None:
    """The first value of a rule's attribute, place by place in the order of the rule's sources."""
    row = rule.row
    for place in rule.places:
        for layer in layers[place]:
            found = layer.get(row.path[-1])
            if found is not None and is_allowed(row, found):
                return found
    return None


def is_allowed(row: AttributeRule, found: DataElement) -> bool:
    """Whether enumerated values are of the list; defined terms may be extended (PS3.5 7.4)."""
    if row.value_rule != "enumerated":
        return True
    values = found.value if isinstance(found.value, MultiValue | list) else (found.value,)
    return all(str(value) in row.values for value in values)


@dataclass(frozen=True, slots=True)
class Filling:
    """Fills data sets by the table called ``name``, without the modules in ``absent``."""

    name: str
    context: Context
    absent: frozenset[str] = frozenset()

    def fill(self, nodes: Iterable[Node], find: Find) -> Elements:
        """The attributes of a data set or item.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
        """
        elements: Elements = {}
        dependent = []
        for node in nodes:
            if node.depends:
                dependent.append(node)
            elif missing := self.put(elements, node, find):
                raise self.refusal(node, missing)
        self.fill_dependent(elements, dependent, find)
        return elements

    def fill_dependent(self, elements: Elements, nodes: Iterable[Node], find: Find) -> None:
        """Add the attributes whose conditions ask for the others, which are there now."""
        for node in nodes:
            if missing := self.put(elements, node, find):
                raise self.refusal(node, missing)

    def put(self, elements: Elements, node: Node, find: Find) -> AttributeRule | None:
        """Add an attribute as its rules decide; the row that requires a value where there is none."""
        decision = node.always or node.decide(_lookup_in(elements), self.context, self.absent)
        if decision is None:
            return None
        found = None if decision.requirement == "EMPTY" else self._find(elements, node, find)
        if found is not None:
            elements[node.tag] = self.copy(node, found)
        elif is_sent_empty(node, decision.requirement):
            elements[node.tag] = make_element(node.tag, node.vr, None)
        elif decision.requirement in MUST_HAVE_VALUE:
            return decision.row
        return None

    def copy(self, node: Node, found: DataElement) -> DataElement:
        """A value as the new attribute, item by item with the rules below a sequence."""
        if node.vr != "SQ":
            return copy_value(node.tag, node.vr, found)
        if not node.children:
            return make_sequence(node.tag, [copy_item(item) for item in found.value])
        return make_sequence(node.tag, [self.fill_item(node.children, item) for item in found.value])

    def fill_item(self, nodes: Iterable[Node], source: Dataset) -> Dataset:
        """An item with what the rules take of another: below a sequence, every source means the item found."""
        values = index_values(source)
        return make_data_set(self.fill(nodes, lambda rule: rule.fixed or values.get(rule.row.path[-1])))

    def refusal(self, node: Node, row: AttributeRule) -> ObjectInvalid:
        """The error that a mandatory attribute has no value."""
        of_module = f" of the {row.module} module" if row.module else ""
        return ObjectInvalid(
            f"{self.name}: {name_of(node.key)}{of_module} has no value",
            advice=f"supply it where it comes from: {' or '.join(name_sources(row))}",
        )

    def _find(self, elements: Elements, node: Node, find: Find) -> DataElement | None:
        for rule in node.rules:
            if rule.row.module in self.absent:
                continue
            given = give_value(rule, _lookup_in(elements), self.context) if rule.condition else None
            found = given or find(rule)
            if found is not None:
                return found
        return None


def _lookup_in(elements: Elements) -> Lookup:
    return lambda tag: elements.get(BaseTag(tag))
