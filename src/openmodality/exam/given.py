"""What a person or a program gives for images by keyword: private attributes named, values held to the device's rules.

Whoever gives a value can be asked. So a value that the device's tables do not allow is refused here, before anything is
made, while the same value in somebody's file is left out and named. What is wrong is told with the module and the type
of the attribute, its value representation, and where a right value could come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, Source
from openmodality.device.body_parts import check_body_part
from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import AttributeRule, Profile
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.mending import is_code_sequence
from openmodality.errors import ObjectInvalid
from openmodality.objects.private_names import PrivateNames, parse_key
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.rules.private_rules import list_private_rules
from openmodality.objects.rules.sources import name_sources
from openmodality.standard import tags

_BODY_PART: Final = "BodyPartExamined"
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
        self._enumerated = {path: terms for path, rules in self._rules.items() if (terms := _list_terms(rules))}
        self._elsewhere = {path[-1]: _list_terms(self._find_rules(path[-1])) for path in self._enumerated}

    def prepare(self, values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        """The values, private attributes by their keys, once they are found to be what the device's tables allow.

        Raises :class:`ObjectInvalid` where an enumerated value is another one, a code is incomplete, or the device has
        no such private attribute. ``where`` names the origin.
        """
        named = self._names.name_keys(values, where)
        with self.explain_errors():
            self._check(named, (), where)
        return named

    def take(self, values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        """The values as :meth:`prepare` gives them, of a caller who can choose a body part of the device.

        Raises what that raises, and :class:`UsageError` where the device has no such body part.
        """
        self._check_body_part(values.get(_BODY_PART))
        return self.prepare(values, where)

    def read(self, values: Mapping[str, Any], where: str) -> Dataset:
        """A data set of the values. Raises :class:`ObjectInvalid` and :class:`UsageError` where it is none."""
        with self.explain_errors():
            return attributes_of(self.take(values, where), where)

    def walk(self, sources: Iterable[Source], values: Mapping[str, Any]) -> Iterator[AcquiredSeries]:
        """The series of sources with these values for all their images, in place of what the sources say.

        Raises :class:`ObjectInvalid` and :class:`UsageError` where one is not allowed, and what the sources raise.
        """
        with self.explain_errors():
            for source in sources:
                for acquired in source.series():
                    yield self._add_to(acquired, values) if values else acquired

    def _add_to(self, acquired: AcquiredSeries, values: Mapping[str, Any]) -> AcquiredSeries:
        said = self.read(values, acquired.description)
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
        """Say of an attribute that was given wrongly what the device's tables say of it."""
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
            f"{error.message} ({rule.module} module, type {rule.requirement}, VR {rule.vr})",
            advice=f"{error.advice or 'correct it, or leave it out'}; it may come from {sources}",
            tag=error.tag,
        )

    def _find_rules(self, tag: int) -> list[AttributeRule]:
        """The rows of an attribute, those of shorter paths first."""
        places = sorted((path for path in self._rules if path[-1] == tag), key=len)
        return [rule for path in places for rule in self._rules[path]]

    def _check_body_part(self, value: object) -> None:
        if isinstance(value, str | int):
            check_body_part(self._profile, data_set_of(BodyPartExamined=str(value).strip().upper()))

    def _check(self, values: Mapping[str, Any], above: TagPath, where: str) -> None:
        for keyword, value in values.items():
            tag = tag_for_keyword(keyword)
            if tag is None:
                private = parse_key(keyword)
                tag = private.tag if private else None
            if tag is None:
                continue
            path: TagPath = (*above, tag)
            for number, item in enumerate(_list_items(value), 1):
                inside = f"{where}: {keyword} item {number}"
                if is_code_sequence(tag) or tag in _CODE_SEQUENCES:
                    _check_code(item, tag, inside)
                self._check(item, path, inside)
            if terms := self._find_terms(path):
                _check_terms(value, terms, tag, where)

    def _find_terms(self, path: TagPath) -> frozenset[str]:
        """The enumerated values of an attribute; those of its rows elsewhere where the tables do not have it there.

        What goes into a functional group may be given by its keyword alone.
        """
        return (
            self._enumerated.get(path, frozenset())
            if path in self._rules
            else self._elsewhere.get(path[-1], frozenset())
        )


def _list_terms(rules: Iterable[AttributeRule]) -> frozenset[str]:
    """The enumerated values of an attribute, in whichever object; PS3.3 has the same for all that have it."""
    return frozenset(term for rule in rules if rule.value_rule == "enumerated" for term in rule.values)


def _check_terms(value: Any, terms: frozenset[str], tag: int, where: str) -> None:
    if isinstance(value, list | tuple):
        for each in value:
            _check_terms(each, terms, tag, where)
        return
    texts = [text.strip().upper() for text in str(value).split("\\")]
    if any(text and text not in terms for text in texts):
        allowed = " or ".join(sorted(terms))
        raise ObjectInvalid(
            f"{where}: {name_of(tag)}: not {allowed}", advice=f"give {allowed}, or leave it out", tag=tag
        )


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
    if isinstance(value, Mapping):
        return [] if set(value) == {"InlineBinary"} else [value]
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _say_of_each(frames: Iterable[AcquiredFrame], said: Dataset) -> Iterator[AcquiredFrame]:
    for frame in frames:
        yield replace(frame, attributes=_merge(frame.attributes, said), stated=_merge(frame.stated, said))


def _merge(first: Dataset, second: Dataset) -> Dataset:
    merged = Dataset()
    merged.update(first)
    merged.update(second)
    return merged
