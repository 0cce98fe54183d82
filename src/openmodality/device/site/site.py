"""A device at a site: its profile with the settings of ``site.toml`` put over it.

``load_site`` is the one way in. What the values mean is said in ``docs/site-file.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydicom.uid import UID

from openmodality.device.paths import TagPath
from openmodality.device.profile.parameters import Parameters
from openmodality.device.profile.profile import MappingRule, PresentationContextEntry, Profile
from openmodality.device.site.data_place import data_folder
from openmodality.device.site.judgement import find_failure_kind, make_judge
from openmodality.device.site.printer_settings import PrinterSettings
from openmodality.device.site.setting_types import IncomingService, KeySwitch, PeerService
from openmodality.device.site.site_file import PeerSettings, SiteFile
from openmodality.dimse.verdict import Judge, Verdict, standard_judge
from openmodality.errors import ConfigurationError, OpenModalityError
from openmodality.standard.film import FILM_SIZES_MM
from openmodality.standard.statuses import ServiceName
from openmodality.value_class import dataclass

_PEER_SERVICE: Mapping[ServiceName, PeerService] = {
    "verification": "verification",
    "storage": "storage",
    "storage_commitment": "storage_commitment",
    "query": "query_retrieve",
    "retrieve": "query_retrieve",
    "worklist": "worklist",
    "mpps": "mpps",
    "print": "print",
}


_PAPER: Final = "A4"
"""The usual size of paper."""


def make_printer(name: str, peer: Peer | None, settings: PrinterSettings, parameters: Parameters) -> Printer:
    """A printer by its settings, with the parameters where it has none; paper has the sizes of the standard."""
    sizes = parameters.texts("print.film_sizes") if peer else tuple(sorted(FILM_SIZES_MM, key=_PAPER.__ne__))
    media = parameters.texts("print.medium_types") if peer else ("PAPER",)
    return Printer(
        name=name,
        peer=peer,
        settings=settings,
        parameters=parameters,
        film_sizes=settings.film_sizes or sizes,
        medium_types=settings.medium_types or media,
        min_density=_default_to(settings.min_density, parameters.integer("print.min_density")),
        max_density=_default_to(settings.max_density, parameters.integer("print.max_density")),
    )


def _default_to(value: int | None, default: int) -> int:
    return default if value is None else value


def name_peer_service(service: ServiceName) -> PeerService:
    """How a site file names a service of a profile: query and retrieve are one."""
    return _PEER_SERVICE[service]


@dataclass(frozen=True, slots=True)
class Equipment:
    """The General Equipment module's values (PS3.3 C.7.5.1) and where the device stands."""

    manufacturer: str
    model: str
    serial_number: str
    software_versions: tuple[str, ...]
    station_name: str
    institution_name: str
    institution_address: str
    department: str
    physicians_of_record: str
    location: str
    date_of_last_calibration: str = ""
    time_of_last_calibration: str = ""
    spatial_resolution: str = ""


@dataclass(frozen=True, slots=True)
class LocalEntity:
    """An application entity of this device; one without ``port`` does not listen."""

    role: str
    ae_title: str
    port: int | None
    tls: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """A remote application entity, with the parameters in force towards it.

    ``settings`` is its table of the site file. The other fields are those that have another form here, or depend on the
    rest of the site.
    """

    name: str
    settings: PeerSettings
    services: frozenset[PeerService]
    incoming: frozenset[IncomingService]
    sop_classes: frozenset[UID]
    max_associations: int | None
    assumed_character_set: tuple[str, ...]
    tls: bool
    transfer_syntaxes: tuple[UID, ...]
    worklist_keys: Mapping[TagPath, KeySwitch]
    parameters: Parameters

    @property
    def ae_title(self) -> str:
        """The AE title of the peer."""
        return self.settings.ae_title

    @property
    def host(self) -> str:
        """Its host name or IP address."""
        return self.settings.host

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self.settings.port

    @property
    def is_web(self) -> bool:
        """Whether it is reached over DICOMweb, and not by associations."""
        return bool(self.settings.url)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.settings.url or f"{self.host}:{self.port}"

    def offers(self, service: ServiceName) -> bool:
        """Whether this device asks the service from the peer."""
        return name_peer_service(service) in self.services

    def may_ask(self, service: ServiceName) -> bool:
        """Whether the peer may ask the service from this device."""
        return name_peer_service(service) in self.incoming

    def negotiates(self, entry: PresentationContextEntry) -> bool:
        """Whether the SOP class is one of those chosen for this peer; Verification always is (MR-3.1.1-06)."""
        if entry.service == "verification":
            return True
        keyword = entry.sop_class_uid.keyword
        other_root = {"study": "PatientRoot", "patient": "StudyRoot"}[self.settings.query_model]
        other_print = {"grayscale": "BasicColor", "color": "BasicGrayscale"}[self.settings.print_color]
        if not entry.accepted and keyword.startswith((other_root, other_print)):
            return False
        return not self.sop_classes or entry.sop_class_uid in self.sop_classes

    def transfer_syntaxes_for(self, service: ServiceName) -> tuple[UID, ...]:
        """The transfer syntaxes to propose, the preferred one first; empty where only the profile limits them."""
        key = f"{service}.transfer_syntaxes"
        return self.transfer_syntaxes or (self.parameters.uids(key) if key in self.parameters else ())


