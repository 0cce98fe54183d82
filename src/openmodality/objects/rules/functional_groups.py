"""Places the attributes of a multi-frame image into its functional groups (PS3.3 C.7.6.16; DECISIONS MR 23).

A functional group goes to (5200,9229) Shared Functional Groups Sequence where it is the same for all frames, else into
each item of (5200,9230) Per-frame Functional Groups Sequence. What is known of a frame is given as for an image of one
frame: attributes side by side, which the rules put into their groups; or a group's sequence. What the only item of that
says goes before the attributes beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.device.profile.conditions import Context
from openmodality.objects.rules.definition import Node, Rule, RuleTable
from openmodality.objects.rules.elements import index_values, make_data_set, make_sequence
from openmodality.objects.rules.filling import Filling, Layers, find_in, is_allowed
from openmodality.objects.rules.sources import MUST_HAVE_VALUE, Places, SourceValues

_SHARED: Final = Tag("SharedFunctionalGroupsSequence")
_PER_FRAME: Final = Tag("PerFrameFunctionalGroupsSequence")
# Frame Content says what makes a frame this frame; it may not be shared (PS3.3 C.7.6.16.2.2).
NEVER_SHARED: Final = frozenset({Tag("FrameContentSequence")})


def place_groups(table: RuleTable, frames: Sequence[SourceValues], context: Context) -> Dataset:
    """The Shared and the Per-frame Functional Groups Sequence of an image with these frames, in their order.

    Raises :class:`ObjectInvalid` where a mandatory attribute of a group has no value.
    """
    filling = Filling(table.name, context)
    indexed = [frame.index() for frame in frames]
    differing = _find_differing(indexed)
    known = [[(place,) for place in places] for places in indexed]
    shared, per_frame = Dataset(), [Dataset() for _ in frames]
    for node in table.functional_groups:
        if node.tag not in NEVER_SHARED and differing.isdisjoint(list_tags_of(node)):
            if group := make_group(filling, node, known[0]):
                shared.add(make_sequence(node.tag, group))
            continue
        groups = [make_group(filling, node, layers) for layers in known]
        first = groups[0]
        if first and node.tag not in NEVER_SHARED and all(group == first for group in groups):
            shared.add(make_sequence(node.tag, first))
            continue
        for frame, group in zip(per_frame, groups, strict=True):
            if group:
                frame.add(make_sequence(node.tag, group))
    placed = Dataset()
    placed.add(make_sequence(_SHARED, [shared]))
    placed.add(make_sequence(_PER_FRAME, per_frame))
    return placed


def _find_differing(frames: Sequence[Places]) -> frozenset[int]:
    """The tags of what is not one and the same element in all frames; equal ones may be among them."""
    first, *others = frames
    differing: set[int] = set()
    for number, of_first in enumerate(first):
        for frame in others:
            place = frame[number]
            differing.update(of_first.keys() ^ place.keys())
            differing.update(tag for tag, element in place.items() if of_first.get(tag) is not element)
    return frozenset(differing)


def list_tags_of(node: Node) -> frozenset[int]:
    """The attributes that a group asks for."""
    return frozenset(_walk_tags(node))


def _walk_tags(node: Node) -> Iterator[int]:
    yield node.key
    for child in node.children:
        yield from _walk_tags(child)


def make_group(filling: Filling, node: Node, layers: Layers) -> list[Dataset]:
    """The items of a functional group for one frame; none where it is optional and nothing is known to tell in it."""
    for rule in node.rules:
        whole = find_in(layers, rule)
        if whole is not None and len(whole.value) == 1:
            return [_complete_item(filling, node, index_values(whole.value[0]), layers)]
        if whole is not None:
            return [filling.fill_item(node.children, item) for item in whole.value]
    if not _is_mandatory(node, filling.context) and not _knows_any(node.children, layers):
        return []
    return [make_data_set(filling.fill(node.children, lambda rule: rule.fixed or find_in(layers, rule)))]


def _complete_item(filling: Filling, node: Node, given: Mapping[int, DataElement], layers: Layers) -> Dataset:
    """The only item of a group that was given as a sequence; what it does not say is what the frame says."""

    def find(rule: Rule) -> DataElement | None:
        own = given.get(rule.row.path[-1])
        return rule.fixed or (own if own is not None and is_allowed(rule.row, own) else find_in(layers, rule))

    return make_data_set(filling.fill(node.children, find))


def _is_mandatory(node: Node, context: Context) -> bool:
    decision = node.decide(lambda tag: None, context)
    return decision is not None and decision.requirement in MUST_HAVE_VALUE


def _knows_any(nodes: Sequence[Node], layers: Layers) -> bool:
    """Whether a frame has a value for one of the attributes; a value that is always the same tells nothing."""
    rules = (rule for node in nodes for rule in node.rules if rule.fixed is None)
    return any(find_in(layers, rule) is not None for rule in rules)
