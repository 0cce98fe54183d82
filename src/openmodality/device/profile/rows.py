"""One reader per table of a profile: columns, and how a line becomes a value.

The columns named here are the format of the files; ``docs/your-own-device.md`` explains them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from pydicom.valuerep import VR

from openmodality.device.mapping import describe_misfit
from openmodality.device.paths import TagPath
from openmodality.device.profile.conditions import parse_condition
from openmodality.device.profile.parameters import Parameter, ParameterKind, ParameterValue
from openmodality.device.profile.profile import (
    BodyPart,
    CharacterSetEntry,
    FailureKind,
    FailureRule,
    MappingRule,
    MediaUse,
    ModuleUse,
    MppsAttribute,
    PresentationContextEntry,
    PrivateAttribute,
    QueryKey,
    Requirement,
    StatusRule,
    ValueRule,
    ValueSource,
    WorklistKey,
)
from openmodality.device.profile.tables import ProfileRow
from openmodality.dimse.status import StatusCategory
from openmodality.errors import ConfigurationError
from openmodality.standard.statuses import CategoryName, Effect, ServiceName
from openmodality.standard.text_rules import CODE_STRING_RULE, is_code_string
from openmodality.standard.upper_layer import REJECT_REASONS, Situation
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ

_T = TypeVar("_T")

SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
EFFECTS: tuple[Effect, ...] = get_args(Effect)
CATEGORIES: tuple[CategoryName, ...] = get_args(CategoryName)
FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
KINDS: tuple[ParameterKind, ...] = get_args(ParameterKind)
REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)
VALUE_RULES: tuple[ValueRule, ...] = get_args(ValueRule)
SITUATIONS: tuple[Situation, ...] = get_args(Situation)
SOURCES: tuple[ValueSource, ...] = get_args(ValueSource)

MEDIA_ACTIVITIES = ("create", "update", "query", "retrieve")

_VRS = tuple(member.value for member in VR)


@dataclass(frozen=True, slots=True)
class Table(Generic[_T]):
    """A file of a profile: its columns and the reader of a line."""

    file: str
    columns: tuple[str, ...]
    read: Callable[[ProfileRow], _T]


@dataclass(frozen=True, slots=True)
class ModuleAttribute:
    """A line of attributes.csv: an attribute of a module, in the named objects or, where none is named, in all."""

    objects: tuple[str, ...]
    module: str
    path: TagPath
    keyword: str
    vr: str
    requirement: Requirement
    sources: tuple[ValueSource, ...]
    value_rule: ValueRule
    values: tuple[str, ...]
    example: str
    condition: str


def _sources(row: ProfileRow) -> tuple[ValueSource, ...]:
    return tuple(_source(row, word) for word in row.words("sources"))


def _source(row: ProfileRow, word: str) -> ValueSource:
    found = next((source for source in SOURCES if source == word), None)
    return found or row.refuse(f"sources {word!r} is not one of {', '.join(SOURCES)}")


def _read_condition(row: ProfileRow) -> str:
    """The text of a condition, which must be one; the rules of ``objects`` are made of what it means."""
    try:
        parse_condition(row.text("condition"))
    except ConfigurationError as error:
        row.refuse(f"{error.message}: {error.advice}" if error.advice else error.message)
    return row.text("condition")


def _parameter(row: ProfileRow) -> Parameter:
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
    return _with_default(row, parameter)


def _with_default(row: ProfileRow, parameter: Parameter) -> Parameter:
    fields = {name: getattr(parameter, name) for name in Parameter.__slots__}
    try:
        return Parameter(**fields | {"default": parameter.check(_default(row, parameter.kind))})
    except ValueError as error:
        row.refuse(f"default {error}")


def _default(row: ProfileRow, kind: ParameterKind) -> ParameterValue:
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


def _presentation_context(row: ProfileRow) -> PresentationContextEntry:
    return PresentationContextEntry(
        ae=row.required("ae"),
        service=row.one_of("service", SERVICES),
        accepted=row.one_of("direction", ("propose", "accept")) == "accept",
        role=row.one_of("role", ("SCU", "SCP")),
        sop_class_uid=row.uid("sop_class_uid"),
        transfer_syntaxes=row.uids("transfer_syntaxes"),
        role_selection=row.flag("role_selection"),
        enabled_by=row.words("enabled_by"),
    )


def _worklist_key(row: ProfileRow) -> WorklistKey:
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


def _query_key(row: ProfileRow) -> QueryKey:
    return QueryKey(
        role=row.one_of("role", ("SCU", "SCP")),
        model=row.one_of("model", ("PATIENT", "STUDY")),
        level=row.one_of("level", ("PATIENT", "STUDY", "SERIES", "IMAGE")),
        path=row.attribute()[0],
        type=row.one_of("type", ("U", "R", "O")),
    )


def _mpps_attribute(row: ProfileRow) -> MppsAttribute:
    path, keyword, vr = row.attribute()
    return MppsAttribute(
        path=path,
        keyword=keyword,
        vr=vr,
        n_create=row.one_of("n_create", REQUIREMENTS),
        n_set=row.one_of("n_set", REQUIREMENTS),
        final=row.one_of("final", REQUIREMENTS),
        sources=_sources(row),
        value=row.text("value"),
        condition=_read_condition(row),
    )


def _module_use(row: ProfileRow) -> ModuleUse:
    return ModuleUse(
        object=row.required("object"),
        ie=row.required("ie"),
        module=row.required("module"),
        usage=row.one_of("usage", ("M", "C", "U", "C/U")),
        presence=row.one_of("presence", ("ALWAYS", "ANAP", "EMPTY")),
        condition=_read_condition(row),
    )


def _module_attribute(row: ProfileRow) -> ModuleAttribute:
    path, keyword, vr = row.attribute()
    rule = row.one_of("value_rule", VALUE_RULES)
    values = row.alternatives("values")
    if bool(rule) != bool(values) or (rule == "fixed" and len(values) != 1):
        row.refuse("values must hold one value where value_rule is fixed, some where it is another, else none")
    return ModuleAttribute(
        objects=row.alternatives("object"),
        module=row.required("module"),
        path=path,
        keyword=keyword,
        vr=vr,
        requirement=row.one_of("requirement", tuple(kind for kind in REQUIREMENTS if kind)),
        sources=_sources(row),
        value_rule=rule,
        values=values,
        example=row.text("example"),
        condition=_read_condition(row),
    )


def _mapping_rule(row: ProfileRow) -> MappingRule:
    image, mpps = row.path("image"), row.path("mpps")
    if image is None and mpps is None:
        row.refuse("a rule needs an image path or an MPPS path")
    rule = MappingRule(row.path("worklist") or row.refuse("worklist is empty"), image, mpps)
    if problem := describe_misfit(rule):
        row.refuse(problem)
    return rule


def _status(row: ProfileRow) -> StatusRule:
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


def _failure(row: ProfileRow) -> FailureRule:
    return FailureRule(
        service=row.one_of("service", SERVICES),
        failure=row.one_of("failure", FAILURE_KINDS),
        transient=row.flag("transient"),
    )


def _rejection(row: ProfileRow) -> tuple[Situation, A_ASSOCIATE_RJ]:
    source, reason = row.integer("source", 1, 3), row.integer("reason", 1, 10)
    if (source, reason) not in REJECT_REASONS:
        row.refuse(f"reason {reason} is none of source {source} (PS3.8 Table 9-21)")
    return row.one_of("situation", SITUATIONS), A_ASSOCIATE_RJ(row.integer("result", 1, 2), source, reason)


def _character_set(row: ProfileRow) -> CharacterSetEntry:
    return CharacterSetEntry(row.text("term"), row.flag("code_extensions"))


def _charset_attribute(row: ProfileRow) -> TagPath:
    return row.attribute()[0]


def _body_part(row: ProfileRow) -> BodyPart:
    term = row.required("term")
    if not is_code_string(term):
        row.refuse(f"term {term!r} is no code string ({CODE_STRING_RULE})")
    return BodyPart(term, row.flag("offered"))


def _private_attribute(row: ProfileRow) -> PrivateAttribute:
    return PrivateAttribute(
        creator=row.required("creator"),
        group=_hexadecimal(row, "group", 4),
        offset=_hexadecimal(row, "offset", 2),
        vr=row.one_of("vr", _VRS),
        name=row.required("name"),
    )


def _media_use(row: ProfileRow) -> MediaUse:
    activities = row.words("activities")
    if unknown := [each for each in activities if each not in MEDIA_ACTIVITIES]:
        row.refuse(f"activities: {unknown[0]!r} is none of {', '.join(MEDIA_ACTIVITIES)}")
    return MediaUse(
        profile=row.required("profile"),
        capacity_mb=row.integer("capacity_mb", 0, 1_000_000),
        activities=activities,
        sop_classes=row.uids("sop_classes"),
        enabled_by=row.text("enabled_by"),
    )


def _hexadecimal(row: ProfileRow, column: str, digits: int) -> int:
    if not re.fullmatch(rf"[0-9A-F]{{{digits}}}", row.text(column)):
        row.refuse(f"{column} {row.text(column)!r} is not {digits} hexadecimal digits")
    return int(row.text(column), 16)


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


PARAMETERS = Table(
    "parameters.csv",
    _columns("key,description,kind,minimum,maximum,default,unit,configurable,choices,special"),
    _parameter,
)
PRESENTATION_CONTEXTS = Table(
    "presentation_contexts.csv",
    _columns("ae,service,direction,role,sop_class_uid,transfer_syntaxes,role_selection,enabled_by"),
    _presentation_context,
)
WORKLIST_KEYS = Table(
    "worklist_keys.csv",
    _columns("path,keyword,vr,matching,required,displayed,configurable"),
    _worklist_key,
)
QUERY_KEYS = Table("query_keys.csv", _columns("role,model,level,path,keyword,vr,type"), _query_key)
MPPS_ATTRIBUTES = Table(
    "mpps_attributes.csv",
    _columns("path,keyword,vr,n_create,n_set,final,sources,value,condition"),
    _mpps_attribute,
)
IODS = Table("iods.csv", _columns("object,ie,module,usage,presence,condition"), _module_use)
ATTRIBUTES = Table(
    "attributes.csv",
    _columns("object,module,path,keyword,vr,requirement,sources,value_rule,values,example,condition"),
    _module_attribute,
)
MAPPING = Table("mapping.csv", _columns("worklist,image,mpps"), _mapping_rule)
STATUSES = Table(
    "statuses.csv",
    _columns("service,operation,code,category,meaning,transient,abort,effect,success_if"),
    _status,
)
FAILURES = Table("failures.csv", _columns("service,failure,transient"), _failure)
REJECTIONS = Table("rejections.csv", _columns("situation,result,source,reason"), _rejection)
CHARSETS = Table("charsets.csv", _columns("term,code_extensions"), _character_set)
CHARSET_ATTRIBUTES = Table("charset_attributes.csv", _columns("path,keyword,vr"), _charset_attribute)
BODY_PARTS = Table("body_parts.csv", _columns("term,offered"), _body_part)
MEDIA = Table("media.csv", _columns("profile,capacity_mb,activities,sop_classes,enabled_by"), _media_use)
PRIVATE_DICTIONARY = Table("private_dictionary.csv", _columns("creator,group,offset,vr,name"), _private_attribute)
