"""An instance as encoded parts, of which the next instance of its series needs only some anew.

Rules. What tells a :class:`Template` whether it may serve an instance is the instance's own values: the same attributes
must have values, and those of which something else may depend must have the same ones. An attribute may be exchanged
where nothing depends on its value: no condition of the table asks for it, its list of values excludes none, its text
needs no other character set, and the instance takes it from the own values and not from what the series shares. So
the parts put together are byte for byte what building and writing the instance would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from itertools import compress
from operator import is_not, itemgetter
from struct import Struct
from typing import Any, Final, cast

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from openmodality.buffer import Buffer
from openmodality.device.profile.conditions import AppliesWhen
from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.builder import Draft
from openmodality.objects.rules.check import find_wrong_values
from openmodality.objects.rules.definition import Node, Rule, RuleTable
from openmodality.objects.rules.elements import copy_value, has_length
from openmodality.objects.rules.sources import ACQUISITION_PLACE, AUTOMATIC_PLACE, Places, SourceValues
from openmodality.standard.tags import PIXEL_DATA
from openmodality.standard.value_rules import is_plain_decimal
from openmodality.value_class import dataclass

_LONG_FORMS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""VRs whose value begins after twelve bytes in Explicit VR, after eight for the others (PS3.5 7.1.2)."""
_SHORT_TEXTS: Final = frozenset({"CS", "DA", "TM", "UI", "DS", "IS"})
_HEAD: Final = Struct("<HH2s").pack
_PIXEL_DATA_HEAD: Final = Struct("<HH2sHL").pack
# ISO_IR 13 has a yen sign and an overline in the place of backslash and tilde.
HELD_BY_ALL: Final = frozenset(map(chr, range(0x20, 0x7F))) - set("\\~")
"""The characters that every character set holds."""


@dataclass(slots=True)
class _Found:
    """Values that were looked for together in the instance before: ``pick`` takes the parts that have them."""

    tags: Sequence[int]
    pick: Callable[[Sequence[Buffer]], tuple[Buffer, ...]]
    parts: tuple[Buffer, ...] = ()
    values: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EncodedInstance:
    """A data set in Explicit VR Little Endian: its elements in the order of their tags, to be written so.

    ``tags`` says where in ``parts`` an attribute is. The pixels are a part of their own, after that of their element.
    """

    tags: Mapping[int, int]
    parts: list[Buffer]
    read: dict[int, tuple[Buffer, bytes]] = field(default_factory=dict)
    """Values that were looked for before, with the parts that they are of: an instance shares most with the next."""
    found: dict[frozenset[int], _Found] = field(default_factory=dict)
    """The same of values that were looked for together."""

    def read_uid(self, tag: int) -> str:
        """A UID of the data set itself; empty where it is absent."""
        return (self.find_value(tag) or b"").rstrip(b"\0").decode("ascii")

    def find_value(self, tag: int) -> bytes | None:
        """The value of an attribute of the data set itself, as it is encoded; None where it is absent."""
        number = self.tags.get(tag)
        if number is None:
            return None
        part = self.parts[number]
        known = self.read.get(tag)
        if known is None or known[0] is not part:
            start = 12 if bytes(part[4:6]).decode("ascii", "replace") in _LONG_FORMS else 8
            known = self.read[tag] = (part, bytes(part[start:]))
        return known[1]

    def find_values(self, tags: frozenset[int]) -> dict[int, bytes]:
        """The values of those of these attributes that the data set itself has."""
        found = self.found.get(tags)
        if found is None:
            present = [tag for tag in tags if tag in self.tags]
            numbers = [self.tags[tag] for tag in present]
            # Of fewer than two it gives no tuple.
            pick = itemgetter(*numbers) if len(numbers) > 1 else lambda parts: tuple(parts[each] for each in numbers)
            found = self.found[tags] = _Found(present, pick)
        parts = found.pick(self.parts)
        others = compress(found.tags, map(is_not, parts, found.parts)) if found.parts else found.tags
        values = dict(found.values)
        values.update((tag, self.find_value(tag) or b"") for tag in others)
        found.parts, found.values = parts, values
        return values

    def gather(self, head: bytes) -> list[Buffer]:
        """What is to be written after ``head``, with it, in few pieces: the pixels are not gone through again."""
        number = self.tags.get(PIXEL_DATA, len(self.parts) - 1) + 1
        return [b"".join((head, *self.parts[:number])), *self.parts[number:]]


