"""Indexes enumerated values by attribute, for values given by keyword, before the rules put them in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from openmodality.device.profile.profile import AttributeRule
from openmodality.dimse.reading import values_of
from openmodality.objects.rules.definition import FUNCTIONAL_GROUPS

Terms: TypeAlias = Mapping[int, frozenset[str]]
"""The enumerated values by tag."""


def index_terms(rules: Iterable[AttributeRule]) -> Terms:
    """The attributes of rules that each enumerate the values; those of all, where there are several."""
    found: dict[int, frozenset[str]] = {}
    free = set()
    for rule in rules:
        tag = rule.path[-1]
        if rule.value_rule == "enumerated":
            found[tag] = found.get(tag, frozenset()) | frozenset(rule.values)
        else:
            free.add(tag)
    return {tag: terms for tag, terms in found.items() if tag not in free}


def index_frame_terms(rules: Iterable[AttributeRule]) -> Terms:
    """The enumerated values of what frames say in their functional groups."""
    return index_terms(rule for rule in rules if rule.module == FUNCTIONAL_GROUPS)


def index_image_terms(rules: Iterable[AttributeRule]) -> Terms:
    """The enumerated values of what the image says as a whole."""
    return index_terms(rule for rule in rules if rule.module != FUNCTIONAL_GROUPS and len(rule.path) == 1)


def has_other_term(element: DataElement, terms: Terms) -> bool:
    """Whether a value is not among those that are enumerated for the attribute."""
    allowed = terms.get(int(element.tag))
    return allowed is not None and any(str(value) not in allowed for value in values_of(element))


def drop_other_terms(data_set: Dataset, terms: Terms) -> Dataset:
    """The data set, without the attributes that have other values than those enumerated for them."""
    held = [data_set[tag] for tag in data_set.keys() & terms.keys()]
    for element in held:
        if has_other_term(element, terms):
            del data_set[element.tag]
    return data_set
