"""Writes a new site file: what ``openmodality init DIR --profile NAME`` does.

Every setting of interest stands there with its meaning; what has its default is commented out. As it is, the file works
with the virtual hospital on the same machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.profile.profile import ApplicationEntity, Profile
from openmodality.device.site.settings_doc import (
    Setting,
    format_toml_value,
    list_parameter_settings,
    list_site_settings,
)
from openmodality.errors import ConfigurationError
from openmodality.standard.character_sets import GB18030, LATIN_1

_HOSPITAL = (
    ("ris", "OM_RIS", 11113, ("verification", "worklist", "mpps")),
    ("pacs", "OM_PACS", 11114, ("verification", "storage", "storage_commitment", "query_retrieve")),
    ("printer", "OM_PRINT", 11115, ("verification", "print")),
)
"""The virtual hospital: name, AE title, port, and what a device asks there."""

_TABLES = ("device", "network", "data", "media", "console", "audit", "tls")


def write_site(folder: str | Path, profile: str) -> Path:
    """Write ``folder/site.toml`` for a profile, by name or folder; the folder is made where it is missing.

    Raises :class:`ConfigurationError` where there is a site file already, where it cannot be written, or for an unknown
    profile.
    """
    device = load_profile(profile)
    name = profile if profile in list_profile_names() else str(Path(profile).resolve())
    file = Path(folder) / "site.toml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # for its owner alone, since the URL of a database may get a password
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already and stays as it is: choose another folder") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(make_site_text(device, name))
    except OSError as error:
        file.unlink(missing_ok=True)  # a part of it would stand in the way of the next try
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error
    return file


def make_site_text(profile: Profile, name: str) -> str:
    """The text of a new site file; ``name`` is how it names the profile."""
    lines = [
        f"# OpenModality: {profile.title}. What each setting means and allows: docs/site-file.md.",
        "# A line that begins with # is not in force; most of them show the default.",
        "",
        f"profile = {format_toml_value(name)}",
        "",
        *_comment_out(setting for setting in list_site_settings() if setting.key == "extensions"),
        *_make_tables(profile),
        *(line for entity in profile.application_entities for line in _make_application_entity(entity)),
        *(line for peer in _HOSPITAL for line in _make_peer(profile, *peer)),
        *_make_printer(profile),
        *_make_mapping(),
        *_make_parameters(profile),
    ]
    return "\n".join(lines) + "\n"


def _make_tables(profile: Profile) -> Iterator[str]:
    settings = list(list_site_settings())
    for table in _TABLES:
        yield from ("", f"[{table}]")
        if table == "device" and profile.implementation_class_uid:
            yield "# The statement identifies itself as " + " and ".join(
                f"{name} = {format_toml_value(getattr(profile, name))}"
                for name in ("implementation_class_uid", "implementation_version_name")
            )
        of_table = [setting for setting in settings if setting.key.startswith(f"{table}.")]
        yield from _comment_out(_offer_latin_1(profile, setting) for setting in of_table)


def _offer_latin_1(profile: Profile, setting: Setting) -> Setting:
    """The setting; where the statement has GB18030 for all that is not ASCII, with what most peers read beside it."""
    if setting.key != "device.character_sets" or profile.character_sets != ((), (GB18030,)):
        return setting
    meaning = (
        f"{setting.meaning}. The statement has {GB18030} for all that is not ASCII, for MÜLLER too; peers that do "
        f"not know it read such names with {LATIN_1} before it"
    )
    return replace(setting, meaning=meaning, default=format_toml_value((LATIN_1, GB18030)))


def _comment_out(settings: Iterable[Setting]) -> Iterator[str]:
    for setting in settings:
        meaning = setting.meaning[:1].upper() + setting.meaning[1:]
        yield from wrap(f"{meaning} ({setting.allowed})", initial_indent="# ", subsequent_indent="# ", width=118)
        if setting.default:
            yield f"# {setting.key.rpartition('.')[2]} = {setting.default}"


def _make_application_entity(entity: ApplicationEntity) -> Iterator[str]:
    yield from ("", f"[application_entities.{entity.role}]", f"ae_title = {format_toml_value(entity.ae_title)}")
    if entity.statement_port:
        yield f"# The statement has port {entity.statement_port}; a port below 1024 needs privileges."
    if entity.port:
        yield f"port = {entity.port}"


def _make_peer(profile: Profile, name: str, ae_title: str, port: int, services: tuple[str, ...]) -> Iterator[str]:
    proposed = {entry.service for entry in profile.presentation_contexts if not entry.accepted}
    offered = [service for service in services if proposed & set(_PROFILE_SERVICES.get(service, (service,)))]
    if not set(offered) - {"verification"}:
        return
    yield from (
        "",
        f"[peers.{name}]",
        f"ae_title = {format_toml_value(ae_title)}",
        'host = "127.0.0.1"',
        f"port = {port}",
    )
    yield f"services = {format_toml_value(offered)}"
    if "storage_commitment" in offered:
        yield "# Ask for storage commitment after each send job."
        yield "automatic_commitment = true"


def _make_printer(profile: Profile) -> Iterator[str]:
    """The virtual hospital's printer; what the device always sends has a value."""
    if not any(entry.service == "print" for entry in profile.presentation_contexts):
        return
    yield from ("", "# A film printer: the peer of the same name, and what it takes.", "[printers.printer]")
    needed = {each.rule.keyword for each in profile.print_attributes if each.rule.requirement == "ALWAYS"}
    for setting in list_site_settings():
        table, _, key = setting.key.rpartition(".")
        if table == "printers.NAME" and _ALWAYS_SENT.get(key) in needed:
            yield f"# {setting.meaning[:1].upper()}{setting.meaning[1:]}"
            yield f'{key} = ["NONE"]'
        elif table == "printers.NAME":
            yield from _comment_out([setting])


_ALWAYS_SENT = {"smoothing_types": "SmoothingType", "configuration_information": "ConfigurationInformation"}
"""Settings without a default, and the attributes that some devices send always."""

_PROFILE_SERVICES = {"query_retrieve": ("query", "retrieve")}


def _make_mapping() -> Iterator[str]:
    yield ""
    yield "# Where a worklist attribute goes in images and in the performed procedure step, in place of the default:"
    yield "# [[mapping]]"
    yield '# worklist = "ScheduledProcedureStepSequence>ScheduledProcedureStepDescription"'
    yield '# image = "StudyDescription"'


def _make_parameters(profile: Profile) -> Iterator[str]:
    group = ""
    for setting in sorted(list_parameter_settings(profile), key=lambda setting: setting.key.rpartition(".")[0]):
        table = setting.key.rpartition(".")[0]
        if table != group:
            yield from ("", f"[{table}]")
            group = table
        yield from _comment_out([setting])