@dataclass(slots=True)
class _Slot:
    """An attribute that may be exchanged, with the value that is encoded now."""

    node: Node
    place: int
    part: int
    value: object
    head: bytes
    """Tag and VR, encoded."""
    takes_any_number: bool
    """Whether it is a Decimal String of which the rules say nothing but its form."""


class Exchange:
    """Which attributes of a table nothing else depends on."""

    def __init__(self, table: RuleTable) -> None:
        self.table = table

    def find(self, tag: int) -> Node | None:
        """The attribute, where it may be exchanged."""
        node = self.table.nodes_by_tag.get(tag)
        return node if node is not None and tag not in self.table.asked_tags and _is_free(node) else None


class Template:
    """The parts of one instance, and what instances must have in common with it."""

    def __init__(self, exchange: Exchange, draft: Draft, own: SourceValues, data_set: Dataset) -> None:
        self._table = exchange.table
        self.instance = encode_instance(data_set)
        self._tags, self._parts = self.instance.tags, list(self.instance.parts)
        own_places = own.index()
        self._keys = tuple(place.keys() for place in own_places)
        self._rows = {tag: self._table.find_rule(tag) for place in own_places for tag in place}
        origins = draft.find_origins(own)
        self._slots: tuple[dict[int, _Slot], ...] = tuple({} for _ in own_places)
        self._kept: tuple[dict[int, object], ...] = tuple({} for _ in own_places)
        for place, values in enumerate(own_places):
            for tag, element in values.items():
                node = exchange.find(tag)
                number = self._tags.get(tag)
                if node is not None and number is not None and origins.get(tag) is element and _is_plain(element):
                    head = _HEAD(node.tag.group, node.tag.element, node.vr.encode("ascii"))
                    row = self._rows[tag]
                    is_number = node.vr == "DS" and (row is None or not row.value_rule)
                    self._slots[place][tag] = _Slot(node, place, number, element.value, head, is_number)
                elif number is not None or tag in origins:
                    self._kept[place][tag] = element.value

    def serves(self, places: Places) -> bool:
        """Whether an instance with these own values differs from this one in what may be exchanged alone."""
        return all(place.keys() == keys for place, keys in zip(places, self._keys, strict=True)) and all(
            (found := place[tag].value) is value or found == value
            for place, kept in zip(places, self._kept, strict=True)
            for tag, value in kept.items()
        )

    def put_between(self, places: Places) -> EncodedInstance | None:
        """The instance with these own values; None where one of them needs another character set after all.

        Raises :class:`ObjectInvalid` where a value breaks the rule of its attribute.
        """
        for place, slots in zip(places, self._slots, strict=True):
            for tag, slot in slots.items():
                if not self._exchange(slot, place[tag]):
                    return None
        return self._put_together()

    def follow(
        self, changed: Mapping[BaseTag, DataElement], automatic: Mapping[int, DataElement]
    ) -> EncodedInstance | None:
        """The instance after the last one, which differs from it in these values of the acquisition and the device.

        ``automatic`` are all values of the device, ``changed`` only those of the acquisition that may differ. None
        where the template does not serve the instance. Raises as :meth:`put_between` does.
        """
        keys = self._keys[ACQUISITION_PLACE]
        if automatic.keys() != self._keys[AUTOMATIC_PLACE] or any(
            has_length(element) != (tag in keys) for tag, element in changed.items()
        ):
            return None
        for place, elements in ((ACQUISITION_PLACE, changed), (AUTOMATIC_PLACE, automatic)):
            slots, kept = self._slots[place], self._kept[place]
            for tag, element in elements.items():
                slot = slots.get(tag)
                if slot is not None:
                    if not self._exchange(slot, element):
                        return None
                elif tag in kept and kept[tag] != element.value:
                    return None
        return self._put_together()

    def _put_together(self) -> EncodedInstance:
        return EncodedInstance(self._tags, list(self._parts), self.instance.read, self.instance.found)

    def _exchange(self, slot: _Slot, element: DataElement) -> bool:
        """Put another value into the parts; False where it needs another character set."""
        value = element.value
        is_pixels = slot.node.key == PIXEL_DATA
        if value is slot.value or (not is_pixels and value == slot.value):
            return True
        if not _is_plain(element):
            return False
        if is_pixels:
            self._parts[slot.part : slot.part + 2] = _encode_pixel_data(slot.node.vr, value)
        else:
            self._parts[slot.part] = self._encode_slot(slot, element)
        slot.value = value
        return True

    def _encode_slot(self, slot: _Slot, element: DataElement) -> Buffer:
        """One element; what the device finds by itself needs no check against the rules that it was found by."""
        node = slot.node
        text = _write_text(element) if node.vr == element.VR else None
        if slot.place != AUTOMATIC_PLACE and not (slot.takes_any_number and _is_plain_numbers(text)):
            row = self._rows[node.key]
            problems = [] if row is None else list(find_wrong_values(row, element))
            if problems:
                raise ObjectInvalid(
                    f"{self._table.name}: {name_of(node.key)}: {'; '.join(problems)}",
                    advice="correct this attribute where it comes from",
                )
        if text is None:
            return encode_with_pydicom(copy_value(node.tag, node.vr, element))
        padded = text if len(text) % 2 == 0 else text + ("\0" if node.vr == "UI" else " ")
        value = padded.encode("ascii")
        return slot.head + len(value).to_bytes(2, "little") + value


