"""Reads ``site.toml``: the settings are checked by their models, then against the profile, then put over it.

Every error is a ConfigurationError that names file, line and key, and what is allowed there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, NoReturn

from pydicom.uid import UID

from openmodality.device.charsets import find_lone
from openmodality.device.mapping import describe_misfit
from openmodality.device.paths import TagPath, parse_path
from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.profile.parameters import SYNTAXES_BY_KEYWORD, Parameters, ParameterValue
from openmodality.device.profile.profile import MappingRule, Profile
from openmodality.device.profile.tables import is_file
from openmodality.device.site.printer_settings import PrinterSettings
from openmodality.device.site.printers import find_misfits
from openmodality.device.site.setting_types import IncomingService, KeySwitch, ParameterTables
from openmodality.device.site.site import Equipment, LocalEntity, Peer, Printer, Site, make_printer, name_peer_service
from openmodality.device.site.site_file import ApplicationEntitySettings, DeviceSettings, PeerSettings, SiteFile
from openmodality.device.toml_file import Location, list_key_lines, name_place, read_model
from openmodality.errors import ConfigurationError
from openmodality.standard.sop_classes import PRESENTATION_LUT

SITE_FILE: Final = "site.toml"
"""Its name where only the folder is given."""


def load_site(path: str | Path) -> Site:
    """The site of this file, or of ``site.toml`` in this folder, with its profile loaded."""
    given = Path(path)
    file = given / SITE_FILE if given.is_dir() else given
    return make_site(file, read_site_text(file))


def make_site(file: Path, text: str) -> Site:
    """The site that ``text`` makes as this file, which need not hold it yet."""
    settings = read_model(SiteFile, text, str(file))
    return _Resolver(file, settings, list_key_lines(text)).make_site()


def load_default_site(profile: str) -> Site:
    """The device of a profile (its name or its folder) where no site file says anything: all defaults, no peers."""
    settings = SiteFile(profile=profile)
    return _Resolver(Path(SITE_FILE), settings, {}).make_site()


def read_site_text(file: Path) -> str:
    """What a site file says. Raises :class:`ConfigurationError` where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{file} does not exist: openmodality init makes one") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{str(file)!r} cannot be read: {error}") from error


