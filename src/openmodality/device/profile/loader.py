"""Reads and checks a profile folder: ``load_profile("mr")`` or ``load_profile("path/to/my-device")``.

A profile may say ``extends = "base"``. Then a table that it lacks is taken from the base, and its own parameters
replace those of the base by key. So a small device is a small folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from pydicom.uid import UID

from openmodality.device.charsets import find_lone, find_unsupported
from openmodality.device.profile import rows
from openmodality.device.profile.completeness import find_gaps
from openmodality.device.profile.parameters import SYNTAXES_BY_KEYWORD, Parameter
from openmodality.device.profile.profile import (
    ApplicationEntity,
    AttributeRule,
    BodyPart,
    InformationObject,
    ModuleUse,
    PresentationContextEntry,
    Profile,
    StatusRule,
)
from openmodality.device.profile.profile_file import ProfileFile
from openmodality.device.profile.row_readers import SITUATIONS, ModuleAttribute
from openmodality.device.profile.rows import Table
from openmodality.device.profile.tables import is_file, read_table
from openmodality.device.toml_file import read_model
from openmodality.errors import ConfigurationError
from openmodality.upper_layer.rejections import Rejections

_T = TypeVar("_T")
EXTENSION_SWITCH: Final = "extensions."
"""Before what a site file has under ``extensions``, among the switches of parameters."""
_log = logging.getLogger(__name__)


class _Folder(NamedTuple):
    """A folder of profile files, and how errors name it."""

    files: Traversable
    shown: str

    def file(self, name: str) -> tuple[Traversable, str]:
        return self.files / name, f"{self.shown}/{name}"


def list_profile_names() -> tuple[str, ...]:
    """The profiles that come with OpenModality."""
    packaged = files("openmodality") / "profiles"
    return tuple(sorted(entry.name for entry in packaged.iterdir() if (entry / "profile.toml").is_file()))


def load_profile(name_or_path: str | Path) -> Profile:
    """The profile of this name, or in this folder.

    Raises :class:`ConfigurationError` where there is a mistake; it names file, line, column and what is allowed.
    """
    if isinstance(name_or_path, str) and name_or_path in list_profile_names():
        return _load_packaged(name_or_path)
    folder = _find_folder(Path(name_or_path))
    profile = _load(folder)
    _warn_of_gaps(profile, folder.shown)
    return profile


def _warn_of_gaps(profile: Profile, shown: str) -> None:
    """Say in the log that instances would lack what PS3.3 makes mandatory."""
    gaps = find_gaps(profile)
    if gaps:
        count = sum(len(gap.attributes) for gap in gaps)
        _log.warning(
            "profile.incomplete",
            extra={
                "place": shown,
                "attributes": f"{count} mandatory ones are missing, such as {gaps[0].attributes[0][0]}",
                "reason": f"openmodality profile check {shown} lists them",
            },
        )


@cache  # what comes with the product does not change while a process runs
def _load_packaged(name: str) -> Profile:
    return _load(_find_packaged(name))


def _load(folder: _Folder) -> Profile:
    header = _read_header(folder)
    return _Reader(_chain(folder, header)).profile(header)


def _find_folder(folder: Path) -> _Folder:
    if not is_file(folder / "profile.toml"):
        known = ", ".join(list_profile_names())
        raise ConfigurationError(f"there is no profile {str(folder)!r}: use {known}, or a folder with a profile.toml")
    return _Folder(folder, str(folder))


def _find_packaged(name: str) -> _Folder:
    return _Folder(files("openmodality") / "profiles" / name, f"profiles/{name}")


def _read_header(folder: _Folder) -> ProfileFile:
    file, shown = folder.file("profile.toml")
    try:
        return read_model(ProfileFile, file.read_text(encoding="utf-8"), shown)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{shown}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ConfigurationError(f"{shown}: cannot be read: {error.strerror}") from error


def _chain(folder: _Folder, header: ProfileFile) -> tuple[_Folder, ...]:
    return (folder, _find_packaged("base")) if header.extends == "base" else (folder,)


class _Reader:
    """Reads the tables of one profile, the folder's own before the base's."""

    def __init__(self, folders: Sequence[_Folder]) -> None:
        self._folders = folders

    def profile(self, header: ProfileFile) -> Profile:
        module_uses, body_parts = self._table(rows.IODS), self._table(rows.BODY_PARTS)
        profile = Profile(
            name=header.name,
            title=header.title,
            statement=header.statement,
            application=header.application,
            modalities=header.modalities,
            implementation_class_uid=header.implementation_class_uid,
            implementation_version_name=header.implementation_version_name,
            equipment_examples=header.equipment_examples,
            character_sets=tuple(tuple(terms.split("\\")) if terms else () for terms in header.character_sets),
            acceptor_transfer_syntaxes=tuple(SYNTAXES_BY_KEYWORD[name] for name in header.acceptor_transfer_syntaxes),
            application_entities=tuple(
                ApplicationEntity(entity.role, entity.ae_title, entity.port, entity.statement_port)
                for entity in header.application_entities
            ),
            objects=tuple(InformationObject(item.name, UID(item.sop_class), item.modality) for item in header.objects),
            parameters=self._parameters(),
            setting_sections=dict(self._table(rows.SETTING_SECTIONS)),
            presentation_contexts=self._table(rows.PRESENTATION_CONTEXTS),
            worklist_keys=self._table(rows.WORKLIST_KEYS),
            query_keys=self._table(rows.QUERY_KEYS),
            mpps_attributes=self._table(rows.MPPS_ATTRIBUTES),
            module_uses=module_uses,
            attribute_rules=_attribute_rules(
                module_uses,
                [_add_body_parts(attribute, body_parts) for attribute in self._table(rows.ATTRIBUTES)],
            ),
            mapping=self._table(rows.MAPPING),
            statuses=self._statuses(),
            failures=self._table(rows.FAILURES),
            answers=self._table(rows.ANSWERS),
            beyond_statement=self._table(rows.BEYOND_STATEMENT),
            rejections=dict(self._table(rows.REJECTIONS)),
            charsets=self._table(rows.CHARSETS),
            charset_attributes=self._table(rows.CHARSET_ATTRIBUTES),
            body_parts=body_parts,
            private_attributes=self._table(rows.PRIVATE_DICTIONARY),
            media=self._table(rows.MEDIA),
            print_attributes=self._table(rows.PRINT_ATTRIBUTES),
            cipher_suites=self._table(rows.CIPHER_SUITES),
        )
        _check_references(profile, self._folders[0].shown)
        return profile

    def _table(self, table: Table[_T]) -> tuple[_T, ...]:
        """The table of the first folder that has it; empty where none has."""
        for folder in self._folders:
            file, shown = folder.file(table.file)
            if is_file(file):
                return tuple(table.read(row) for row in read_table(file, shown, table.columns))
        return ()

    def _statuses(self) -> tuple[StatusRule, ...]:
        """Those of ``base`` with the profile's own put over them."""
        merged: dict[tuple[str, str, str], StatusRule] = {}
        for folder in reversed(self._folders):
            file, shown = folder.file(rows.STATUSES.file)
            if is_file(file):
                read = [rows.STATUSES.read(row) for row in read_table(file, shown, rows.STATUSES.columns)]
                merged |= {(rule.service, rule.operation, rule.code): rule for rule in read}
        return tuple(merged.values())

    def _parameters(self) -> Mapping[str, Parameter]:
        merged: dict[str, Parameter] = {}
        for folder in reversed(self._folders):
            file, shown = folder.file(rows.PARAMETERS.file)
            if is_file(file):
                merged |= _unique(
                    shown, [rows.PARAMETERS.read(row) for row in read_table(file, shown, rows.PARAMETERS.columns)]
                )
        return merged


