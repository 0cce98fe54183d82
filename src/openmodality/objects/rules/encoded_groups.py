"""The functional groups of a multi-frame image, encoded frame by frame without a data set for each frame.

Rules. A group goes to the shared ones where no frame has a value of its own for it, or all have the same. Each other
group is made by :mod:`openmodality.objects.rules.functional_groups` and encoded by pydicom for the first frame with
such values; a frame with the same attributes and other values gets the same bytes with its own values between. What
comes again is encoded once. So the items are byte for byte what building and writing them one by one would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from struct import pack
from typing import Final, TypeAlias

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.device.profile.conditions import Context
from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.headers import layout_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.definition import Node, RuleTable
from openmodality.objects.rules.elements import make_data_set, make_sequence
from openmodality.objects.rules.filling import Filling, Layers
from openmodality.objects.rules.functional_groups import NEVER_SHARED, list_tags_of, make_group
from openmodality.objects.rules.template import encode_with_pydicom, is_plain_text
from openmodality.standard.tags import ITEM
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

FrameElements: TypeAlias = Mapping[int, DataElement]
"""What is known of a frame, by tag."""

_BINARY: Final[Mapping[str, str]] = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FD": "d", "FL": "f"}
_PLAIN: Final = TEXT_VRS | {"CS", "DA", "DS", "DT", "IS", "TM"}
_LONGEST: Final[Mapping[str, int]] = {"DS": 16, "IS": 12, "CS": 16, "SH": 16, "DT": 26}
"""Characters of a value, where a longer one is an error here (PS3.5 6.2)."""
_write_header: Final = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write

_Key: TypeAlias = tuple[tuple[int, object], ...]


@dataclass(slots=True)
class _Group:
    """A group that frames differ in: what was encoded of it already, by the frames' own values."""

    node: Node
    tags: frozenset[int]
    is_free: bool
    encoded: dict[_Key, bytes] = field(default_factory=dict)
    templates: dict[tuple[int, ...], _GroupTemplate | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _GroupTemplate:
    """The elements of the only item of a group; ``slots`` says which of them are a frame's own, by tag."""

    tag: int
    parts: tuple[bytes, ...]
    slots: Mapping[int, tuple[int, str]]

    def fill(self, own: FrameElements) -> bytes:
        parts = list(self.parts)
        for tag, (number, vr) in self.slots.items():
            parts[number] = _encode_element(tag, vr, own[tag])
        item = b"".join(parts)
        value = _write_header(ITEM, "", len(item)) + item
        return _write_header(self.tag, "SQ", len(value)) + value


class FrameGroups:
    """The groups of an image: ``shared`` is the item of all frames; the others are made and encoded on demand.

    ``common`` are the values that all frames have in common, ``own`` those of each, which go before them. Groups in
    ``without`` are left out. Raises :class:`ObjectInvalid` where a mandatory attribute of a shared group has no value.
    """

    def __init__(
        self,
        table: RuleTable,
        common: FrameElements,
        own: Sequence[FrameElements],
        context: Context | None = None,
        without: frozenset[int] = frozenset(),
    ) -> None:
        self._filling = Filling(table.name, context or Context())
        self._common, self._own = common, own
        self._terms: tuple[str, ...] = ()
        self.shared = Dataset()
        self._groups: list[_Group] = []
        differing = frozenset[int]().union(*(each.keys() for each in own))
        for node in sorted(table.functional_groups, key=lambda each: each.key):
            if node.key in without:
                continue
            tags = list_tags_of(node)
            group = _Group(node, tags, _is_free(node))
            if node.tag in NEVER_SHARED or not self._is_shared(group, differing):
                self._groups.append(group)
            elif items := self._make(node, 0):
                self.shared.add(make_sequence(node.tag, items))

    def make_item(self, number: int) -> Dataset:
        """What is not shared, of the frame with this number, counted from 0."""
        made = ((each.node.tag, self._make(each.node, number)) for each in self._groups)
        return make_data_set({tag: make_sequence(tag, items) for tag, items in made if items})

    def find_special_frames(self) -> Iterator[int]:
        """The frames with text that not every character set holds."""
        for number, own in enumerate(self._own):
            if any(_is_special(element) for element in own.values()):
                yield number

    def encode_items(self, terms: Sequence[str] = ()) -> list[bytes]:
        """An item for each frame, in Explicit VR Little Endian; ``terms`` are those of the image's character set.

        Raises :class:`ObjectInvalid` where a mandatory attribute of a frame has no value, or a value is too long.
        """
        self._terms = tuple(terms)
        return [self._encode_item(number) for number in range(len(self._own))]

    def _encode_item(self, number: int) -> bytes:
        encoded = b"".join([self._encode(group, number) for group in self._groups])
        return _write_header(ITEM, "", len(encoded)) + encoded

    def _encode(self, group: _Group, number: int) -> bytes:
        own = self._own[number]
        key = tuple([(tag, freeze(own[tag])) for tag in own if tag in group.tags])
        known = group.encoded.get(key)
        if known is None:
            known = group.encoded[key] = self._encode_anew(group, number, tuple([tag for tag, _ in key]))
        return known

    def _encode_anew(self, group: _Group, number: int, tags: tuple[int, ...]) -> bytes:
        own = self._own[number]
        template = group.templates.get(tags)
        if template is not None and not any(_is_special(own[tag]) for tag in tags):
            return template.fill(own)
        items = self._make(group.node, number)
        if not items:
            return b""
        if tags not in group.templates:
            group.templates[tags] = self._make_template(group, items, own) if group.is_free else None
        return bytes(encode_with_pydicom(make_sequence(group.node.tag, items), list(self._terms) or None))

    def _make_template(self, group: _Group, items: Sequence[Dataset], own: FrameElements) -> _GroupTemplate | None:
        if len(items) != 1 or group.node.key in own or group.node.key in self._common:
            return None
        elements = [items[0][tag] for tag in sorted(items[0].keys())]
        if any(element.VR == "SQ" and int(element.tag) in own for element in elements):
            return None
        terms = list(self._terms) or None
        slots = {int(each.tag): (number, each.VR) for number, each in enumerate(elements) if int(each.tag) in own}
        if any(vr != own[tag].VR or not _is_encoded_here(vr) for tag, (_, vr) in slots.items()):
            return None
        parts = tuple(bytes(encode_with_pydicom(element, terms)) for element in elements)
        return _GroupTemplate(group.node.key, parts, slots)

    def _make(self, node: Node, number: int) -> list[Dataset]:
        layers: Layers = ((), (), (), (self._own[number], self._common), ())
        return make_group(self._filling, node, layers)

    def _is_shared(self, group: _Group, differing: frozenset[int]) -> bool:
        if differing.isdisjoint(group.tags):
            return True
        first, *others = ({tag: freeze(own[tag]) for tag in own if tag in group.tags} for own in self._own)
        return all(other == first for other in others)


def _is_free(node: Node) -> bool:
    """Whether the attributes of a group depend on nothing but whether their values are known."""
    return all(
        not each.depends and all(rule.row.value_rule in ("", "defined") for rule in each.rules)
        for each in node.children
    )


def _is_encoded_here(vr: str) -> bool:
    return vr in _BINARY or vr in _PLAIN


def _is_special(element: DataElement) -> bool:
    if element.VR == "SQ":
        return any(_is_special(inner) for item in element.value for inner in item)
    return element.VR in TEXT_VRS and not is_plain_text(str(element.value))


def freeze(element: DataElement) -> object:
    """The value of an element as the key of what it is encoded as."""
    value = element.value
    if element.VR == "SQ":
        return tuple(tuple((int(inner.tag), freeze(inner)) for inner in item) for item in value)
    if element.VR in ("DS", "IS"):
        return _join(value)
    return tuple(value) if isinstance(value, MultiValue | list) else value


def _join(value: object) -> str:
    values = value if isinstance(value, MultiValue | list | tuple) else (value,)
    return "\\".join([getattr(each, "original_string", None) or str(each) for each in values])


def _encode_element(tag: int, vr: str, element: DataElement) -> bytes:
    """An element with a value that every character set holds, as pydicom writes it."""
    value = element.value
    if vr in _BINARY:
        values = value if isinstance(value, MultiValue | list) else (value,)
        encoded = pack(f"<{len(values)}{_BINARY[vr]}", *values)
        return _write_header(tag, vr, len(encoded)) + encoded
    text = _join(value)
    longest = _LONGEST.get(vr)
    if longest and len(text) > longest and max(map(len, text.split("\\"))) > longest:
        raise ObjectInvalid(
            f"{name_of(tag)}: a value has more than {longest} characters",
            advice="correct this attribute where it comes from",
        )
    encoded = text.encode("ascii")
    if len(encoded) % 2:
        encoded += b" "
    return _write_header(tag, vr, len(encoded)) + encoded


def encode_items_of(tag: int, items: Sequence[bytes]) -> bytes:
    """A sequence of encoded items."""
    return b"".join((_write_header(tag, "SQ", sum(map(len, items))), *items))
