"""Takes attributes from worklist items to images and to the performed procedure step, by rules that are data.

Rules (R/F Table 8.1-29; IHE RAD TF-2 Appendix A):

- A worklist item has one or more scheduled procedure steps, or none at all. An exam may serve several items.
- A target inside Request Attributes Sequence or Scheduled Step Attributes Sequence gets one item per scheduled step.
- Any other target gets the first value there is, by the order of rules, then of steps.
- A value that is empty, unreadable or a sequence of empty items counts as none: no target is ever made for it.
- The same is true of a code without value, scheme or meaning, and of a value that does not fit its VR and cannot be
  mended (``standard.value_rules``), such as a date that no calendar has.
- Text that is longer than its target's VR allows is cut. Identifiers are never cut, because they would name another;
  one that is too long stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as ItemSequence
from pydicom.tag import Tag
from pydicom.valuerep import PersonName

from openmodality.device.item_values import find_element_with_value
from openmodality.device.paths import TagPath, parse_path
from openmodality.device.profile.profile import MappingRule
from openmodality.dimse.attribute_names import name_of, vr_of
from openmodality.dimse.mending import is_code_sequence, list_missing_in_code, mend_copied, mend_element
from openmodality.dimse.reading import read_items
from openmodality.encoding.texts import TEXT_VRS
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

_STEPS: Final = parse_path("ScheduledProcedureStepSequence")[0]
_PERFORMED_SERIES: Final = parse_path("PerformedSeriesSequence")[0]
_ONE_ITEM_PER_STEP: Final = frozenset(
    parse_path(keyword)[0] for keyword in ("RequestAttributesSequence", "ScheduledStepAttributesSequence")
)

_TEXT: Final = TEXT_VRS - {"PN"}
_WRITABLE_AS_TEXT: Final = _TEXT | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM"}


class _Step(NamedTuple):
    """A scheduled procedure step and the worklist item it belongs to; either may be empty."""

    item: Dataset
    step: Dataset


def map_to_image(items: Sequence[Dataset], rules: Iterable[MappingRule]) -> Dataset:
    """The attributes that images take from the worklist items of their exam; the first item names patient and study."""
    return _map_all(items, ((rule.worklist, rule.image) for rule in rules if rule.image))


def map_to_mpps(items: Sequence[Dataset], rules: Iterable[MappingRule]) -> Dataset:
    """The attributes that the performed procedure step takes from them, without those of its series."""
    pairs = ((rule.worklist, rule.mpps) for rule in rules if rule.mpps)
    return _map_all(items, ((source, target) for source, target in pairs if target[0] != _PERFORMED_SERIES))


def map_to_performed_series(items: Sequence[Dataset], rules: Iterable[MappingRule]) -> Dataset:
    """The attributes that each item of (0040,0340) Performed Series Sequence takes from them."""
    pairs = ((rule.worklist, rule.mpps) for rule in rules if rule.mpps)
    return _map_all(items, ((source, target[1:]) for source, target in pairs if target[0] == _PERFORMED_SERIES))


def describe_misfit(rule: MappingRule) -> str:
    """Why the rule cannot be applied, because a target's VR cannot hold the source's values; empty where it can."""
    source = vr_of(rule.worklist[-1])
    for target in filter(None, (rule.image, rule.mpps)):
        vr = vr_of(target[-1])
        if source != vr and not (source in _WRITABLE_AS_TEXT and vr in _TEXT):
            return f"{name_of(rule.worklist[-1])} is {source} and cannot go to {name_of(target[-1])}, which is {vr}"
    return ""


def _map_all(items: Sequence[Dataset], pairs: Iterable[tuple[TagPath, TagPath]]) -> Dataset:
    steps = list(_list_steps(items))
    found = Dataset()
    per_step: dict[int, list[Dataset]] = {}
    for source, target in pairs:
        if target[0] in _ONE_ITEM_PER_STEP and len(target) > 1:
            targets = per_step.setdefault(target[0], [Dataset() for _ in steps])
            for step, into in zip(steps, targets, strict=True):
                _put_first(into, target[1:], [step], source)
        else:
            _put_first(found, target, steps, source)
    for tag, targets in per_step.items():
        if filled := [into for into in targets if len(into)]:
            found.add(DataElement(Tag(tag), "SQ", ItemSequence(filled)))
    return found


def _list_steps(items: Sequence[Dataset]) -> Iterator[_Step]:
    for item in items:
        steps = read_items(item, _STEPS)
        yield from (_Step(item, step) for step in steps or [Dataset()])


def _put_first(into: Dataset, target: TagPath, steps: Iterable[_Step], source: TagPath) -> None:
    """Put the first usable value of the steps at the target, where none is there yet."""
    if _find_element(into, target) is not None:
        return
    for step in steps:
        element = _find_source(step, source)
        fitted = element and _fit(element, target[-1])
        if fitted is not None:
            _put(into, target, fitted)
            return


def _find_source(step: _Step, source: TagPath) -> DataElement | None:
    return _find_element(step.step, source[1:]) if source[0] == _STEPS else _find_element(step.item, source)


def _find_element(data_set: Dataset, path: TagPath) -> DataElement | None:
    """The element at the path through the first items of sequences; None where it is absent or has no value."""
    for tag in path[:-1]:
        items = read_items(data_set, tag)
        if not items:
            return None
        data_set = items[0]
    return find_element_with_value(data_set, path[-1]) if path else None


def _put(into: Dataset, target: TagPath, element: DataElement) -> None:
    for tag in target[:-1]:
        if tag not in into:
            into.add(DataElement(Tag(tag), "SQ", ItemSequence([Dataset()])))
        into = into[tag].value[0]
    into.add(element)


def _fit(element: DataElement, tag: int) -> DataElement | None:
    """The element, copied, as the target's VR holds it; None where nothing of it can be used."""
    vr = element.VR if vr_of(tag) == element.VR or " or " in vr_of(tag) else vr_of(tag)
    if vr == "SQ":
        items = [copied for item in element.value if len(copied := _copy(item))]
        if is_code_sequence(tag):
            items = [item for item in items if not list_missing_in_code(item)]
        return DataElement(Tag(tag), vr, ItemSequence(items)) if items else None
    source = element if element.VR in _TEXT | {"PN"} else mend_element(element).element
    if source is None:
        return None
    fitted = DataElement(Tag(tag), vr, _convert(source, vr), already_converted=True)
    return mend_copied(fitted).element


def _convert(element: DataElement, vr: str) -> object:
    """The values, copied, as the VR has them."""
    if element.VR == "PN":
        return _convert_each(element.value, lambda name: PersonName(str(name)))
    return _convert_each(element.value, str if vr in _TEXT else lambda value: value)


def _convert_each(value: object, convert: Callable[[object], object]) -> object:
    return MultiValue(convert, list(value)) if isinstance(value, MultiValue) else convert(value)


def _copy(data_set: Dataset) -> Dataset:
    """The elements that can be used; their text is in the character set of the data set that they go into."""
    copied = Dataset()
    for tag in map(int, list(data_set.keys())):
        element = find_element_with_value(data_set, tag) if tag != SPECIFIC_CHARACTER_SET else None
        if element is not None and (fitted := _fit(element, tag)) is not None:
            copied.add(fitted)
    return copied