def _unique(shown: str, parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for parameter in parameters:
        if parameter.key in found:
            raise ConfigurationError(f"{shown}: key {parameter.key} stands there twice")
        found[parameter.key] = parameter
    return found


def _attribute_rules(uses: Sequence[ModuleUse], attributes: Sequence[ModuleAttribute]) -> tuple[AttributeRule, ...]:
    """The attributes of each module that an object really has."""
    by_module: dict[str, list[ModuleAttribute]] = {}
    for attribute in attributes:
        by_module.setdefault(attribute.rule.module, []).append(attribute)
    return tuple(
        replace(attribute.rule, object=use.object, ie=use.ie, usage=use.usage)
        for use in uses
        if use.presence != "EMPTY"
        for attribute in by_module.get(use.module, ())
        if not attribute.objects or use.object in attribute.objects
    )


def _add_body_parts(attribute: ModuleAttribute, body_parts: Sequence[BodyPart]) -> ModuleAttribute:
    """The attribute with the terms that the device offers where its cell names their table."""
    if attribute.rule.values != (rows.BODY_PARTS.file,):
        return attribute
    offered = tuple(part.term for part in body_parts if part.offered)
    return replace(attribute, rule=replace(attribute.rule, values=offered))


def _check_references(profile: Profile, shown: str) -> None:
    """What one table says about another must exist there."""
    _check_contexts(profile.presentation_contexts, profile, shown)
    _check_statuses(profile.statuses, profile, shown)
    _check_rejections(profile.rejections, shown)
    _check_character_sets(profile, shown)
    for each in profile.beyond_statement:
        if each.enabled_by and not each.enabled_by.startswith(EXTENSION_SWITCH):
            _check_switch(each.enabled_by, profile, f"{shown}/beyond_statement.csv: enabled_by")
    for use in profile.media:
        if use.enabled_by:
            _check_switch(use.enabled_by, profile, f"{shown}/media.csv: enabled_by")
    objects = {item.name for item in profile.objects}
    if unknown := sorted({use.object for use in profile.module_uses} - objects):
        raise ConfigurationError(f"{shown}/iods.csv: object {unknown[0]!r} is not among the objects of profile.toml")


def _check_contexts(contexts: Sequence[PresentationContextEntry], profile: Profile, shown: str) -> None:
    roles = {entity.role for entity in profile.application_entities}
    for context in contexts:
        if context.ae not in roles:
            known = ", ".join(sorted(roles))
            raise ConfigurationError(f"{shown}/presentation_contexts.csv: ae {context.ae!r} is not a role: {known}")
        for switch in context.enabled_by:
            _check_switch(switch, profile, f"{shown}/presentation_contexts.csv: enabled_by")


def _check_statuses(statuses: Sequence[StatusRule], profile: Profile, shown: str) -> None:
    for status in statuses:
        if status.success_if:
            _check_switch(status.success_if, profile, f"{shown}/statuses.csv: success_if")


def _check_character_sets(profile: Profile, shown: str) -> None:
    for terms in profile.character_sets:
        if term := find_unsupported(terms, profile.charsets) or find_lone(terms, profile.charsets):
            raise ConfigurationError(f"{shown}/profile.toml: character_sets: {term} is not so in charsets.csv")


def _check_switch(key: str, profile: Profile, where: str) -> None:
    parameter = profile.parameters.get(key)
    if parameter is None or parameter.kind != "boolean":
        raise ConfigurationError(f"{where} {key!r} is not a parameter of kind boolean")


def _check_rejections(rejections: Rejections, shown: str) -> None:
    if missing := [situation for situation in SITUATIONS if situation not in rejections]:
        raise ConfigurationError(f"{shown}/rejections.csv: situation {missing[0]} is missing")
