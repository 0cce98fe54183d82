"""Items of sequences as plain values. A report has thousands of them, for which pydicom's data sets cost too much.

An item is its values by attribute. Items are encoded when the character set of the whole data set is known, the inner
ones first. What comes again and again, such as the code of a concept, is encoded once and kept: codes and terms only,
no text about a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from openmodality.encoding.headers import layout_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.objects.rules.elements import make_data_set, make_element, make_sequence
from openmodality.objects.rules.template import encode_with_pydicom, is_plain_text
from openmodality.standard.tags import ITEM
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

Attribute: TypeAlias = tuple[int, str]
"""Tag and VR. The tag is a plain number: pydicom's own tags cost more to compare and to look up."""

_PLAIN_VRS: Final = TEXT_VRS | {"CS", "DA", "DS", "DT", "IS", "TM", "UI"}
"""VRs whose value is the text itself."""

_write_header: Final = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).write


def find_attribute(keyword: str) -> Attribute:
    """Tag and VR of an attribute, for items; looked up once where many items are made."""
    return int(Tag(keyword)), dictionary_VR(keyword)


_CODE_VALUE: Final = find_attribute("CodeValue")
_CODING_SCHEME: Final = find_attribute("CodingSchemeDesignator")
_CODE_MEANING: Final = find_attribute("CodeMeaning")


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.3 8.8); as the value of a sequence, that of its only item."""

    value: str
    scheme: str
    meaning: str

    def make_item(self) -> SequenceItem:
        """The item of a code sequence."""
        return SequenceItem({_CODE_VALUE: self.value, _CODING_SCHEME: self.scheme, _CODE_MEANING: self.meaning})


@dataclass(slots=True)
class SequenceItem:
    """An item: values by attribute, in any order. A text has its values parted by backslashes."""

    values: dict[Attribute, ItemValue]

    def take_items(self, attribute: Attribute) -> SequenceItems:
        """The items of one of its sequences, which it has no longer; none where it is absent."""
        return _list_items(self.values.pop(attribute, ()))

    def to_data_set(self) -> Dataset:
        """The item as a data set of its own, with the items below it."""
        return make_data_set(
            {
                BaseTag(tag): make_element(tag, vr, value)
                if isinstance(value, str)
                else make_sequence(BaseTag(tag), [each.to_data_set() for each in _list_items(value)])
                for (tag, vr), value in self.values.items()
            }
        )


SequenceItems: TypeAlias = tuple[SequenceItem, ...]
ItemValue: TypeAlias = str | Code | SequenceItems


def encode_sequence(attribute: Attribute, items: SequenceItems, terms: tuple[str, ...]) -> RawDataElement:
    """A sequence of a data set with the character set ``terms``, as pydicom has it when it was read and not looked at.

    It is in Explicit VR Little Endian with defined lengths, byte for byte as pydicom writes it.
    """
    tag, vr = attribute
    value = b"".join([_encode_item(each, terms) for each in items])
    return RawDataElement(BaseTag(tag), vr, len(value), value, 0, False, True)


def list_special_texts(items: SequenceItems) -> Mapping[Attribute, set[str]]:
    """The texts that not every character set holds, each once, by attribute."""
    texts: dict[Attribute, set[str]] = {}
    _gather_texts(items, texts)
    special = {attribute: {text for text in found if not is_plain_text(text)} for attribute, found in texts.items()}
    return {attribute: found for attribute, found in special.items() if found}


def _gather_texts(items: SequenceItems, texts: dict[Attribute, set[str]]) -> None:
    for item in items:
        for attribute, value in item.values.items():
            if isinstance(value, tuple):
                _gather_texts(value, texts)
            elif isinstance(value, Code):
                if not _is_plain_code(value):
                    _gather_texts((value.make_item(),), texts)
            elif attribute[1] in TEXT_VRS:
                texts.setdefault(attribute, set()).add(value)


@lru_cache(maxsize=1024)
def _is_plain_code(code: Code) -> bool:
    return all(map(is_plain_text, (code.value, code.scheme, code.meaning)))


def _list_items(value: ItemValue) -> SequenceItems:
    if isinstance(value, Code):
        return (value.make_item(),)
    return value if isinstance(value, tuple) else ()


def _encode_item(item: SequenceItem, terms: tuple[str, ...]) -> bytes:
    encoded = b"".join([_encode_value(*each, terms) for each in sorted(item.values.items(), key=_find_tag)])
    return _write_header(ITEM, "", len(encoded)) + encoded


def _find_tag(value: tuple[Attribute, ItemValue]) -> int:
    return value[0][0]


def _encode_value(attribute: Attribute, value: ItemValue, terms: tuple[str, ...]) -> bytes:
    if isinstance(value, tuple):
        encoded = b"".join([_encode_item(each, terms) for each in value])
        return _write_header(*attribute, len(encoded)) + encoded
    if isinstance(value, Code):
        return _encode_code(attribute, value, terms)
    if attribute[1] == "CS":
        return _encode_term(attribute, value)
    return _encode_text(attribute, value, terms)


@lru_cache(maxsize=1024)
def _encode_code(attribute: Attribute, code: Code, terms: tuple[str, ...]) -> bytes:
    return _encode_value(attribute, (code.make_item(),), terms)


@lru_cache(maxsize=256)
def _encode_term(attribute: Attribute, term: str) -> bytes:
    return _encode_text(attribute, term, ())


def _encode_text(attribute: Attribute, text: str, terms: tuple[str, ...]) -> bytes:
    """An element; pydicom encodes the text that not every character set holds, and values that are not sent as text."""
    tag, vr = attribute
    if not is_plain_text(text) or vr not in _PLAIN_VRS:
        return bytes(encode_with_pydicom(make_element(tag, vr, text), list(terms)))
    encoded = text.encode("ascii")
    if len(encoded) % 2:
        encoded += b"\0" if vr == "UI" else b" "
    return _write_header(tag, vr, len(encoded)) + encoded
