"""The private attributes of a device by name and by tag (PS3.5 7.8), as a person or a program gives them.

A private attribute is said by its name in the device's dictionary, such as ``MPGAxisNumber``, or by its tag, such as
``0029,101F``, where the block is 10. An attribute whose name is also that of another one, or a keyword of PS3.6, is
named by its tag. :func:`format_key` writes what :func:`parse_key` reads: all that is needed to make the element.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydicom.datadict import add_private_dict_entries, private_dictionary_VR, tag_for_keyword

from openmodality.device.profile.profile import PrivateAttribute
from openmodality.encoding.headers import format_tag
from openmodality.encoding.private_blocks import PrivateVrs
from openmodality.errors import ObjectInvalid
from openmodality.value_class import dataclass

PRIVATE: Final = "private"
"""A table of private attributes among keywords: what stands in it is no keyword of PS3.6."""
BLOCK: Final = 0x10
"""The block of elements that the device reserves in a group: (gggg,1000) to (gggg,10FF)."""

_TAG: Final = re.compile(r"\(?([0-9A-Fa-f]{4}),?\s?([0-9A-Fa-f]{4})\)?")
_KEY: Final = re.compile(r"(.+) \(([0-9A-F]{4}),([0-9A-F]{4})\) ([A-Z]{2})")
_MOST_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What makes a private element, beside its value."""

    creator: str
    tag: int
    vr: str

    @property
    def creator_tag(self) -> int:
        """The element that reserves the block: (gggg,00bb)."""
        return self.tag >> 16 << 16 | (self.tag & 0xFF00) >> 8


def find_tag(attribute: PrivateAttribute) -> int:
    """The tag of a private attribute in the block of the device."""
    return attribute.group << 16 | BLOCK << 8 | attribute.offset


def format_key(attribute: PrivateAttribute) -> str:
    """The key of a private attribute, such as ``MMCPrivate (0029,101F) LO``."""
    return f"{attribute.creator} {format_tag(find_tag(attribute))} {attribute.vr}"


def parse_key(text: str) -> PrivateKey | None:
    """What a key says; None where it is another text."""
    found = _KEY.fullmatch(text)
    return PrivateKey(found[1], int(found[2] + found[3], 16), found[4]) if found else None


class PrivateNames:
    """Finds the private attributes of a device by what people call them."""

    def __init__(self, attributes: Sequence[PrivateAttribute]) -> None:
        self._by_name: dict[str, list[PrivateAttribute]] = {}
        for each in attributes:
            self._by_name.setdefault(each.name, []).append(each)
        self._by_tag = {find_tag(each): each for each in attributes}
        self._keys = {format_key(each) for each in attributes}

    def name_keys(self, values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        """The same values, private attributes by their keys, those in items of sequences and under ``private`` too.

        Raises :class:`ObjectInvalid` for a private attribute that the device does not have, or a name of several.
        """
        if not any(self._needs_key(name, value) for name, value in values.items()):
            return values
        named: dict[str, Any] = {}
        for name, value in values.items():
            if name == PRIVATE and isinstance(value, Mapping):
                for each, inner in value.items():
                    named[self._find_key(each, where, alone=True)] = self._in_items(inner, where)
            elif self._needs_key(name, None):
                named[self._find_key(name, where)] = self._in_items(value, where)
            else:
                named[name] = self._in_items(value, where)
        return named

    def _in_items(self, value: Any, where: str) -> Any:
        if isinstance(value, Mapping):
            return self.name_keys(value, where)
        if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
            return [self._in_items(each, where) for each in value]
        return value

    def _needs_key(self, name: str, value: Any) -> bool:
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) and value and isinstance(value[0], Mapping)):
            return True
        return tag_for_keyword(name) is None and (name in self._by_name or _is_private_tag(name))

    def _find_key(self, name: str, where: str, *, alone: bool = False) -> str:
        if name in self._keys:
            return name
        found = _TAG.fullmatch(name)
        attribute = self._by_tag.get(int(found[1] + found[2], 16)) if found else self._find_named(name, where)
        if attribute is None or (alone and found and not _is_private_tag(name)):
            creators = ", ".join(sorted({each.creator for each in self._by_tag.values()})) or "none"
            raise ObjectInvalid(
                f"{where}: {name[:_MOST_SHOWN]} is no private attribute of this device",
                advice=f"give one of its private dictionary (creator {creators}) by name or tag, or leave it out",
            )
        return format_key(attribute)

    def _find_named(self, name: str, where: str) -> PrivateAttribute | None:
        named = self._by_name.get(name, [])
        if len(named) > 1:
            tags = ", ".join(format_tag(find_tag(each)) for each in named)
            raise ObjectInvalid(
                f"{where}: {len(named)} private attributes are called {name}", advice=f"say which by its tag: {tags}"
            )
        return named[0] if named else None


def _is_private_tag(name: str) -> bool:
    if _KEY.fullmatch(name):
        return True
    found = _TAG.fullmatch(name)
    return found is not None and int(found[1], 16) % 2 == 1


def index_vrs(attributes: Sequence[PrivateAttribute]) -> PrivateVrs:
    """The VRs of private attributes, for conversion from Implicit VR."""
    vrs: dict[tuple[str, int], dict[int, str]] = {}
    for each in attributes:
        vrs.setdefault((each.creator, each.group), {})[each.offset] = each.vr
    return vrs


def register_with_pydicom(attributes: Sequence[PrivateAttribute]) -> None:
    """Let pydicom know the VR of private attributes, so that it reads them in Implicit VR as what they are.

    The device's dictionary goes before what pydicom knows of the same creator.
    """
    by_creator: dict[str, dict[int, tuple[str, str, str, str]]] = {}
    for each in attributes:
        if _find_registered_vr(each) != each.vr:
            by_creator.setdefault(each.creator, {})[find_tag(each)] = (each.vr, "1-n", each.name, "")
    for creator, entries in by_creator.items():
        add_private_dict_entries(creator, entries)


def _find_registered_vr(attribute: PrivateAttribute) -> str:
    try:
        return private_dictionary_VR(find_tag(attribute), attribute.creator)
    except KeyError:
        return ""
