"""Checks what a person or a program gives for images by keyword: finds private attributes, and refuses wrong values.

A person or a program can correct a value. So a value that the device's tables do not allow is refused here, before
anything is made, while the same value in a file is left out and named. The error names the module and the type of the
attribute, its value representation, and where a right value could come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as ItemSequence

from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, Source
from openmodality.device.body_parts import check_body_part
from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import AttributeRule, Profile, ValueRule
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.mending import is_code_sequence
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.objects.private_names import PrivateNames, parse_key
from openmodality.objects.rules.definition import FUNCTIONAL_GROUPS
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.rules.private_rules import list_private_rules
from openmodality.objects.rules.sources import name_sources
from openmodality.objects.site_objects import SameProfile
from openmodality.standard import tags
from openmodality.standard.life import judge_patient_value
from openmodality.value_class import dataclass

_BODY_PART: Final = "BodyPartExamined"
_ENUMERATED: Final[tuple[ValueRule, ...]] = ("enumerated",)
_ALL_TERMS: Final[tuple[ValueRule, ...]] = ("enumerated", "defined")
_IMAGE_TYPES: Final = (frozenset(("ORIGINAL", "DERIVED")), frozenset(("PRIMARY", "SECONDARY")))
_CODE_SEQUENCES: Final = frozenset(
    map(
        tag_for_keyword,
        (
            "AdditionalDrugSequence", "AnatomicRegionSequence", "ContrastBolusAdministrationRouteSequence",
            "ContrastBolusAgentSequence", "PrimaryAnatomicStructureSequence",
        ),
    )
)  # fmt: skip
"""Sequences of codes whose names do not say so."""


def find_given(profile: Profile) -> GivenAttributes:
    """What takes the attributes that are given for the objects of a device; made once, as each exam asks."""
    return _make_given(SameProfile(profile))


@lru_cache(maxsize=4)
def _make_given(same: SameProfile) -> GivenAttributes:
    return GivenAttributes(same.profile)


class GivenAttributes:
    """Takes what is given for the objects of a device."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._names = PrivateNames(profile.private_attributes)
        self._rules: dict[TagPath, list[AttributeRule]] = {}
        images = [item.name for item in profile.objects if item.is_image]
        for rule in (*profile.attribute_rules, *list_private_rules(profile.private_attributes)):
            if not rule.object or rule.object in images:
                self._rules.setdefault(rule.path, []).append(rule)
        self._everywhere = {kinds: _index_by_tag(self._rules, kinds) for kinds in (_ENUMERATED, _ALL_TERMS)}
        self._of_object = _index_exactly(profile)

    def prepare(self, values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        """The values, private attributes by their keys, once they are found to be what the device's tables allow.

        Raises :class:`ObjectInvalid` where an enumerated value is another one, a code is incomplete, or the device has
        no such private attribute. ``where`` names the origin.
        """
        return self._prepare(values, HeldTo(where, _ENUMERATED))

    def take(self, values: Mapping[str, Any], where: str, object_name: str = "") -> Mapping[str, Any]:
        """The values as :meth:`prepare` gives them, of a caller who can choose among the terms of the device.

        ``object_name`` is what they are said of, where that is known. Raises what :meth:`prepare` raises, also for a
        term that is none of the defined ones, and :class:`UsageError` where the device has no such body part.
        """
        check_given_body_part(self._profile, values.get(_BODY_PART))
        return self._prepare(values, HeldTo(where, _ALL_TERMS, object_name))

    def _prepare(self, values: Mapping[str, Any], asked: HeldTo) -> Mapping[str, Any]:
        named = self._names.name_keys(values, asked.where)
        with self.explain_errors(asked.object_name):
            self._check(named, (), asked)
        return named

    def name_object(self, sop_class_uid: str) -> str:
        """The object of the device with this SOP class; empty where it is not known yet."""
        names = (item.name for item in self._profile.objects if sop_class_uid and item.sop_class_uid == sop_class_uid)
        return next(names, "")

    def read(self, values: Mapping[str, Any], where: str, object_name: str = "") -> Dataset:
        """A data set of the values. Raises :class:`ObjectInvalid` and :class:`UsageError` where it is none."""
        with self.explain_errors(object_name):
            return attributes_of(self.take(values, where, object_name), where)

    def walk(self, sources: Iterable[Source], values: Mapping[str, Any]) -> Iterator[AcquiredSeries]:
        """The series of sources with these values for all their images, in place of what the sources say.

        Raises :class:`ObjectInvalid` and :class:`UsageError` where one is not allowed, and what the sources raise.
        """
        with self.explain_errors():
            for source in sources:
                for acquired in source.series():
                    yield self._add_to(acquired, values) if values else acquired

    def _add_to(self, acquired: AcquiredSeries, values: Mapping[str, Any]) -> AcquiredSeries:
        said = self.read(values, acquired.description, self.name_object(acquired.sop_class_uid))
        named = self._names.name_keys(values, acquired.description)
        volume = acquired.volume
        return replace(
            acquired,
            description=str(said.get("SeriesDescription", acquired.description)),
            attributes=_merge(acquired.attributes, said),
            volume=None if volume is None else replace(volume, keywords={**volume.keywords, **named}),
            frames=_say_of_each(acquired.frames, said),
        )

    @contextmanager
    def explain_errors(self, object_name: str = "") -> Iterator[None]:
        """Add what the device's tables say to an error about an attribute that was given wrongly."""
        try:
            yield
        except ObjectInvalid as error:
            explained = self._explain(error, object_name)
            if explained is error:
                raise
            raise explained from error

    def _explain(self, error: ObjectInvalid, object_name: str) -> ObjectInvalid:
        rules = self._find_rules(error.tag) if error.tag else []
        if not rules or isinstance(error.__cause__, ObjectInvalid):
            return error  # nothing is known, or all is said
        rule = next((rule for rule in rules if rule.object in ("", object_name)), rules[0])
        sources = " or ".join(name_sources(rule))
        return ObjectInvalid(
            f"{error.message} ({_describe(rule)})",
            advice=f"{error.advice or 'correct it, or leave it out'}; it may come from {sources}",
            tag=error.tag,
        )

    def _find_rules(self, tag: int) -> list[AttributeRule]:
        """The rows of an attribute, those of shorter paths first."""
        places = sorted((path for path in self._rules if path[-1] == tag), key=len)
        return [rule for path in places for rule in self._rules[path]]

    def _check(self, values: Mapping[str, Any], above: TagPath, asked: HeldTo) -> None:
        for keyword, value in values.items():
            tag = tag_for_keyword(keyword)
            if tag is None:
                private = parse_key(keyword)
                tag = private.tag if private else None
            if tag is None:
                continue
            path: TagPath = (*above, tag)
            for number, item in enumerate(_list_items(value), 1):
                inside = f"{asked.where}: {keyword} item {number}"
                if is_code_sequence(tag) or tag in _CODE_SEQUENCES:
                    _check_code(item, tag, inside)
                self._check(item, path, replace(asked, where=inside))
            if tag == tags.IMAGE_TYPE:
                _check_image_type(value, asked.where)
            if tag != tags.BODY_PART_EXAMINED and (terms := self._find_terms(path, asked)):
                _check_terms(value, terms, tag, asked.where)

    def _find_terms(self, path: TagPath, asked: HeldTo) -> frozenset[str]:
        """The terms of an attribute: those of its object where that has the attribute at this place, else of any.

        What goes into a functional group may be given by its keyword alone.
        """
        if path == (tags.PHOTOMETRIC_INTERPRETATION,):
            rules = None  # where the pixels are looked at, an error says which object has such
        else:
            rules = self._of_object.get(asked.object_name, {}).get(path) if len(path) == 1 else self._rules.get(path)
        return _list_terms(rules, asked.kinds) if rules else self._everywhere[asked.kinds].get(path[-1], frozenset())


@dataclass(frozen=True, slots=True)
class HeldTo:
    """The ``kinds`` of rules that count for given values, of the object where it is known; ``where`` is the origin."""

    where: str
    kinds: tuple[ValueRule, ...]
    object_name: str = ""


def check_given_body_part(profile: Profile, value: object) -> None:
    """Raises :class:`UsageError` where a person gave a body part that is not of the device's list."""
    if not isinstance(value, str | int):
        return
    try:
        check_body_part(profile, data_set_of(BodyPartExamined=str(value).strip().upper()))
    except UsageError as error:
        [rule, *_] = [rule for rule in profile.attribute_rules if rule.keyword == _BODY_PART]
        raise UsageError(
            f"{error.message} ({_describe(rule)})",
            advice=f"{error.advice}; it may come from {' or '.join(name_sources(rule))}",
        ) from None


def check_given_birth_date(user: Dataset, today: date) -> None:
    """Raises :class:`ObjectInvalid` where a person gave a day on which nobody can be born who is examined today."""
    if mistake := judge_patient_value(tags.PATIENT_BIRTH_DATE, str(user.get("PatientBirthDate") or ""), today):
        wrong, right = mistake
        raise ObjectInvalid(
            f"exam: {name_of(tags.PATIENT_BIRTH_DATE)}: {wrong}",
            advice=f"give {right}, or leave it out",
            tag=tags.PATIENT_BIRTH_DATE,
        )


def _describe(rule: AttributeRule) -> str:
    return f"{rule.module} module, type {rule.requirement}, VR {rule.vr}"


def _index_exactly(profile: Profile) -> dict[str, dict[TagPath, list[AttributeRule]]]:
    """The rows of each object whose attributes stand where they are given; not of one with functional groups."""
    index: dict[str, dict[TagPath, list[AttributeRule]]] = {}
    for item in profile.objects:
        rules = profile.rules_of(item.name)
        if all(rule.module != FUNCTIONAL_GROUPS for rule in rules):
            by_path = index.setdefault(item.name, {})
            for rule in rules:
                by_path.setdefault(rule.path, []).append(rule)
    return index


def _index_by_tag(
    rules: Mapping[TagPath, Sequence[AttributeRule]], kinds: tuple[ValueRule, ...]
) -> dict[int, frozenset[str]]:
    """The terms of each attribute that has some, at whichever place."""
    found: dict[int, frozenset[str]] = {}
    for path, rows in rules.items():
        if terms := _list_terms(rows, kinds):
            found[path[-1]] = found.get(path[-1], frozenset()) | terms
    return found


def _list_terms(rules: Iterable[AttributeRule], kinds: Sequence[ValueRule]) -> frozenset[str]:
    return frozenset(term for rule in rules if rule.value_rule in kinds for term in rule.values)


def _check_terms(value: Any, terms: frozenset[str], tag: int, where: str) -> None:
    if isinstance(value, list | tuple | MultiValue):
        for each in value:
            _check_terms(each, terms, tag, where)
        return
    texts = [text.strip().upper() for text in str(value).split("\\")]
    if any(text and text not in terms for text in texts):
        allowed = " or ".join(sorted(terms))
        raise ObjectInvalid(
            f"{where}: {name_of(tag)}: not {allowed}", advice=f"give {allowed}, or leave it out", tag=tag
        )


def _check_image_type(value: Any, where: str) -> None:
    """The first two values are enumerated (PS3.3 C.7.6.1.1.2, C.8.16.1); what follows is said by those who know it."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple | MultiValue) or any(isinstance(each, list | tuple) for each in values):
        return  # each slice its own, which are looked at one by one where images are made
    texts = [text for each in values for text in str(each).split("\\")]
    for text, terms in zip(texts, _IMAGE_TYPES, strict=False):
        _check_terms(text, terms, tags.IMAGE_TYPE, where)


def _check_code(item: Mapping[str, Any], tag: int, where: str) -> None:
    missing = [] if item.get("CodeMeaning") else [tags.CODE_MEANING]
    if not item.get("URNCodeValue"):
        missing += [] if item.get("CodeValue") or item.get("LongCodeValue") else [tags.CODE_VALUE]
        missing += [] if item.get("CodingSchemeDesignator") else [tags.CODING_SCHEME_DESIGNATOR]
    if missing:
        raise ObjectInvalid(
            f"{where}: {name_of(tag)}: a code without {', '.join(map(name_of, missing))}",
            advice="give CodeValue, CodingSchemeDesignator and CodeMeaning",
            tag=tag,
        )


def _list_items(value: Any) -> list[Mapping[str, Any]]:
    given = [value] if isinstance(value, Mapping | Dataset) else value
    if not isinstance(given, list | tuple | ItemSequence):
        return []
    return [_index_values(each) if isinstance(each, Dataset) else each for each in given if _is_item(each)]


def _is_item(value: object) -> bool:
    return isinstance(value, Dataset) or (isinstance(value, Mapping) and set(value) != {"InlineBinary"})


def _index_values(item: Dataset) -> dict[str, Any]:
    return {element.keyword: element.value for element in item if element.keyword}


def _say_of_each(frames: Iterable[AcquiredFrame], said: Dataset) -> Iterator[AcquiredFrame]:
    for frame in frames:
        yield replace(frame, attributes=_merge(frame.attributes, said), stated=_merge(frame.stated, said))


def _merge(first: Dataset, second: Dataset) -> Dataset:
    merged = Dataset()
    merged.update(first)
    merged.update(second)
    return merged
