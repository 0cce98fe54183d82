"""The part of a statement about services: keys and attributes, statuses, failures, rejections, parameters, settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openmodality.conformance import model
from openmodality.device.paths import TagPath, format_keywords, format_path
from openmodality.device.profile.loader import EXTENSION_SWITCH
from openmodality.device.profile.profile import FailureKind, StatusRule
from openmodality.device.profile.row_readers import FAILURE_KINDS
from openmodality.device.site.settings_doc import format_toml_value, list_site_settings
from openmodality.device.site.site import Site
from openmodality.dimse.attribute_names import keyword_of, vr_of
from openmodality.standard.statuses import ServiceName
from openmodality.standard.upper_layer import REJECT_REASONS, REJECT_RESULTS, REJECT_SOURCES, Situation

_UNLISTED: Final = 0xDEAD
"""A status that no table has, to ask what is done with any other."""


def list_worklist_keys(site: Site) -> Iterator[model.StatedWorklistKey]:
    """The keys of the worklist request, with where their values go."""
    for key in site.profile.worklist_keys:
        rules = [rule for rule in site.mapping if rule.worklist == key.path]
        yield model.StatedWorklistKey(
            path=format_path(key.path),
            keyword=key.keyword,
            vr=key.vr,
            matching=key.matching,
            required=key.required,
            displayed=key.displayed,
            configurable=key.configurable,
            images=tuple(format_keywords(rule.image) for rule in rules if rule.image),
            performed_step=tuple(format_keywords(rule.mpps) for rule in rules if rule.mpps),
        )


def list_query_keys(site: Site) -> Iterator[model.StatedQueryKey]:
    """The keys of the query levels, those that are asked for and those that are answered."""
    for key in site.profile.query_keys:
        tag = key.path[-1]
        yield model.StatedQueryKey(
            key.role, key.model, key.level, format_path(key.path), keyword_of(tag), vr_of(tag), key.type
        )


def list_step_attributes(site: Site) -> Iterator[model.StatedStepAttribute]:
    """The attributes of the performed procedure step."""
    for each in site.profile.mpps_attributes:
        yield model.StatedStepAttribute(
            path=format_path(each.path),
            keyword=each.keyword,
            vr=each.vr,
            n_create=each.n_create,
            n_set=each.n_set,
            final=each.final,
            sources=each.sources,
            value=each.value,
            condition=each.condition,
        )


def list_print_attributes(site: Site) -> Iterator[model.StatedPrintAttribute]:
    """The attributes of print requests."""
    for each in site.profile.print_attributes:
        yield model.StatedPrintAttribute(
            sop_class=each.sop_class,
            operation=each.operation,
            path=format_path(each.rule.path),
            keyword=each.rule.keyword,
            vr=each.rule.vr,
            presence=each.rule.requirement,
            sources=each.rule.sources,
            value_rule=each.rule.value_rule,
            values=each.rule.values,
        )


def list_stated_statuses(site: Site) -> Iterator[model.StatedStatus]:
    """The statuses of the services that the device asks for, as they are judged with the switches of the site."""
    asked = {entry.service for entry in site.profile.presentation_contexts if not entry.accepted}
    for rule in site.profile.statuses:
        if rule.service in asked:
            yield _describe_status(site, rule)


def _describe_status(site: Site, rule: StatusRule) -> model.StatedStatus:
    operation = rule.operation.removesuffix(" repeated")
    status = _UNLISTED if rule.code == "*" else int(rule.code.replace("x", "F"), 16)
    judge = site.judge_of(rule.service, operation, is_repeat=operation != rule.operation)
    verdict = judge(status)
    return model.StatedStatus(
        service=rule.service,
        operation=rule.operation,
        code=rule.code,
        category=rule.category.value,
        meaning=rule.meaning,
        effect=verdict.effect,
        is_transient=rule.transient,
        aborts=verdict.must_abort,
        success_if=rule.success_if,
    )


def list_answers(site: Site) -> Iterator[model.StatedAnswer]:
    """The statuses with which the device answers, of the services that it is asked for."""
    contexts = site.profile.presentation_contexts
    answered = {entry.service for entry in contexts if entry.accepted}
    answered |= {entry.service for entry in contexts if entry.service == "print"}  # reports come on our association
    for rule in site.profile.answers:
        if rule.service in answered:
            yield model.StatedAnswer(rule.service, rule.operation, rule.code, rule.category.value, rule.meaning)


def list_failures(site: Site) -> Iterator[model.StatedFailure]:
    """What a time-out and a lost association do to each service that the device asks for."""
    asked = [entry.service for entry in site.profile.presentation_contexts if not entry.accepted]
    for service in dict.fromkeys(asked):
        for kind in FAILURE_KINDS:
            yield _describe_failure(site, service, kind)


def _describe_failure(site: Site, service: ServiceName, kind: FailureKind) -> model.StatedFailure:
    rules = [rule for rule in site.profile.failures if (rule.service, rule.failure) == (service, kind)]
    return model.StatedFailure(
        service=service,
        failure=kind,
        aborts=kind == "timeout",  # an association that is lost cannot be aborted any more
        ends="job" if rules else "operation",
        is_transient=any(rule.transient for rule in rules),
    )


def list_rejections(site: Site) -> Iterator[model.StatedRejection]:
    """How associations are rejected, by situation."""
    for situation, answer in site.profile.rejections.items():
        yield model.StatedRejection(
            situation=SITUATION_WORDS[situation],
            result=answer.result,
            source=answer.source,
            reason=answer.reason,
            result_name=REJECT_RESULTS[answer.result],
            source_name=REJECT_SOURCES[answer.source],
            reason_name=REJECT_REASONS[answer.source, answer.reason],
        )


SITUATION_WORDS: Final[dict[Situation, str]] = {
    "limit_reached": "as many associations as are accepted at a time are open",
    "busy": "nothing is accepted for now",
    "application_context": "another application context name than DICOM's",
    "called_ae_title": "the called AE title is not that of this AE",
    "calling_ae_title": "the calling AE title is that of no peer",
    "unparsable": "the request cannot be read",
}
"""The situations of rejections.csv, for people."""


def list_parameters(site: Site) -> Iterator[model.StatedParameter]:
    """The parameters with their ranges, defaults and the values in force."""
    for key, each in site.profile.parameters.items():
        yield model.StatedParameter(
            key=key,
            meaning=each.description,
            kind=each.kind,
            minimum=each.minimum,
            maximum=each.maximum,
            default=format_toml_value(each.default),
            value=format_toml_value(site.parameters[key]),
            unit=each.unit,
            configurable=each.configurable,
            choices=each.choices,
            special=each.special,
        )


def list_settings() -> Iterator[model.StatedSetting]:
    """The settings that a site file has for every device."""
    for each in list_site_settings():
        yield model.StatedSetting(each.key, each.meaning, each.default, each.allowed)


def list_mapping(site: Site) -> Iterator[model.StatedMapping]:
    """Where the attributes of a worklist item go."""
    for rule in site.mapping:
        yield model.StatedMapping(format_keywords(rule.worklist), _name(rule.image), _name(rule.mpps))


def _name(path: TagPath | None) -> str:
    return format_keywords(path) if path else ""


def list_beyond(site: Site) -> Iterator[model.StatedBeyond]:
    """What goes beyond the statement that is followed."""
    for each in site.profile.beyond_statement:
        yield model.StatedBeyond(
            name=each.name,
            meaning=each.meaning,
            decision=each.decision,
            enabled_by=each.enabled_by,
            is_enabled=_is_on(site, each.enabled_by),
            concerns=each.concerns,
        )


def _is_on(site: Site, switch: str) -> bool:
    if switch.startswith(EXTENSION_SWITCH):
        return switch.removeprefix(EXTENSION_SWITCH) in site.settings.extensions
    return not switch or site.parameters.boolean(switch)
