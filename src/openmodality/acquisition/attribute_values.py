"""Checks the values of attributes that a source gives for its pixels, and mends those that can mean one thing only.

What cannot be mended is refused by an error that names the attribute, what is wrong, and what would be right.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_VM, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence

from openmodality.counted import format_count
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.mending import MendedElement, list_written, mend_copied, mend_element
from openmodality.dimse.reading import read_element, values_of
from openmodality.errors import ObjectInvalid
from openmodality.standard.item_counts import SINGLE_ITEM
from openmodality.standard.life import JUDGED, judge_patient_value
from openmodality.standard.quantities import NEVER_NEGATIVE
from openmodality.standard.tags import IMAGER_PIXEL_SPACING, PIXEL_SPACING, RESCALE_SLOPE, WINDOW_WIDTH
from openmodality.standard.text_rules import clean_text
from openmodality.standard.value_rules import RIGHT_FORMS

_LONGEST_SHOWN: Final = 40
_GROUPS_SHOWN: Final = frozenset((0x0018, 0x0020, 0x0028))
_VRS_SHOWN: Final = frozenset(("DS", "IS"))
_MULTIPLICITY: Final = re.compile(r"([0-9]+)(?:-([0-9]*)(n?))?")
_SPACINGS: Final = (PIXEL_SPACING, IMAGER_PIXEL_SPACING)
_NUMBERS: Final = (*_SPACINGS, WINDOW_WIDTH, RESCALE_SLOPE)
"""Numbers that are not to be any number (PS3.3 10.7.1.3, C.11.2.1.2, C.7.6.16.2.9)."""
_NEVER_NEGATIVE: Final = frozenset(map(tag_for_keyword, NEVER_NEGATIVE))
_SINGLE_ITEM: Final = frozenset(map(tag_for_keyword, SINGLE_ITEM))
_MOST_GROUPS: Final = 3
_MOST_COMPONENTS: Final = 5


def read_checked(data_set: Dataset, tag: int, where: str) -> DataElement:
    """An element of a DICOM file, those in its items included; texts that are too long lose their end.

    Raises :class:`ObjectInvalid` where it cannot be read or a value cannot be used; ``where`` names the file.
    """
    element = read_element(data_set, tag)
    if element is None:
        raise ObjectInvalid(f"{where}: {name_of(tag)} cannot be read")
    if element.VR == "SQ":
        items = [_read_item(item, where) for item in element.value]
        return DataElement(element.tag, "SQ", ItemSequence(items))
    return _check_mended(element, mend_copied(element), where)


def check_given(element: DataElement, where: str) -> DataElement:
    """An element that a person or a program gives, whom we can ask: so a text that is too long is refused, not cut.

    The items of a sequence are looked at as well. Raises :class:`ObjectInvalid` where a value cannot be used; ``where``
    names the origin.
    """
    if element.VR == "SQ":
        items = [check_given_item(item, where) for item in element.value]
        return check_together(DataElement(element.tag, "SQ", ItemSequence(items)), where)
    return check_together(_check_mended(element, mend_element(element), where), where)


def check_together(element: DataElement, where: str) -> DataElement:
    """An element that a person or a program gives. Raises :class:`ObjectInvalid` where its values are impossible."""
    check_count(element, where)
    if fault := find_fault(element):
        raise _refuse(element, *fault, where)
    return element


def find_fault(element: DataElement) -> tuple[str, str] | None:
    """What is impossible in an attribute although its values have the form of its VR, and what would be right.

    These are a quantity below zero, a name with more parts than a name has, more items than its sequence may have, and
    what no patient is.
    """
    tag = int(element.tag)
    if element.VR == "SQ":
        if tag in _SINGLE_ITEM and len(element.value) > 1:
            return f"{len(element.value)} items", "a single item"
    elif element.VR == "PN":
        return next(filter(None, map(_find_fault_of_name, list_written(element))), None)
    elif tag in _NEVER_NEGATIVE and any(float(text) < 0 for text in list_written(element) if text):
        return "a number below zero", "a number not below zero"
    elif tag in JUDGED:
        return next(filter(None, (judge_patient_value(tag, text) for text in list_written(element))), None)
    return None


def _find_fault_of_name(name: str) -> tuple[str, str] | None:
    """PS3.5 6.2: up to three groups, each with up to five components."""
    groups = name.split("=")
    if len(groups) > _MOST_GROUPS:
        right = "up to three groups, alphabetic=ideographic=phonetic"
        return f"a name of {len(groups)} groups", right
    most = max(len(group.split("^")) for group in groups)
    if most > _MOST_COMPONENTS:
        return f"a name of {most} components", "up to five components, family^given^middle^prefix^suffix"
    return None


@lru_cache(maxsize=1024)
def allows_count(multiplicity: str, count: int) -> bool:
    """Whether an attribute of this value multiplicity (PS3.5 6.4), such as ``2-2n``, may have so many values."""
    found = _MULTIPLICITY.fullmatch(multiplicity)
    if found is None:
        return True
    least, most = int(found[1]), found[2]
    if found[3]:
        return count >= least and count % int(most or 1) == 0
    return least <= count <= int(most or least)


def check_given_item(item: Dataset, where: str) -> Dataset:
    """An item of a sequence that a person or a program gives. Raises :class:`ObjectInvalid` as :func:`check_given`."""
    kept = Dataset()
    for element in item:
        kept.add(check_given(element, where))
    return kept


def _read_item(item: Dataset, where: str) -> Dataset:
    kept = Dataset()
    for tag in map(int, list(item.keys())):
        kept.add(read_checked(item, tag, where))
    return kept


def _check_mended(element: DataElement, mended: MendedElement, where: str) -> DataElement:
    if mended.element is None:
        raise _refuse(element, mended.problem, RIGHT_FORMS.get(element.VR, ""), where)
    return check_count(mended.element, where)


def check_count(element: DataElement, where: str) -> DataElement:
    """Check what holds for an element whose single values are right: their number, and limits of some attributes."""
    tag, count = int(element.tag), len(values_of(element))
    if count and not element.tag.is_private and not allows_count(multiplicity := _find_multiplicity(tag), count):
        values = format_count(count, "value")
        raise _refuse(element, values, f"{multiplicity} values", where)
    numbers = [float(text) for text in list_written(element) if text] if tag in _NUMBERS else []
    if tag in _SPACINGS and any(number <= 0 for number in numbers):
        raise _refuse(element, "a distance that is not above zero", "distances in mm", where)
    if tag == WINDOW_WIDTH and any(number <= 0 for number in numbers):
        raise _refuse(element, "a width that is not above zero", "a number above zero", where)
    if tag == RESCALE_SLOPE and 0 in numbers:
        raise _refuse(element, "a slope of zero", "another number", where)
    return element


def _find_multiplicity(tag: int) -> str:
    try:
        return dictionary_VM(tag)
    except KeyError:
        return "1-n"


def _refuse(element: DataElement, problem: str, right: str, where: str) -> ObjectInvalid:
    shown = clean_text("\\".join(list_written(element)))[:_LONGEST_SHOWN] if _may_be_shown(element) else ""
    text = f"{where}: {name_of(int(element.tag))}: {problem}" + (f", {shown!r}" if shown else "")
    advice = f"give {right}, or leave it out" if right else "correct it, or leave it out"
    return ObjectInvalid(text, advice=advice, tag=int(element.tag))


def _may_be_shown(element: DataElement) -> bool:
    """Whether an error may quote a value: numbers of acquisition, position and pixels tell nothing of a patient."""
    return element.tag.group in _GROUPS_SHOWN and element.VR in _VRS_SHOWN