def _is_free(node: Node) -> bool:
    """Whether what an attribute says decides about nothing but itself."""
    return (
        all(not rule.depends or _is_sent_where_known(rule) for rule in node.rules)
        and node.vr not in ("SQ", "AT")
        and all(rule.fixed is None and rule.row.value_rule != "enumerated" for rule in node.rules)
    )


def _is_sent_where_known(rule: Rule) -> bool:
    """Whether the condition of a rule decides only what is sent where there is no value."""
    return isinstance(rule.condition, AppliesWhen) and rule.row.requirement in ("1C", "2C")


def _is_plain(element: DataElement) -> bool:
    """Whether every character set holds the text of an element."""
    return element.VR not in TEXT_VRS or is_plain_text(str(element.value))


def is_plain_text(text: str) -> bool:
    """Whether every character set holds a text, in the same bytes."""
    return HELD_BY_ALL.issuperset(text)


def encode_instance(data_set: Dataset) -> EncodedInstance:
    """Encode a whole data set, element by element, as pydicom writes it."""
    encodings = cast("str | list[str] | None", data_set.get("SpecificCharacterSet"))
    tags: dict[int, int] = {}
    parts: list[Buffer] = []
    for element in (data_set[tag] for tag in sorted(data_set.keys())):
        tags[int(element.tag)] = len(parts)
        if element.tag == PIXEL_DATA:
            parts += _encode_pixel_data(element.VR, element.value)
        else:
            parts.append(encode_with_pydicom(element, encodings))
    return EncodedInstance(tags, parts)


def _is_plain_numbers(text: str | None) -> bool:
    """Whether a text is Decimal Strings with nothing to mend."""
    return text is not None and all(map(is_plain_decimal, text.split("\\")))


def _write_text(element: DataElement) -> str | None:
    """The value of an element as pydicom writes it, where that is plain to see; None where pydicom is to do it."""
    value = element.value
    if element.VR not in _SHORT_TEXTS:
        return None
    if element.VR in ("DS", "IS"):
        values = value if isinstance(value, MultiValue | list) else (value,)
        return "\\".join([getattr(each, "original_string", None) or str(each) for each in values])
    return str(value) if isinstance(value, str) and value.isascii() and len(value) < 64 else None


def encode_with_pydicom(element: DataElement, encodings: str | list[str] | None = None) -> Buffer:
    """One element as pydicom writes it; ``encodings`` are the terms of its character set."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = False, True
    write_data_element(stream, element, encodings or "iso8859")
    return stream.getvalue()


def _encode_pixel_data(vr: str, value: Any) -> tuple[Buffer, Buffer]:
    """The head of the element, and its value of an even length, as it is handed over: nothing is longer."""
    return encode_pixel_head(vr, len(value)), value if len(value) % 2 == 0 else bytes(value) + b"\0"


def encode_pixel_head(vr: str, length_bytes: int) -> bytes:
    """What comes before pixels of this length; a byte follows them where it is odd."""
    padded = length_bytes + length_bytes % 2
    return _PIXEL_DATA_HEAD(PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF, vr.encode("ascii"), 0, padded)
