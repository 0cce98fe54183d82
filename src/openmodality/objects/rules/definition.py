"""An information object as a device makes it: the rows of its profile that concern one kind of instance.

What can be known before there is an instance is worked out here, once for each definition: conditions are parsed, the
rows of one attribute are put together, and the attributes form the tree that the builder and the check walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Final, NamedTuple

from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag, Tag

from openmodality.device.paths import TagPath
from openmodality.device.profile.conditions import (
    Always,
    AppliesWhen,
    Context,
    Expression,
    Lookup,
    RuleCondition,
    list_tags,
    parse_condition,
)
from openmodality.device.profile.profile import AttributeRule, InformationObject, Profile, Requirement
from openmodality.dimse.attribute_names import name_of
from openmodality.errors import ConfigurationError
from openmodality.objects.rules.elements import make_element
from openmodality.objects.rules.private_rules import Mirrors, index_mirrors, list_private_rules
from openmodality.objects.rules.sources import list_places
from openmodality.objects.rules.standard_rules import add_standard_rules
from openmodality.value_class import dataclass

# The strictest first: where an attribute stands in two modules of an object, the stricter rule holds.
_STRICTNESS: Final[tuple[Requirement, ...]] = ("1", "ALWAYS", "2", "VNAP", "1C", "2C", "EMPTY", "3", "ANAP", "")
_WHERE_REQUIRED: Final[Mapping[Requirement, Requirement]] = {"1C": "1", "2C": "2"}
"""What a conditional type is where its condition holds."""

FUNCTIONAL_GROUPS: Final = "Multi-frame Functional Groups Macros"
"""The module whose attributes go into the Shared or the Per-frame Functional Groups Sequence (PS3.3 C.7.6.16)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of a rule table, made ready: its condition parsed, its fixed value as an element, the places to look in."""

    row: AttributeRule
    condition: RuleCondition | None
    fixed: DataElement | None
    places: tuple[int, ...]

    @property
    def depends(self) -> bool:
        """Whether the row depends on what else is in the data set."""
        if isinstance(self.condition, AppliesWhen):
            return not isinstance(self.condition.expression, Always)
        return self.condition is not None

    def requirement(self, lookup: Lookup, context: Context) -> Requirement | None:
        """What is required where the conditions are as in the data set of ``lookup``; None where the row is void."""
        required = self.row.requirement
        if not isinstance(self.condition, AppliesWhen):
            return required
        holds = self.condition.expression.evaluate(lookup, context)
        if required in _WHERE_REQUIRED:
            return _WHERE_REQUIRED[required] if holds else required
        return required if holds else None


class Decision(NamedTuple):
    """The row of an attribute that decides, and what it requires."""

    row: AttributeRule
    requirement: Requirement


@dataclass(frozen=True, slots=True)
class Node:
    """An attribute of an object: its rules in table order, and the attributes in the items of a sequence.

    ``key`` is the tag as a plain number, which is faster to look up. ``always`` is the decision where it depends on no
    condition and on no module that may be absent; ``depends`` tells whether a condition asks for other attributes.
    """

    tag: BaseTag
    key: int
    vr: str
    rules: tuple[Rule, ...]
    children: tuple[Node, ...]
    always: Decision | None
    depends: bool

    def decide(self, lookup: Lookup, context: Context, absent: frozenset[str] = frozenset()) -> Decision | None:
        """The strictest of the rules that hold, without those of absent modules; None where none does."""
        if self.always is not None:
            return self.always
        held = (
            Decision(rule.row, requirement)
            for rule in self.rules
            if rule.row.module not in absent and (requirement := rule.requirement(lookup, context)) is not None
        )
        return min(held, key=_strictness, default=None)


@dataclass(frozen=True)
class RuleTable:
    """Rows of a profile that say what a data set holds, put together for the builder and the check.

    ``name`` is what errors call the data set. Modules in ``optional_modules`` are left out as a whole where there is
    nothing to say in them; those in ``module_conditions`` where the condition does not hold. ``character_sets`` are
    tried in their order, UTF-8 after them; ``charset_attributes`` are those in which the device uses others than the
    default repertoire, none for all. ``switches_off`` names the parameters of kind boolean that are off at this
    site, such as ``kits.dap``.

    Raises :class:`ConfigurationError` where a condition is none.
    """

    name: str
    rules: tuple[AttributeRule, ...]
    optional_modules: frozenset[str] = frozenset()
    module_conditions: Mapping[str, Expression] = field(default_factory=dict)
    character_sets: tuple[tuple[str, ...], ...] = ((),)
    charset_attributes: tuple[TagPath, ...] = ()
    switches_off: frozenset[str] = frozenset()
    nodes: tuple[Node, ...] = field(init=False)
    """The attributes of the data set itself, in table order."""
    functional_groups: tuple[Node, ...] = field(init=False)
    """The functional groups of a multi-frame image, in table order."""

    def __post_init__(self) -> None:
        parsed = [_prepare(self.name, row) for row in self.rules]
        groups = [rule for rule in parsed if rule.row.module == FUNCTIONAL_GROUPS]
        may_be_absent = self.optional_modules | self.module_conditions.keys()
        flat = [rule for rule in parsed if rule.row.module != FUNCTIONAL_GROUPS]
        object.__setattr__(self, "nodes", make_tree(flat, may_be_absent))
        object.__setattr__(self, "functional_groups", make_tree(groups, may_be_absent))

    @cached_property
    def nodes_by_tag(self) -> Mapping[int, Node]:
        """The attributes of the data set itself, by tag."""
        return {node.key: node for node in self.nodes}

    @cached_property
    def asked_tags(self) -> frozenset[int]:
        """The attributes that a condition asks for."""
        return frozenset[int]().union(
            *(list_tags(rule.condition) for node in self.nodes for rule in node.rules),
            *map(list_tags, self.module_conditions.values()),
        )

    @cached_property
    def _strictest(self) -> Mapping[TagPath, AttributeRule]:
        rows: dict[TagPath, AttributeRule] = {}
        for row in self.rules:
            known = rows.setdefault(row.path, row)
            if _STRICTNESS.index(row.requirement) < _STRICTNESS.index(known.requirement):
                rows[row.path] = row
        return rows

    def find_rule(self, *path: int) -> AttributeRule | None:
        """The strictest row of an attribute; None where the table has no such attribute."""
        return self._strictest.get(path)


@dataclass(frozen=True)
class ObjectDefinition(RuleTable):
    """A kind of instance that a device makes."""

    information_object: InformationObject = field(kw_only=True)
    mirrors: Mirrors = field(default_factory=dict, kw_only=True)
    """The private attributes that repeat a standard one."""

    @classmethod
    def of(
        cls,
        profile: Profile,
        name: str,
        *,
        switches_off: Iterable[str] = (),
        character_sets: tuple[tuple[str, ...], ...] | None = None,
    ) -> ObjectDefinition:
        """The object called ``name`` in ``profile``, such as ``MR Image``.

        ``switches_off`` and ``character_sets`` are those of a site, by default those of the profile. Raises
        :class:`KeyError` where the device has no such object.
        """
        made = profile.find_object(name)
        private = list_private_rules(profile.private_attributes) if made.is_image else ()
        uses = [use for use in profile.module_uses if use.object == name]
        conditions = {use.module: parse_condition(use.condition) for use in uses if use.condition}
        return cls(
            name=name,
            rules=(*add_standard_rules(profile.rules_of(name), is_image=made.is_image), *private),
            optional_modules=frozenset(use.module for use in uses if use.presence == "ANAP")
            | {rule.module for rule in private},
            module_conditions={
                module: condition.expression
                for module, condition in conditions.items()
                if isinstance(condition, AppliesWhen)
            },
            character_sets=profile.character_sets if character_sets is None else character_sets,
            charset_attributes=profile.charset_attributes,
            switches_off=frozenset(switches_off),
            information_object=made,
            mirrors=index_mirrors(profile.private_attributes if made.is_image else ()),
        )

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID (0008,0016) of the instances."""
        return self.information_object.sop_class_uid