class _Resolver:
    """Puts the settings of one file over its profile; remembers where each key stands."""

    def __init__(self, file: Path, settings: SiteFile, lines: Mapping[Location, int]) -> None:
        self._file = file
        self._settings = settings
        self._lines = lines
        self._profile = self._load_profile()

    def make_site(self) -> Site:
        settings, profile = self._settings, self._profile
        parameters = self._read_parameters(
            {key: item.default for key, item in profile.parameters.items()}, ("parameters",), settings.parameters
        )
        self._check_tls()
        peers = {name: self._make_peer(name, peer, parameters) for name, peer in settings.peers.items()}
        site = Site(
            path=self._file,
            profile=profile,
            settings=settings,
            equipment=_make_equipment(settings.device, profile),
            parameters=parameters,
            application_entities=self._make_entities(),
            peers=peers,
            printers={
                name: self._make_printer(name, printer, peers, parameters)
                for name, printer in settings.printers.items()
            },
            mapping=self._read_mapping(),
            character_sets=self._read_character_sets() or profile.character_sets,
            acceptor_transfer_syntaxes=_find_uids(settings.network.transfer_syntaxes)
            or profile.acceptor_transfer_syntaxes,
        )
        for name, peer in site.peers.items():
            self._check_services(name, peer)
        return site

    def _read_character_sets(self) -> tuple[tuple[str, ...], ...]:
        """Those that the site sets, which may go beyond the profile's table; empty where it sets none."""
        found = tuple(_split_terms(terms) for terms in self._settings.device.character_sets)
        for index, terms in enumerate(found):
            if term := find_lone(terms, self._profile.charsets):
                self._refuse(("device", "character_sets", index), f": {term} is for text without other terms beside it")
        return found

    def _check_services(self, name: str, peer: Peer) -> None:
        """Each service asked from a peer must be one of the device, with a SOP class left for this peer."""
        if peer.is_web:
            self._check_web_peer(name, peer)
        used = [entry for entry in self._profile.presentation_contexts if not entry.accepted]
        for service in sorted(peer.services):
            entries = [entry for entry in used if name_peer_service(entry.service) == service]
            location: Location = ("peers", name, "services")
            if not entries:
                self._refuse(location, f": profile {self._profile.name} does not use {service}")
            if not any(peer.negotiates(entry) and entry.sop_class_uid != PRESENTATION_LUT for entry in entries):
                self._refuse(location, f": sop_classes, query_model and print_color leave nothing for {service}")

    def _check_web_peer(self, name: str, peer: Peer) -> None:
        """A peer of DICOMweb takes instances, and nothing else."""
        if others := sorted(peer.services - {"storage"}):
            self._refuse(
                ("peers", name, "services"), f": a peer with url takes storage only, and not {', '.join(others)}"
            )
        if peer.settings.automatic_commitment:
            self._refuse(("peers", name, "automatic_commitment"), ": DICOMweb has no storage commitment")
        if peer.settings.incoming:
            self._refuse(("peers", name, "incoming"), ": a peer with url opens no associations")
        for key in ("password_file", "token_file"):
            file = getattr(peer.settings, key)
            if file and not is_file(self._file.parent / file):
                self._refuse(("peers", name, key), f": there is no file {self._file.parent / file}")

    def _refuse(self, location: Location, problem: str) -> NoReturn:
        raise ConfigurationError(f"{name_place(location, self._lines, str(self._file))}{problem}")

    def _load_profile(self) -> Profile:
        name = self._settings.profile
        if name in list_profile_names():
            return load_profile(name)
        folder = self._file.parent / name
        if not is_file(folder / "profile.toml"):
            known = ", ".join(list_profile_names())
            self._refuse(("profile",), f": there is no profile {name!r}: use {known}, or a folder with a profile.toml")
        return load_profile(folder)

    def _read_parameters(
        self, base: Mapping[str, ParameterValue], where: Location, tables: ParameterTables
    ) -> Parameters:
        """``base`` with the values of the file put over it, each checked by its row in the profile."""
        values = dict(base)
        for group, table in tables.items():
            for name, value in table.items():
                values[f"{group}.{name}"] = self._read_parameter(f"{group}.{name}", value, (*where, group, name))
        return Parameters(values)

    def _read_parameter(self, key: str, value: object, location: Location) -> ParameterValue:
        parameter = self._profile.parameters.get(key)
        if parameter is None:
            hint = _suggest_closest(key, self._profile.parameters)
            self._refuse(location, f" is no parameter of profile {self._profile.name}{hint}")
        try:
            checked = parameter.check(value)
        except ValueError as error:
            self._refuse(location, f": {error}")
        if not parameter.configurable and checked != parameter.default:
            self._refuse(location, f" is {parameter.default} on this device and cannot be changed")
        return checked

    def _make_entities(self) -> dict[str, LocalEntity]:
        roles = [entity.role for entity in self._profile.application_entities]
        for role in self._settings.application_entities:
            if role not in roles:
                self._refuse(("application_entities", role), f" is no role of the profile: {', '.join(roles)}")
        entities = {}
        for entity in self._profile.application_entities:
            chosen = self._settings.application_entities.get(entity.role, ApplicationEntitySettings())
            entities[entity.role] = LocalEntity(
                role=entity.role,
                ae_title=chosen.ae_title or entity.ae_title,
                port=chosen.port or entity.port,
                tls=self._uses_tls(chosen.tls),
            )
        self._check_ports(entities.values())
        return entities

    def _check_ports(self, entities: Iterable[LocalEntity]) -> None:
        taken: dict[int, str] = {}
        for entity in entities:
            if entity.port in taken:
                location = ("application_entities", entity.role, "port")
                self._refuse(location, f": port {entity.port} is taken by {taken[entity.port]}")
            if entity.port is not None:
                taken[entity.port] = entity.role

    def _uses_tls(self, choice: bool | None) -> bool:
        return self._settings.tls.enabled if choice is None else choice

    def _check_tls(self) -> None:
        """Where TLS is used anywhere, its files must be there."""
        settings = self._settings
        entities = [entity.tls for entity in settings.application_entities.values()]
        peers = [peer.tls for peer in settings.peers.values()]
        audit = settings.audit.enabled and settings.audit.transport == "tls"
        if not any((settings.tls.enabled, audit, *entities, *peers)):
            return
        if settings.tls.passphrase_file and settings.tls.passphrase_credential:
            self._refuse(("tls", "passphrase_credential"), " and passphrase_file are two places of one passphrase")
        required = ("certificate", "private_key", "ca_certificates")
        for name in (*required, "passphrase_file", "revocation_lists"):
            file = getattr(settings.tls, name)
            if not file and name in required:
                self._refuse(("tls", name), " is missing: TLS is used, so it needs a PEM file")
            if file and not is_file(self._file.parent / file):
                self._refuse(("tls", name), f": there is no file {self._file.parent / file}")

    def _make_peer(self, name: str, settings: PeerSettings, parameters: Parameters) -> Peer:
        return Peer(
            name=name,
            settings=settings,
            services=frozenset(settings.services),
            incoming=_list_incoming(settings),
            sop_classes=frozenset(UID(uid) for uid in settings.sop_classes),
            max_associations=settings.max_associations or None,
            assumed_character_set=_split_terms(settings.assumed_character_set),
            tls=not settings.url and self._uses_tls(settings.tls),
            transfer_syntaxes=_find_uids(settings.transfer_syntaxes),
            worklist_keys=self._read_worklist_keys(name, settings),
            parameters=self._read_parameters(parameters, ("peers", name, "parameters"), settings.parameters),
        )

    def _make_printer(
        self, name: str, settings: PrinterSettings, peers: Mapping[str, Peer], parameters: Parameters
    ) -> Printer:
        location: Location = ("printers", name)
        peer = self._find_printer_peer(name, settings, peers) if settings.kind == "dicom" else None
        if peer is None and settings.peer:
            self._refuse((*location, "peer"), f": a printer of kind {settings.kind} has no peer")
        if settings.kind == "pdf" and not settings.folder:
            self._refuse((*location, "kind"), ": a printer of kind pdf needs a folder")
        printer = make_printer(name, peer, settings, peer.parameters if peer else parameters)
        for setting, problem in find_misfits(printer, self._profile):
            self._refuse((*location, setting), f": {problem}")
        return printer

    def _find_printer_peer(self, name: str, settings: PrinterSettings, peers: Mapping[str, Peer]) -> Peer:
        location: Location = ("printers", name, "peer")
        peer = peers.get(settings.peer or name)
        if peer is None:
            self._refuse(location, f": there is no peer {settings.peer or name!r}: {', '.join(peers)}")
        if not peer.offers("print"):
            self._refuse(location, f": peer {peer.name} has no service print")
        return peer

    def _read_worklist_keys(self, name: str, settings: PeerSettings) -> dict[TagPath, KeySwitch]:
        known = {key.path for key in self._profile.worklist_keys}
        switches: dict[TagPath, KeySwitch] = {}
        for text, switch in settings.worklist_keys.items():
            location = ("peers", name, "worklist_keys", text)
            path = self._read_path(text, location)
            if path not in known:
                self._refuse(location, " is no worklist key of the profile")
            switches[path] = switch
        return switches

    def _read_path(self, text: str, location: Location) -> TagPath:
        try:
            return parse_path(text)
        except ValueError as error:
            self._refuse(location, f": {error}")

    def _read_mapping(self) -> tuple[MappingRule, ...]:
        """The site's rules, then those of the profile; a target that the site names is taken from the profile's."""
        rules = [self._read_mapping_rule(index) for index in range(len(self._settings.mapping))]
        images, steps = {rule.image for _, rule in rules}, {rule.mpps for _, rule in rules}
        kept = (
            MappingRule(
                rule.worklist,
                None if rule.image in images else rule.image,
                None if rule.mpps in steps else rule.mpps,
            )
            for rule in self._profile.mapping
        )
        own = tuple(rule for has_source, rule in rules if has_source)
        return (*own, *(rule for rule in kept if rule.image or rule.mpps))

    def _read_mapping_rule(self, index: int) -> tuple[bool, MappingRule]:
        """Whether the site's rule has a source, and the rule."""
        settings = self._settings.mapping[index]

        def read_column(column: str) -> TagPath | None:
            text: str = getattr(settings, column)
            return self._read_path(text, ("mapping", index, column)) if text else None

        worklist = read_column("worklist")
        rule = MappingRule(worklist or (), read_column("image"), read_column("mpps"))
        if worklist and (problem := describe_misfit(rule)):
            self._refuse(("mapping", index), f": {problem}")
        return worklist is not None, rule


