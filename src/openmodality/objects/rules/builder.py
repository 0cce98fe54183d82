"""Builds a data set by walking the attribute rules of a profile.

For each attribute, in table order: find a value in the places that its sources name, else do what its requirement
says. A missing mandatory value is an error that names module and attribute; what is required but may be unknown is
sent with zero length; the rest is left out. Sequences are walked item by item with the rules below them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.device.profile.profile import AttributeRule, Source
from openmodality.dimse.attribute_names import name_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.definition import Node, ObjectDefinition, tree
from openmodality.objects.rules.elements import copied_item, element, element_at, plain_value, sequence

MUST_HAVE_VALUE = frozenset({"1", "ALWAYS"})
EMPTY_WITHOUT_VALUE = frozenset({"2", "VNAP", "EMPTY"})

# Attributes that a statement wants ALWAYS but which may be unknown: a patient without date of birth has no age. They
# are Type 2 or 3 in PS3.3, so zero length is allowed.
MAY_BE_UNKNOWN = frozenset({Tag("PatientAge"), Tag("StationName")})
# Attributes that a statement sends with zero length although PS3.3 wants a value or at least one item where they are
# present (Type 1, 1C, and sequences of Type 3 with one or more items): without a value they are left out.
NEVER_EMPTY = frozenset(
    Tag(keyword)
    for keyword in (
        "CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning", "ReferencedSOPClassUID",
        "ReferencedSOPInstanceUID", "ScheduledProcedureStepID", "RequestedProcedureID", "ReferencedPatientSequence",
        "RequestAttributesSequence", "PerformedProtocolCodeSequence", "ScheduledProtocolCodeSequence",
    )
)  # fmt: skip

Find = Callable[[AttributeRule], DataElement | None]


@dataclass(frozen=True, slots=True)
class Values:
    """Where values come from, each a data set with attributes at the places where the new object has them.

    ``worklist`` is the chosen item after the attribute mapping, ``user`` what the operator typed, ``configuration`` the
    equipment of the site, ``acquisition`` what made the pixels says, ``automatic`` what the device finds by itself.
    """

    worklist: Dataset = field(default_factory=Dataset)
    user: Dataset = field(default_factory=Dataset)
    configuration: Dataset = field(default_factory=Dataset)
    acquisition: Dataset = field(default_factory=Dataset)
    automatic: Dataset = field(default_factory=Dataset)

    def of(self, source: Source) -> tuple[Dataset, ...]:
        """Where to look for a value of this source, the first one first.

        The statements' AUTO covers everything that nobody types, so also what the equipment and the acquisition say;
        what a protocol sets, such as Body Part Examined, stands for the operator who chose the protocol.
        """
        match source:
            case "MWL":
                return (self.worklist,)
            case "USER":
                return self.user, self.acquisition
            case "CONFIG":
                return self.configuration, self.automatic
            case "AUTO":
                return self.automatic, self.configuration, self.acquisition
            case "ACQ":
                return self.acquisition, self.automatic


def build(definition: ObjectDefinition, values: Values) -> Dataset:
    """A data set with the attributes that the definition's rules ask for, found in ``values``.

    Raises:
        ObjectInvalid: a mandatory attribute has no value.
    """

    def find(rule: AttributeRule) -> DataElement | None:
        return _found(rule, values, definition)

    rules = list(_rules_in_use(definition, find))
    data_set = Dataset()
    _fill(data_set, tree(rules), find, definition.name)
    return data_set


def _rules_in_use(definition: ObjectDefinition, find: Find) -> Iterator[AttributeRule]:
    """The rules without those of optional modules in which there is nothing to say."""
    needed = {
        rule.module
        for rule in definition.rules
        if rule.module in definition.optional_modules
        and len(rule.path) == 1
        and rule.value_rule != "fixed"
        and find(rule)
    }
    for rule in definition.rules:
        if rule.module not in definition.optional_modules or rule.module in needed:
            yield rule


def _found(rule: AttributeRule, values: Values, definition: ObjectDefinition) -> DataElement | None:
    tag = rule.path[0]
    if rule.value_rule == "fixed":
        return element(tag, rule.vr, rule.values[0])
    if definition.is_zero(rule):
        return element(tag, rule.vr, "0")
    for place in _places(rule, values):
        found = element_at(place, tag)
        if found is not None and not found.is_empty and _allowed(rule, found):
            return found
    return None


def _places(rule: AttributeRule, values: Values) -> Iterable[Dataset]:
    for source in rule.sources:
        yield from values.of(source)
    if rule.requirement in MUST_HAVE_VALUE:
        yield values.automatic


def _allowed(rule: AttributeRule, found: DataElement) -> bool:
    """Whether an enumerated value is one of the list; defined terms may be extended (PS3.5 7.4)."""
    return rule.value_rule != "enumerated" or str(found.value) in rule.values


def _fill(target: Dataset, nodes: Iterable[Node], find: Find, object_name: str) -> None:
    for node in nodes:
        value = next((found for rule in node.all_rules if (found := find(rule)) is not None), None)
        if value is not None:
            target.add(_copied(node, value, object_name))
        else:
            _without_value(target, node.rule, object_name)


def _without_value(target: Dataset, rule: AttributeRule, object_name: str) -> None:
    tag = rule.path[-1]
    if rule.requirement in EMPTY_WITHOUT_VALUE or (rule.requirement == "ALWAYS" and _may_be_empty(rule)):
        if tag not in NEVER_EMPTY:
            target.add(element(tag, rule.vr, None))
    elif rule.requirement in MUST_HAVE_VALUE:
        raise ObjectInvalid(
            f"{object_name}: {name_of(tag)} of the {rule.module} module has no value",
            advice=f"It comes from: {', '.join(rule.sources) or 'acquisition'}. Supply it there.",
        )


def _may_be_empty(rule: AttributeRule) -> bool:
    return rule.vr == "SQ" or rule.path[-1] in MAY_BE_UNKNOWN


def _copied(node: Node, found: DataElement, object_name: str) -> DataElement:
    rule = node.rule
    if rule.vr != "SQ":
        return element(rule.path[-1], rule.vr, plain_value(found.value))
    if not node.children:
        return sequence(rule.path[-1], [copied_item(item) for item in found.value])
    items = []
    for source in found.value:
        item = Dataset()
        _fill(item, node.children, _finder_in(source), object_name)
        items.append(item)
    return sequence(rule.path[-1], items)


def _finder_in(item: Dataset) -> Find:
    """Below a sequence every source means the item that was found."""

    def find(rule: AttributeRule) -> DataElement | None:
        if rule.value_rule == "fixed":
            return element(rule.path[-1], rule.vr, rule.values[0])
        found = element_at(item, rule.path[-1])
        return found if found is not None and not found.is_empty else None

    return find