def make_tree(rules: Iterable[Rule], may_be_absent: Iterable[str] = ()) -> tuple[Node, ...]:
    """The rules as a tree along their paths, each path once, in table order."""
    by_path: dict[TagPath, list[Rule]] = {}
    for rule in rules:
        by_path.setdefault(rule.row.path, []).append(rule)
    by_parent: dict[TagPath, list[TagPath]] = {}
    for path in by_path:
        by_parent.setdefault(path[:-1], []).append(path)
    return _make_nodes((), by_parent, by_path, frozenset(may_be_absent))


def _make_nodes(
    parent: TagPath,
    by_parent: Mapping[TagPath, list[TagPath]],
    by_path: Mapping[TagPath, list[Rule]],
    may_be_absent: frozenset[str],
) -> tuple[Node, ...]:
    return tuple(
        Node(
            tag=Tag(path[-1]),
            key=path[-1],
            vr=by_path[path][0].row.vr,
            rules=tuple(by_path[path]),
            children=_make_nodes(path, by_parent, by_path, may_be_absent),
            always=_decide_beforehand(by_path[path], may_be_absent),
            depends=any(rule.depends for rule in by_path[path]),
        )
        for path in by_parent.get(parent, ())
    )


def _decide_beforehand(rules: Sequence[Rule], may_be_absent: frozenset[str]) -> Decision | None:
    """The strictest rule, where all of them hold for every data set."""
    if any(rule.depends or rule.row.module in may_be_absent for rule in rules):
        return None
    held = ((rule.row, rule.requirement(lambda tag: None, Context())) for rule in rules)
    return min((Decision(row, requirement) for row, requirement in held if requirement is not None), key=_strictness)


def _strictness(decision: Decision) -> int:
    return _STRICTNESS.index(decision.requirement)


def _prepare(name: str, row: AttributeRule) -> Rule:
    fixed = make_element(Tag(row.path[-1]), row.vr, row.values[0]) if row.value_rule == "fixed" else None
    try:
        return Rule(row, parse_condition(row.condition), fixed, list_places(row))
    except ConfigurationError as error:
        where = f"{name}, {row.module} module, {name_of(row.path[-1])}"
        raise ConfigurationError(f"{where}: {error.message}", advice=error.advice) from error
