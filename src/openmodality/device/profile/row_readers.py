"""Reads each line of the tables of a profile as a value, or refuses it with the name of the wrong column."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import get_args

from pydicom.valuerep import VR

from openmodality.device.mapping import describe_misfit
from openmodality.device.paths import TagPath
from openmodality.device.profile.conditions import parse_condition
from openmodality.device.profile.parameters import Parameter, ParameterKind, ParameterValue
from openmodality.device.profile.profile import (
    AnswerRule,
    AttributeRule,
    BeyondStatement,
    BodyPart,
    CharacterSetEntry,
    CipherSuite,
    FailureKind,
    FailureRule,
    KeyType,
    MappingRule,
    MediaUse,
    ModulePresence,
    ModuleUsage,
    ModuleUse,
    MppsAttribute,
    PresentationContextEntry,
    PrintAttribute,
    PrivateAttribute,
    QueryKey,
    QueryRoot,
    Requirement,
    ServiceRole,
    StatusRule,
    ValueRule,
    ValueSource,
    WorklistKey,
)
from openmodality.device.profile.tables import ProfileRow
from openmodality.dimse.status import StatusCategory
from openmodality.errors import ConfigurationError
from openmodality.standard.query_retrieve import Level
from openmodality.standard.statuses import CategoryName, Effect, ServiceName
from openmodality.standard.text_rules import CODE_STRING_RULE, is_code_string
from openmodality.standard.upper_layer import REJECT_REASONS, Situation
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ
from openmodality.value_class import dataclass

SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
EFFECTS: tuple[Effect, ...] = get_args(Effect)
CATEGORIES: tuple[CategoryName, ...] = get_args(CategoryName)
FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
KINDS: tuple[ParameterKind, ...] = get_args(ParameterKind)
REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)
VALUE_RULES: tuple[ValueRule, ...] = get_args(ValueRule)
ROLES: tuple[ServiceRole, ...] = get_args(ServiceRole)
QUERY_ROOTS: tuple[QueryRoot, ...] = get_args(QueryRoot)
KEY_TYPES: tuple[KeyType, ...] = get_args(KeyType)
USAGES: tuple[ModuleUsage, ...] = get_args(ModuleUsage)
PRESENCES: tuple[ModulePresence, ...] = get_args(ModulePresence)
SITUATIONS: tuple[Situation, ...] = get_args(Situation)
SOURCES: tuple[ValueSource, ...] = get_args(ValueSource)

PRINT_OPERATIONS = ("N-GET", "N-EVENT-REPORT", "N-CREATE", "N-SET")
MEDIA_ACTIVITIES = ("create", "update", "query", "retrieve")

_VRS = tuple(member.value for member in VR)


@dataclass(frozen=True, slots=True)
class ModuleAttribute:
    """A line of attributes.csv: the rule of a module, in the named objects or, where none is named, in all."""

    objects: tuple[str, ...]
    rule: AttributeRule


def _read_sources(row: ProfileRow) -> tuple[ValueSource, ...]:
    return tuple(_read_source(row, word) for word in row.words("sources"))


def _read_source(row: ProfileRow, word: str) -> ValueSource:
    found = next((source for source in SOURCES if source == word), None)
    return found or row.refuse(f"sources {word!r} is not one of {', '.join(SOURCES)}")


def _read_condition(row: ProfileRow) -> str:
    """The text of a condition, checked here; the rules of ``objects`` parse it again for its meaning."""
    try:
        parse_condition(row.text("condition"))
    except ConfigurationError as error:
        row.refuse(f"{error.message}: {error.advice}" if error.advice else error.message)
    return row.text("condition")


def read_parameter(row: ProfileRow) -> Parameter:
    """A parameter with its default, which must keep to its own limits."""
    key = row.required("key")
    if not re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", key):
        row.refuse(f"key {key!r} is not group.name in small letters")
    limits = row.number("minimum"), row.number("maximum")
    if any(limit is not None and not math.isfinite(limit) for limit in limits):
        row.refuse("minimum and maximum must be finite numbers")
    parameter = Parameter(
        key=key,
        description=row.required("description"),
        kind=row.one_of("kind", KINDS),
        default="",
        minimum=limits[0],
        maximum=limits[1],
        unit=row.text("unit"),
        configurable=row.flag("configurable"),
        choices=row.alternatives("choices"),
        special=row.text("special"),
    )
    return _add_default(row, parameter)


def _add_default(row: ProfileRow, parameter: Parameter) -> Parameter:
    fields = {name: getattr(parameter, name) for name in Parameter.__slots__}
    try:
        return Parameter(**fields | {"default": parameter.check(_read_default(row, parameter.kind))})
    except ValueError as error:
        row.refuse(f"default {error}")


def _read_default(row: ProfileRow, kind: ParameterKind) -> ParameterValue:
    match kind:
        case "integer":
            return row.integer("default", -(10**9), 10**9)
        case "number":
            number = row.number("default")
            return number if number is not None and math.isfinite(number) else row.refuse("default is not a number")
        case "boolean":
            return row.flag("default")
        case "list":
            return row.alternatives("default")
        case "text" | "choice":
            return row.text("default")


def read_presentation_context(row: ProfileRow) -> PresentationContextEntry:
    """A presentation context that an AE proposes or accepts."""
    return PresentationContextEntry(
        ae=row.required("ae"),
        service=row.one_of("service", SERVICES),
        accepted=row.one_of("direction", ("propose", "accept")) == "accept",
        role=row.one_of("role", ROLES),
        sop_class_uid=row.uid("sop_class_uid"),
        transfer_syntaxes=row.uids("transfer_syntaxes"),
        role_selection=row.flag("role_selection"),
        enabled_by=row.words("enabled_by"),
    )


def read_worklist_key(row: ProfileRow) -> WorklistKey:
    """A key of worklist queries."""
    path, keyword, vr = row.attribute()
    if unknown := set(row.words("matching")) - set("SLWRU"):
        row.refuse(f"matching {unknown.pop()!r} is not one of S, L, W, R, U")
    return WorklistKey(
        path=path,
        keyword=keyword,
        vr=vr,
        matching=row.words("matching"),
        required=row.one_of("required", ("R", "O")) == "R",
        displayed=row.flag("displayed"),
        configurable=row.flag("configurable"),
    )


def read_query_key(row: ProfileRow) -> QueryKey:
    """A key of queries of an archive."""
    return QueryKey(
        role=row.one_of("role", ROLES),
        model=row.one_of("model", QUERY_ROOTS),
        level=row.one_of("level", tuple(Level)),
        path=row.attribute()[0],
        type=row.one_of("type", KEY_TYPES),
    )


def read_mpps_attribute(row: ProfileRow) -> MppsAttribute:
    """An attribute of the performed procedure step."""
    path, keyword, vr = row.attribute()
    return MppsAttribute(
        path=path,
        keyword=keyword,
        vr=vr,
        n_create=row.one_of("n_create", REQUIREMENTS),
        n_set=row.one_of("n_set", REQUIREMENTS),
        final=row.one_of("final", REQUIREMENTS),
        sources=_read_sources(row),
        value=row.text("value"),
        condition=_read_condition(row),
    )


def read_module_use(row: ProfileRow) -> ModuleUse:
    """A module of an object."""
    return ModuleUse(
        object=row.required("object"),
        ie=row.required("ie"),
        module=row.required("module"),
        usage=row.one_of("usage", USAGES),
        presence=row.one_of("presence", PRESENCES),
        condition=_read_condition(row),
    )


def read_module_attribute(row: ProfileRow) -> ModuleAttribute:
    """An attribute of a module."""
    rule = replace(
        _read_rule(row, tuple(kind for kind in REQUIREMENTS if kind)),
        module=row.required("module"),
        example=row.text("example"),
        condition=_read_condition(row),
    )
    return ModuleAttribute(row.alternatives("object"), rule)


def read_print_attribute(row: ProfileRow) -> PrintAttribute:
    """An attribute of a print request."""
    sop_class = row.required("sop_class")
    rule = replace(_read_rule(row, REQUIREMENTS), object=sop_class)
    return PrintAttribute(sop_class, row.one_of("operation", PRINT_OPERATIONS), rule)


def _read_rule(row: ProfileRow, requirements: tuple[Requirement, ...]) -> AttributeRule:
    """What the rules of all objects and requests say of an attribute."""
    path, keyword, vr = row.attribute()
    return AttributeRule(
        path=path,
        keyword=keyword,
        vr=vr,
        requirement=row.one_of("requirement", requirements),
        sources=_read_sources(row),
        value_rule=row.one_of("value_rule", VALUE_RULES),
        values=_read_values(row),
    )


def _read_values(row: ProfileRow) -> tuple[str, ...]:
    """The values of an attribute, as many as its value rule needs."""
    rule = row.one_of("value_rule", VALUE_RULES)
    values = row.alternatives("values")
    if bool(rule) != bool(values) or (rule == "fixed" and len(values) != 1):
        row.refuse("values must hold one value where value_rule is fixed, some where it is another, else none")
    if rule == "range" and (len(values) != 2 or not all(re.fullmatch(r"-?[0-9]+", value) for value in values)):
        row.refuse("values must hold the least and the greatest whole number where value_rule is range")
    return values


def read_mapping_rule(row: ProfileRow) -> MappingRule:
    """Where a value of the worklist goes."""
    image, mpps = row.path("image"), row.path("mpps")
    if image is None and mpps is None:
        row.refuse("a rule needs an image path or an MPPS path")
    rule = MappingRule(row.path("worklist") or row.refuse("worklist is empty"), image, mpps)
    if problem := describe_misfit(rule):
        row.refuse(problem)
    return rule


def read_status(row: ProfileRow) -> StatusRule:
    """What a status does to a job, its instance and its association."""
    code = row.required("code")
    if not re.fullmatch(r"\*|[0-9A-F]{1,4}x{0,3}", code) or (code != "*" and len(code) != 4):
        row.refuse(f"code {code!r} is neither four digits such as A700 or A7xx nor *")
    return StatusRule(
        service=row.one_of("service", SERVICES),
        operation=row.required("operation"),
        code=code,
        category=StatusCategory.from_name(row.one_of("category", CATEGORIES)),
        meaning=row.required("meaning"),
        transient=row.flag("transient"),
        abort=row.flag("abort"),
        effect=row.one_of("effect", EFFECTS),
        success_if=row.text("success_if"),
    )


def read_answer(row: ProfileRow) -> AnswerRule:
    """A status that the device answers with."""
    code = row.required("code")
    if not re.fullmatch(r"[0-9A-F]{4}", code):
        row.refuse(f"code {code!r} is not four hexadecimal digits")
    return AnswerRule(
        service=row.one_of("service", SERVICES),
        operation=row.required("operation"),
        code=code,
        category=StatusCategory.from_name(row.one_of("category", CATEGORIES)),
        meaning=row.required("meaning"),
    )


def read_beyond_statement(row: ProfileRow) -> BeyondStatement:
    """What goes beyond the conformance statement."""
    return BeyondStatement(
        name=row.required("name"),
        meaning=row.required("meaning"),
        decision=row.required("decision"),
        enabled_by=row.text("enabled_by"),
        concerns=row.alternatives("concerns"),
    )


def read_cipher_suite(row: ProfileRow) -> CipherSuite:
    """A cipher suite of TLS."""
    name = row.required("cipher_suite")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        row.refuse(f"cipher_suite {name!r} is no name of OpenSSL")
    return CipherSuite(name, row.text("standard_name"), row.required("group"), row.flag("legacy"))


def read_failure(row: ProfileRow) -> FailureRule:
    """Whether a failure of a service is worth another try."""
    return FailureRule(
        service=row.one_of("service", SERVICES),
        failure=row.one_of("failure", FAILURE_KINDS),
        transient=row.flag("transient"),
    )


def read_setting_section(row: ProfileRow) -> tuple[str, str]:
    """A setting of the site file by its key, and the section of the statement that asks for it."""
    return row.required("key"), row.required("section")


def read_rejection(row: ProfileRow) -> tuple[Situation, A_ASSOCIATE_RJ]:
    """How an association is rejected in a situation."""
    source, reason = row.integer("source", 1, 3), row.integer("reason", 1, 10)
    if (source, reason) not in REJECT_REASONS:
        row.refuse(f"reason {reason} is not one of source {source} (PS3.8 Table 9-21)")
    return row.one_of("situation", SITUATIONS), A_ASSOCIATE_RJ(row.integer("result", 1, 2), source, reason)


def read_character_set(row: ProfileRow) -> CharacterSetEntry:
    """A defined term of Specific Character Set (0008,0005)."""
    return CharacterSetEntry(row.text("term"), row.flag("code_extensions"))


def read_charset_attribute(row: ProfileRow) -> TagPath:
    """An attribute that needs a character set."""
    return row.attribute()[0]


def read_body_part(row: ProfileRow) -> BodyPart:
    """A term of Body Part Examined (0018,0015)."""
    term = row.required("term")
    if not is_code_string(term):
        row.refuse(f"term {term!r} is no code string ({CODE_STRING_RULE})")
    return BodyPart(term, row.flag("offered"))


def read_private_attribute(row: ProfileRow) -> PrivateAttribute:
    """A private attribute by creator, group and offset."""
    return PrivateAttribute(
        creator=row.required("creator"),
        group=_read_hexadecimal(row, "group", 4),
        offset=_read_hexadecimal(row, "offset", 2),
        vr=row.one_of("vr", _VRS),
        name=row.required("name"),
        mirrors=row.path("mirrors") or (),
    )


def read_media_use(row: ProfileRow) -> MediaUse:
    """What the device does with an application profile of media."""
    activities = row.words("activities")
    if unknown := [each for each in activities if each not in MEDIA_ACTIVITIES]:
        row.refuse(f"activities: {unknown[0]!r} is not one of {', '.join(MEDIA_ACTIVITIES)}")
    return MediaUse(
        profile=row.required("profile"),
        capacity_mb=row.integer("capacity_mb", 0, 1_000_000),
        activities=activities,
        sop_classes=row.uids("sop_classes"),
        enabled_by=row.text("enabled_by"),
    )


def _read_hexadecimal(row: ProfileRow, column: str, digits: int) -> int:
    if not re.fullmatch(rf"[0-9A-F]{{{digits}}}", row.text(column)):
        row.refuse(f"{column} {row.text(column)!r} is not {digits} hexadecimal digits")
    return int(row.text(column), 16)
