"""Builds data sets by the attribute rules of a definition.

For each attribute: find a value in the places that the sources of its rules name, else do what its requirement says. A
missing mandatory value is an error that names module and attribute; what is required but may be unknown is sent with
zero length; the rest is left out. Sequences are walked item by item with the rules below them.

The instances of a series differ in little. A :class:`Draft` works out once what is the same for all of them; for each
instance it copies that and looks again only at the attributes for which the instance has a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from openmodality.device.profile.conditions import Context
from openmodality.device.profile.profile import AttributeRule
from openmodality.objects.rules.definition import Node, Rule, RuleTable
from openmodality.objects.rules.elements import copy_elements, make_data_set
from openmodality.objects.rules.filling import Elements, Filling, Find, find_in, give_value
from openmodality.objects.rules.functional_groups import place_groups
from openmodality.objects.rules.sources import Places, SourceValues
from openmodality.value_class import dataclass

_NO_FACTS: Final[frozenset[str]] = frozenset()


def build(
    table: RuleTable,
    values: SourceValues,
    *,
    facts: frozenset[str] = _NO_FACTS,
    frames: Sequence[SourceValues] = (),
) -> Dataset:
    """A data set with the attributes that the rules ask for, found in ``values``.

    ``facts`` are those of :data:`openmodality.device.profile.conditions.FACTS` that hold. With ``frames``, what is
    known of each frame of a multi-frame image, the functional groups are placed too.

    Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
    """
    data_set = Draft(table, values, facts).build()
    if frames:
        data_set.update(place_groups(table, frames, Context(table.switches_off, facts)))
    return data_set


@dataclass(frozen=True, slots=True)
class _Start:
    """What instances without the same modules begin with, and the mandatory attributes that are still missing."""

    filling: Filling
    elements: Elements
    missing: Sequence[tuple[Node, AttributeRule]]


class Draft:
    """Builds data sets of one table that share the values ``common``, such as the images of a series."""

    def __init__(self, table: RuleTable, common: SourceValues, facts: frozenset[str] = _NO_FACTS) -> None:
        self._table = table
        self._context = Context(table.switches_off, facts)
        self._common = common.index()
        self._nodes = table.nodes_by_tag
        self._dependent = tuple(node for node in table.nodes if node.depends)
        find = self._make_find(())
        signs = list(_find_signs(table))
        self._shown = frozenset(rule.row.module for rule in signs if self._find_value(rule, find) is not None)
        self._signs: dict[int, list[Rule]] = {}
        for rule in signs:
            if rule.row.module not in self._shown:
                self._signs.setdefault(rule.row.path[0], []).append(rule)
        self._starts: dict[frozenset[str], _Start] = {}

    def build(self, own: SourceValues | None = None) -> Dataset:
        """A data set; ``own`` are the values of this instance alone, which go before the common ones of their source.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value.
        """
        places = own.index() if own else ()
        keys = {key for place in places for key in place}
        find = self._make_find(places)
        absent = self._find_absent(keys, find)
        start = self._starts.get(absent)
        if start is None:
            start = self._starts[absent] = self._start(absent)
        elements = copy_elements(start.elements)
        for node in (self._nodes[key] for key in keys & self._nodes.keys()):
            if not node.depends:
                start.filling.put(elements, node, find)
        for node, row in start.missing:
            if node.tag not in elements:
                raise start.filling.refusal(node, row)
        start.filling.fill_dependent(elements, self._dependent, find)
        return make_data_set(elements)

    def find_origins(self, own: SourceValues) -> dict[int, DataElement | None]:
        """For each attribute that ``own`` has: the element that gives the instance its value, of ``own`` or common."""
        places = own.index()
        keys = {key for place in places for key in place}
        find = self._make_find(places)
        absent = self._find_absent(keys, find)
        origins = {}
        for node in (self._nodes[key] for key in keys & self._nodes.keys()):
            rules = (rule for rule in node.rules if rule.row.module not in absent)
            origins[node.key] = next((found for rule in rules if (found := find(rule)) is not None), None)
        return origins

    def _start(self, absent: frozenset[str]) -> _Start:
        filling = Filling(self._table.name, self._context, absent)
        elements: Elements = {}
        missing = []
        find = self._make_find(())
        for node in self._table.nodes:
            if not node.depends and (row := filling.put(elements, node, find)):
                missing.append((node, row))
        return _Start(filling, elements, missing)

    def _make_find(self, own: Places) -> Find:
        layers = tuple(zip(own, self._common, strict=True)) if own else tuple((common,) for common in self._common)
        return lambda rule: rule.fixed or find_in(layers, rule)

    def _find_absent(self, keys: Iterable[int], find: Find) -> frozenset[str]:
        """The optional modules in which there is nothing to say, and those whose condition does not hold."""
        signs = [rule for key in keys for rule in self._signs.get(key, ())]
        present = {rule.row.module for rule in signs if self._find_value(rule, find) is not None}
        absent = self._table.optional_modules - self._shown - present
        if not self._table.module_conditions:
            return absent
        return absent | {
            module
            for module, expression in self._table.module_conditions.items()
            if not expression.evaluate(lambda tag: self._find_known(tag, find), self._context)
        }

    def _find_known(self, tag: int, find: Find) -> DataElement | None:
        node = self._nodes.get(tag)
        rules = node.rules if node else ()
        return next((found for rule in rules if (found := self._find_value(rule, find)) is not None), None)

    def _find_value(self, rule: Rule, find: Find) -> DataElement | None:
        given = give_value(rule, lambda tag: None, self._context) if rule.condition else None
        return given or find(rule)


def _find_signs(table: RuleTable) -> Iterator[Rule]:
    """The rules by which an optional module shows that there is something to say in it: all but its fixed values."""
    for rule in (rule for node in table.nodes for rule in node.rules):
        if rule.row.module in table.optional_modules and rule.fixed is None:
            yield rule