@dataclass(frozen=True, slots=True)
class Printer:
    """A film printer: the peer that it is, its table of the site file, and what comes from the parameters instead.

    ``peer`` is ``None`` for one outside DICOM; ``parameters`` are those in force towards the peer, else the
    device's.
    """

    name: str
    peer: Peer | None
    settings: PrinterSettings
    parameters: Parameters
    film_sizes: tuple[str, ...]
    medium_types: tuple[str, ...]
    min_density: int
    max_density: int

    @property
    def is_color(self) -> bool:
        """Whether it prints under Basic Color Print Management."""
        return self.peer is not None and self.peer.settings.print_color == "color"


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is configured. ``settings`` holds the file as it was written."""

    path: Path
    profile: Profile
    settings: SiteFile
    equipment: Equipment
    parameters: Parameters
    application_entities: Mapping[str, LocalEntity]
    peers: Mapping[str, Peer]
    printers: Mapping[str, Printer]
    mapping: tuple[MappingRule, ...]
    character_sets: tuple[tuple[str, ...], ...]
    acceptor_transfer_syntaxes: tuple[UID, ...]

    @property
    def folder(self) -> Path:
        """The site file's folder, from which relative paths in it start."""
        return self.path.parent

    @property
    def data_folder(self) -> Path:
        """Where instances and the database are."""
        return data_folder(self.path, self.settings.data.folder)

    def peer(self, name: str) -> Peer:
        """The peer of this name. Raises :class:`ConfigurationError` where there is none."""
        if name not in self.peers:
            known = ", ".join(self.peers) or "none"
            raise ConfigurationError(f"{self.path} has no peer {name!r}; its peers are: {known}")
        return self.peers[name]

    def check_name(self, name: str) -> None:
        """Raises :class:`ConfigurationError` where neither a peer nor a printer has this name."""
        if name not in self.printers:
            self.peer(name)

    def printer(self, name: str = "") -> Printer:
        """The printer of this name, or the peer of this name as a printer; without a name the first one.

        Raises :class:`ConfigurationError` where there is none.
        """
        if not name and self.printers:
            return next(iter(self.printers.values()))
        if name in self.printers:
            return self.printers[name]
        if name and not (name in self.peers and self.peers[name].offers("print")):
            known = ", ".join(dict.fromkeys((*self.printers, *(peer.name for peer in self.peers_for("print")))))
            wrong = f": peer {name!r} has no service print" if name in self.peers else f" has no peer {name!r}"
            raise ConfigurationError(f"{self.path}{wrong}; its printers are: {known or 'none'}")
        peer = self.choose_peer("print", name or None)
        return make_printer(peer.name, peer, PrinterSettings(), peer.parameters)

    @property
    def automatic_printers(self) -> tuple[Printer, ...]:
        """The printers that print each exam which is completed (RF-4.1.1-11)."""
        return tuple(printer for printer in self.printers.values() if printer.settings.automatic)

    def peers_for(self, service: ServiceName) -> tuple[Peer, ...]:
        """The peers from which this device asks a service, in the order of the file."""
        return tuple(peer for peer in self.peers.values() if peer.offers(service))

    def choose_peer(self, service: ServiceName, name: str | None = None) -> Peer:
        """The peer of this name, by default the first from which this device asks the service.

        Raises :class:`ConfigurationError` where there is none.
        """
        if name is not None:
            return self.peer(name)
        found = self.peers_for(service)
        if not found:
            raise ConfigurationError(f"{self.path} has no peer with the service {name_peer_service(service)}")
        return found[0]

    def find_titled_peers(self, ae_title: str) -> tuple[Peer, ...]:
        """The peers of this AE title; blanks at its ends have no meaning (PS3.5 6.2)."""
        return tuple(peer for peer in self.peers.values() if peer.ae_title and peer.ae_title == ae_title.strip())

    def is_enabled(self, entry: PresentationContextEntry) -> bool:
        """Whether one of the switches that the entry depends on is on; an entry without switches always is."""
        return not entry.enabled_by or any(self.parameters.boolean(key) for key in entry.enabled_by)

    def list_proposed(self, service: ServiceName, peer: Peer | None = None) -> tuple[PresentationContextEntry, ...]:
        """What this device proposes as requestor for a service: of the profile, what switches and peer allow."""
        return tuple(
            entry
            for entry in self.profile.presentation_contexts
            if entry.service == service
            and not entry.accepted
            and self.is_enabled(entry)
            and (peer is None or peer.negotiates(entry))
        )

    def list_accepted(self, role: str, peer: Peer | None = None) -> tuple[PresentationContextEntry, ...]:
        """What the local AE of a role accepts as acceptor; from a peer, only what this peer may ask."""
        return tuple(
            entry
            for entry in self.profile.presentation_contexts
            if entry.ae == role
            and entry.accepted
            and self.is_enabled(entry)
            and (peer is None or (peer.may_ask(entry.service) and peer.negotiates(entry)))
        )

    def calling_ae(self, service: ServiceName) -> LocalEntity:
        """The local AE that asks for a service. Raises :class:`ConfigurationError` where the device does not use it."""
        for entry in self.profile.presentation_contexts:
            if entry.service == service and not entry.accepted:
                return self.application_entities[entry.ae]
        raise ConfigurationError(f"profile {self.profile.name} does not use the service {service}")

    def calling_ae_title(self, service: ServiceName, peer: Peer) -> str:
        """The AE title with which this device calls the peer."""
        return peer.settings.calling_ae_title or self.calling_ae(service).ae_title

    def judge(self, service: ServiceName, operation: str, status: int, peer: Peer | None = None) -> Verdict:
        """The verdict on a status of ``peer``: what to do with the instance, the job and the association.

        The profile's table says it, then the site's switches, then what the site file has under the peer's statuses.
        A status that the profile does not list is judged by the standard.
        """
        return self.judge_of(service, operation, peer)(status)

    def is_transient(self, service: ServiceName, error: OpenModalityError) -> bool | None:
        """Whether a job may succeed later after this error; None for errors that the profile does not list."""
        kind = find_failure_kind(error)
        rules = (rule for rule in self.profile.failures if (rule.service, rule.failure) == (service, kind))
        return next((rule.transient for rule in rules), None)

    def judge_of(
        self, service: ServiceName, operation: str, peer: Peer | None = None, *, is_repeat: bool = False
    ) -> Judge:
        """A function that judges as :meth:`judge` does, for many statuses of one operation; it remembers its verdicts.

        ``is_repeat`` is for a request that went out before and whose answer was lost: the rows of the operation with
        ``repeated`` behind it then go first.
        """
        rules = self.profile.statuses_of(service, operation)
        if is_repeat:
            rules |= self.profile.statuses_of(service, f"{operation} repeated")
        parameters = peer.parameters if peer else self.parameters
        # A peer gives its statuses another meaning; the number of an event is no status.
        overrides = peer.settings.statuses if peer and not operation.endswith(" event") else {}
        by_standard = standard_judge(service, operation)
        return make_judge(rules, parameters, overrides, by_standard, abort_switch=f"{service}.abort_on_failure")
