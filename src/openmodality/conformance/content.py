"""The part of a statement about objects: modules and attributes, private attributes, character sets, body parts."""

from __future__ import annotations

from collections.abc import Iterator

from openmodality.conformance import model
from openmodality.device.paths import TagPath, format_path
from openmodality.device.profile.profile import AttributeRule
from openmodality.device.site.site import Site
from openmodality.dimse.attribute_names import keyword_of, vr_of
from openmodality.encoding.headers import format_tag
from openmodality.objects.private_names import find_tag


def list_objects(site: Site) -> Iterator[model.StatedInformationObject]:
    """The objects that the device makes, with their modules; those that it only keeps have none."""
    for each in site.profile.objects:
        uses = [use for use in site.profile.module_uses if use.object == each.name]
        yield model.StatedInformationObject(
            name=each.name,
            sop_class_uid=str(each.sop_class_uid),
            modality=each.modality,
            modules=tuple(
                model.StatedModuleUse(use.ie, use.module, use.usage, use.presence, use.condition) for use in uses
            ),
        )


def list_modules(site: Site) -> Iterator[model.StatedModule]:
    """Each module once, with the attributes that some object has in it."""
    rules_by_module: dict[str, list[AttributeRule]] = {}
    for rule in site.profile.attribute_rules:
        rules_by_module.setdefault(rule.module, []).append(rule)
    names = {find_tag(each): each.name for each in site.profile.private_attributes}
    for module, rules in rules_by_module.items():
        yield model.StatedModule(module, tuple(_list_attributes(rules, names)))


def _list_attributes(
    rules: list[AttributeRule], private_names: dict[int, str]
) -> Iterator[model.StatedModuleAttribute]:
    """A row for each attribute; where objects differ in it, one for those that are alike."""
    alike: dict[tuple[object, ...], list[AttributeRule]] = {}
    for rule in rules:
        key = (rule.path, rule.requirement, rule.sources, rule.value_rule, rule.values, rule.condition)
        alike.setdefault(key, []).append(rule)
    for group in alike.values():
        rule = group[0]
        yield model.StatedModuleAttribute(
            objects=tuple(dict.fromkeys(each.object for each in group)),
            path=format_path(rule.path),
            keyword=rule.keyword or _find_private_name(rule.path, private_names),
            vr=rule.vr,
            presence=rule.requirement,
            sources=rule.sources,
            value_rule=rule.value_rule,
            values=rule.values,
            condition=rule.condition,
        )


def _find_private_name(path: TagPath, names: dict[int, str]) -> str:
    return names.get(path[-1], "Private Creator")


def list_private_attributes(site: Site) -> Iterator[model.StatedPrivateAttribute]:
    """The private dictionary."""
    for each in site.profile.private_attributes:
        tag = format_tag(find_tag(each)).strip("()")
        yield model.StatedPrivateAttribute(each.creator, tag, each.vr, each.name, format_path(each.mirrors))


def describe_character_sets(site: Site) -> model.StatedCharacterSets:
    """The character sets that are read, and those of new objects in the order in which they are tried."""
    profile = site.profile
    return model.StatedCharacterSets(
        supported=tuple(model.StatedCharacterSet(each.term, each.code_extensions) for each in profile.charsets),
        written=tuple("\\".join(terms) for terms in site.character_sets),
        attributes=tuple(
            model.StatedTextAttribute(format_path(path), keyword_of(path[-1]), vr_of(path[-1]))
            for path in profile.charset_attributes
        ),
    )


def list_body_parts(site: Site) -> Iterator[model.StatedBodyPart]:
    """The terms of Body Part Examined."""
    for each in site.profile.body_parts:
        yield model.StatedBodyPart(each.term, each.offered)