def _make_equipment(device: DeviceSettings, profile: Profile) -> Equipment:
    return Equipment(
        manufacturer=device.manufacturer,
        model=device.model or profile.title[:64],
        serial_number=device.serial_number,
        software_versions=device.software_versions or (_read_own_version(),),
        station_name=device.station_name,
        institution_name=device.institution_name,
        institution_address=device.institution_address,
        physicians_of_record=device.physicians_of_record,
        department=device.department,
        location=device.location,
        date_of_last_calibration=device.date_of_last_calibration,
        time_of_last_calibration=device.time_of_last_calibration,
        spatial_resolution=device.spatial_resolution,
    )


@cache
def _read_own_version() -> str:
    """To read what was installed takes as long as all else of a site."""
    try:
        return version("openmodality")
    except PackageNotFoundError:
        return "not installed"


def _list_incoming(settings: PeerSettings) -> frozenset[IncomingService]:
    if settings.url:
        return frozenset()
    if settings.incoming is not None:
        return frozenset({*settings.incoming, "verification"})
    needed: dict[str, IncomingService] = {"storage_commitment": "storage_commitment", "query_retrieve": "storage"}
    return frozenset({"verification", *(needed[service] for service in settings.services if service in needed)})


def _split_terms(text: str) -> tuple[str, ...]:
    return tuple(text.split("\\")) if text else ()


def _find_uids(names: Iterable[str]) -> tuple[UID, ...]:
    return tuple(SYNTAXES_BY_KEYWORD[name] for name in names)


def _suggest_closest(wrong: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
