"""The settings of a site with their values, table by table, and values that a person types for them.

The rows come from ``settings_doc``; here they get their places in one site file and their values there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from openmodality.device.profile.profile import Profile
from openmodality.device.site.settings_doc import Setting, format_toml_value, list_all_parameters, list_site_settings
from openmodality.device.site.site_text import SettingKey
from openmodality.device.toml_file import parse_toml
from openmodality.errors import NotFound, UsageError
from openmodality.value_class import dataclass

_NAMED: Final = ("application_entities", "peers", "printers")
_TABLE_PREFIX: Final = "NAME."
FIRST_LINES: Final = "site"
"""What stands before all tables."""
NEW_TABLES: Final = ("peers", "printers")
"""Tables of which there may be any number, by names that the site chooses."""
_LEFT_TO_FILE: Final = ("parameters", "burn_command")
YES, NO = "true", "false"


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting at its place. ``value`` is what the file says, ``None`` where it leaves the default.

    ``section`` is where the statement asks for it; empty where it does not.
    """

    setting: Setting
    place: SettingKey
    value: object
    section: str

    @property
    def key(self) -> str:
        """The dotted key: ``peers.pacs.port``."""
        return ".".join(self.place)

    @property
    def table(self) -> str:
        """The name of its table."""
        return ".".join(self.place[:-1]) or FIRST_LINES

    @property
    def is_set(self) -> bool:
        """Whether the file sets it."""
        return self.value is not None

    @property
    def shown(self) -> str:
        """The value in force by this file, as TOML writes it."""
        return self.setting.default if self.value is None else format_toml_value(self.value)

    @property
    def typed(self) -> str:
        """The value in force as a person types it: lists and tables have a line for each entry."""
        value = self.value
        if value is None and self.setting.default:
            value = tomllib.loads(f"x = {self.setting.default}")["x"]
        match value:
            case None:
                return ""
            case bool():
                return YES if value else NO
            case list():
                return "\n".join(map(str, value))
            case Mapping():
                return "\n".join(f"{name} = {each}" for name, each in value.items())
            case _:
                return str(value)

    @property
    def is_changeable(self) -> bool:
        """Whether a person may change it by itself, at the console.

        Tables in tables, and the setting that names a program to run, can be changed in the file only: that requires
        access to the machine.
        """
        return not self.setting.is_fixed and self.place[-1] not in _LEFT_TO_FILE


@dataclass(frozen=True, slots=True)
class SettingTable:
    """A table of the site file with its settings."""

    name: str
    values: Sequence[SettingValue]


def list_setting_tables(profile: Profile, text: str) -> list[SettingTable]:
    """All tables that a site file has or may have, in the order of the settings, then the parameters by group.

    Arrays of tables, such as ``[[mapping]]``, are left to the file. Raises :class:`ConfigurationError` where the text
    is no TOML.
    """
    said = parse_toml(text, "the site file")
    found: dict[str, list[SettingValue]] = {}
    for setting, place in _list_places(profile, said):
        value = SettingValue(setting, place, _read(said, place), _find_section(profile, setting))
        found.setdefault(value.table, []).append(value)
    return [SettingTable(name, values) for name, values in found.items()]


def find_setting_table(profile: Profile, text: str, name: str) -> SettingTable:
    """A table by its name; one of a peer or a printer may be new. Raises :class:`NotFound` where there can be none."""
    for table in list_setting_tables(profile, text):
        if table.name == name:
            return table
    kind, _, own = name.partition(".")
    if kind not in NEW_TABLES or not re.fullmatch("[A-Za-z0-9_-]{1,64}", own):
        raise NotFound("there is no such table of settings")
    return make_new_table(profile, kind, own)


def make_new_table(profile: Profile, kind: str, name: str) -> SettingTable:
    """The settings of a peer or a printer that the file does not have yet."""
    settings = [each for each in list_site_settings() if each.key.startswith(f"{kind}.{_TABLE_PREFIX}")]
    values = [
        SettingValue(each, (kind, name, each.key.rpartition(".")[2]), None, _find_section(profile, each))
        for each in settings
        if each.key.count(".") == len((kind, name))
    ]
    return SettingTable(f"{kind}.{name}", values)


def _list_places(profile: Profile, said: Mapping[str, Any]) -> Iterator[tuple[Setting, SettingKey]]:
    roles = [entity.role for entity in profile.application_entities]
    for setting in list_site_settings():
        if "[]" in setting.key or setting.key == "parameters":
            continue
        kind, _, rest = setting.key.partition(".")
        if kind not in _NAMED:
            yield setting, tuple(setting.key.split("."))
            continue
        for name in roles if kind == "application_entities" else said.get(kind, {}):
            yield setting, (kind, name, rest.removeprefix(_TABLE_PREFIX))
    for setting in list_all_parameters(profile):
        yield setting, tuple(setting.key.split("."))


def _read(said: Mapping[str, Any], place: SettingKey) -> object:
    found: Any = said
    for part in place:
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def _find_section(profile: Profile, setting: Setting) -> str:
    return profile.setting_sections.get(setting.key, "")


def read_typed_value(setting: Setting, text: str) -> object:
    """What a person typed, as the value of a setting. Raises :class:`UsageError` where it cannot be one."""
    match setting.kind:
        case "integer":
            return _read_number(setting, text, int)
        case "number":
            return _read_number(setting, text, float)
        case "boolean":
            if text not in (YES, NO):
                raise UsageError(f"{text!r} is neither {YES} nor {NO}")
            return text == YES
        case "list":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "table":
            return dict(_read_line(line) for line in text.splitlines() if line.strip())
        case _:
            return text


def _read_number(setting: Setting, text: str, read: type[int] | type[float]) -> int | float:
    try:
        return read(text)
    except ValueError:
        raise UsageError(f"{text!r} is not allowed: {setting.allowed}") from None


def _read_line(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"{line.strip()!r} is no line of the form NAME = VALUE")
    return name.strip().strip("\"'"), value.strip().strip("\"'")
