"""All settings of a site file as rows of key, meaning, default and allowed values, and the page that lists them.

``python -m openmodality.device.site.settings_doc docs/site-file.md`` writes the page; a test fails while it is out of
date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import WithDefaultSchema

from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.profile.parameters import ParameterKind
from openmodality.device.profile.profile import Profile
from openmodality.device.site.setting_types import Settings
from openmodality.device.site.site_file import SiteFile
from openmodality.value_class import dataclass

SettingKind: TypeAlias = ParameterKind | Literal["table"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its dotted key (``peers.NAME.port``), meaning, default as TOML, and what is allowed.

    ``choices`` are the values that it may have, or the members that a list may have; empty where there are others.
    """

    key: str
    meaning: str
    default: str
    allowed: str
    kind: SettingKind = "text"
    choices: tuple[str, ...] = ()
    is_fixed: bool = False


def format_toml_value(value: object) -> str:
    """``value`` as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            is_literal = "\\" in value and "'" not in value and value.isprintable()
            return f"'{value}'" if is_literal else _format_basic_string(value)
        case tuple() | list():
            return f"[{', '.join(format_toml_value(item) for item in value)}]"
        case Mapping():
            given = ", ".join(f"{format_toml_key(key)} = {format_toml_value(item)}" for key, item in value.items())
            return f"{{ {given} }}" if given else "{}"
        case _:
            return str(value)


def format_toml_key(key: str) -> str:
    """A key as TOML writes it: quoted where it is more than a word."""
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _format_basic_string(key)


def _format_basic_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(each if each.isprintable() else _escape(each) for each in escaped)}"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


@cache
def list_site_settings() -> tuple[Setting, ...]:
    """The settings that every device has, in the order of the file."""
    return tuple(_list_settings(SiteFile, ""))


def _list_settings(table: type[Settings], prefix: str) -> Iterator[Setting]:
    schema = _make_schema(table)["properties"]
    for name, field in table.model_fields.items():
        inner, suffix = _format_inner_table(field.annotation)
        if inner:
            yield from _list_settings(inner, f"{prefix}{name}{suffix}.")
        else:
            found = schema[name]
            yield Setting(
                f"{prefix}{name}",
                field.description or "",
                _describe_default(field),
                _describe_allowed(found),
                _find_kind(found),
                _list_choices(found),
            )


@cache
def _make_schema(table: type[Settings]) -> dict[str, Any]:
    """The JSON schema of a table, made once: a page of settings asks for each of them."""
    inner: Mapping[str, dict[str, Any]] = _make_schema_of_file().get("$defs", {})
    return inner[table.__name__] if table.__name__ in inner else table.model_json_schema()


@cache
def _make_schema_of_file() -> dict[str, Any]:
    """The JSON schema of a site file with all its tables, without defaults: they take half of the time."""
    return SiteFile.model_json_schema(schema_generator=_WithoutDefaults)


class _WithoutDefaults(GenerateJsonSchema):
    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def list_parameter_settings(profile: Profile) -> Iterator[Setting]:
    """The parameters that this device adds and a site may change."""
    return (setting for setting in list_all_parameters(profile) if not setting.is_fixed)


def list_all_parameters(profile: Profile) -> Iterator[Setting]:
    """The parameters of a device, those too that are fixed."""
    for key, parameter in profile.parameters.items():
        yield Setting(
            f"parameters.{key}",
            parameter.description,
            format_toml_value(parameter.default),
            parameter.allowed,
            parameter.kind,
            parameter.choices,
            not parameter.configurable,
        )


def _format_inner_table(annotation: Any) -> tuple[type[Settings] | None, str]:
    """The model inside ``Model``, ``dict[str, Model]`` (any name) or ``tuple[Model, ...]`` (any number)."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation, ""
    for argument in get_args(annotation) if get_origin(annotation) in (dict, tuple) else ():
        if isinstance(argument, type) and issubclass(argument, Settings):
            return argument, ".NAME" if get_origin(annotation) is dict else "[]"
    return None, ""


def _describe_default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "" if value is PydanticUndefined or value is None else format_toml_value(value)


def _describe_allowed(schema: Mapping[str, Any]) -> str:
    """What the JSON schema of a field allows, in words."""
    if "anyOf" in schema:
        return " or ".join(_describe_allowed(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return ", ".join(format_toml_value(choice) for choice in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "integer":
            return f"{schema['minimum']}-{schema['maximum']}"
        case "boolean":
            return "true, false"
        case "array":
            return f"list of {_describe_allowed(schema['items'])}"
        case "object":
            return "a table"
        case _:
            return f"text of at most {schema['maxLength']} characters" if "maxLength" in schema else "text"


def _find_kind(schema: Mapping[str, Any]) -> SettingKind:
    """The kind of a field by its JSON schema."""
    if "anyOf" in schema:
        return next(_find_kind(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return "choice"
    kinds: Mapping[str, SettingKind] = {"integer": "integer", "boolean": "boolean", "array": "list", "object": "table"}
    return kinds.get(str(schema.get("type")), "text")


def _list_choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _list_choices(choice)
    inner = schema.get("items", schema) if schema.get("type") == "array" else schema
    return tuple(map(str, inner.get("enum", [inner["const"]] if "const" in inner else ())))


def make_settings_page() -> str:
    """``docs/site-file.md``."""
    parts = [_INTRODUCTION, _format_table(list_site_settings())]
    for name in list_profile_names():
        profile = load_profile(name)
        parts += [
            f"## Parameters of profile `{name}`: {profile.title}",
            _format_table(list_parameter_settings(profile)),
        ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
# The site file

`site.toml` says which device this is and how it is connected. A newly made one works at once with the virtual hospital
on the same machine; what you do not set keeps its default. A mistake is reported with file, line, key and what is
allowed.

This page is generated: `python -m openmodality.device.site.settings_doc docs/site-file.md`. `NAME` stands for a name of
your choice (a peer) or of the profile (an application entity), `[]` for each `[[...]]` table. Relative paths start at
the site file's folder. Under `[peers.NAME.parameters.GROUP]`, parameters can be set to other values for one peer.

## Settings of every device"""


def _format_table(settings: Iterable[Setting]) -> str:
    rows = ["| key | meaning | default | allowed |", "|---|---|---|---|"]
    for setting in settings:
        default = f"`{setting.default}`" if setting.default else ""
        cells = " | ".join(map(_format_cell, (setting.meaning, default, setting.allowed)))
        rows.append(f"| `{setting.key}` | {cells} |")
    return "\n".join(rows)


def _format_cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(make_settings_page(), encoding="utf-8")
