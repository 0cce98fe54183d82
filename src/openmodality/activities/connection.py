"""Opens associations from this device to its peers as the site file says: titles, limits, time-outs, syntaxes, TLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from openmodality.activities.ends import Ends
from openmodality.activities.traffic import Traffic
from openmodality.activities.turns import Turns
from openmodality.audit.events import Partner, tell_query
from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import PresentationContextEntry
from openmodality.device.site.association_limits import count_turns, find_identity
from openmodality.device.site.site import Peer, Site
from openmodality.dimse import service as dimse
from openmodality.dimse.channel import FOREVER
from openmodality.dimse.data_set import encode_data_set
from openmodality.errors import ConfigurationError, NoPresentationContext, NotTrusted, OpenModalityError
from openmodality.jobs.job import Job
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.standard.statuses import ServiceName
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal

if TYPE_CHECKING:
    from pydicom import Dataset

    from openmodality.activities.audit import AuditTrail
    from openmodality.network.entity import ContextNow


class Connector:
    """Opens associations for the activities of one site; ``tls`` is for peers that are reached under TLS.

    ``trail`` is the audit trail, which activities tell of what they do with a peer.
    """

    def __init__(self, site: Site, tls: ContextNow | None = None, trail: AuditTrail | None = None) -> None:
        self.site = site
        self.trail = trail
        self.traffic = Traffic()
        self._tls = tls
        self._turns = Turns(site.data_folder, {role: count_turns(site, role) for role in site.application_entities})

    def close(self) -> None:
        """End all waits for a turn."""
        self._turns.close()

    def get_peer_of(self, job: Job) -> Peer:
        """The peer of a job. Raises :class:`ConfigurationError` where the site file does not have it any more."""
        if job.destination not in self.site.peers:
            raise ConfigurationError(
                f"{self.site.path.name} has no peer {job.destination!r} any more;"
                f" openmodality jobs retry {job.id} --peer NAME gives the job to another"
            )
        return self.site.peers[job.destination]

    @contextmanager
    def take_turn(self, service: ServiceName) -> Iterator[None]:
        """Keep the local AE of a service for one activity, or as many at a time as ``count_turns`` says.

        Both statements allow one association at a time (RF-4.2.1.2.2-01, MR-3.1.2-01).
        """
        with self._turns.wait(self.site.calling_ae(service).role):
            yield

    def await_turn(self, service: ServiceName, wait_s: float) -> AbstractContextManager[bool]:
        """As :meth:`take_turn`, for a limited time: gives whether the local AE was free within it."""
        return self._turns.wait(self.site.calling_ae(service).role, wait_s)

    def open(
        self,
        service: ServiceName,
        peer: Peer,
        proposals: Sequence[ContextProposal] | None = None,
        services: Sequence[dimse.Service] = (),
    ) -> Association:
        """An association for ``service``; ``proposals`` are by default all that the profile has for it.

        Raises what :func:`openmodality.network.requestor.associate` raises, and :class:`ConfigurationError` where the
        device does not use this service with this peer.
        """
        wanted = self.list_proposals(service, peer) if proposals is None else proposals
        if not wanted:
            raise NoPresentationContext(f"this device proposes nothing for {service} to {peer.name}")
        try:
            association = associate(self.make_remote(peer), self.make_local(service, peer), wanted, services)
        except OpenModalityError as error:
            self._note_no_association(peer, error)
            raise
        self.traffic.note_opened(service, peer.name, association)
        return association

    def _note_no_association(self, peer: Peer, error: OpenModalityError) -> None:
        self.traffic.note_failed(peer.name, error)
        self.note_failure(peer, error)

    def note_failure(self, peer: Peer, error: OpenModalityError) -> None:
        """Put on record that a peer and this device do not trust each other, if ``error`` says so."""
        if self.trail is not None and isinstance(error, NotTrusted):
            self.trail.tell_untrusted(f"{peer.host}:{peer.port}", error.message)

    def make_partner(self, service: ServiceName, peer: Peer) -> Partner:
        """A peer as the audit trail names it: by its AE title, or its URL where it has none."""
        if peer.is_web:
            return Partner(peer.settings.url, peer.host, is_entity=False)
        return Partner(peer.ae_title, peer.host, self.site.calling_ae_title(service, peer))

    def note_query(self, service: ServiceName, peer: Peer, sop_class_uid: str, asked: Dataset) -> None:
        """Put on record what a peer is about to be asked."""
        if self.trail is not None:
            partner = self.make_partner(service, peer)
            encoded = encode_data_set(asked, EXPLICIT_VR_LITTLE_ENDIAN)
            who, syntax = self.trail.who, EXPLICIT_VR_LITTLE_ENDIAN
            self.trail.tell(tell_query(who, partner, sop_class_uid, encoded, syntax, asks=True))

    def make_ends(self, service: ServiceName, peer: Peer) -> Ends:
        """Both ends of an association for a service.

        Raises :class:`NoPresentationContext` where the device does not use this service with this peer, and
        :class:`ConfigurationError` where its profile does not have it or certificates are missing.
        """
        if not self.site.list_proposed(service, peer):
            raise NoPresentationContext(f"this device proposes nothing for {service} to {peer.name}")
        return Ends(
            self.make_remote(peer),
            self.make_local(service, peer),
            peer.name,
            tuple(map(str, peer.transfer_syntaxes)),
            patient_root=peer.settings.query_model == "patient",
            proposed={
                str(entry.sop_class_uid): choose_syntaxes(entry, peer) for entry in self.site.list_proposed(service)
            },
            judge_of=partial(self.site.judge_of, peer=peer),
            query_keys=_list_query_keys(self.site) if service == "query" else None,
            stored=_list_stored(self.site) if service == "retrieve" else None,
            take_turn=partial(self.take_turn, service),
            note_query=partial(self.note_query, service, peer),
            note_opened=partial(self.traffic.note_opened, service, peer.name),
            note_failure=partial(self._note_no_association, peer),
        )

    def list_proposals(self, service: ServiceName, peer: Peer) -> list[ContextProposal]:
        """One presentation context for each abstract syntax of a service, with the peer's transfer syntaxes."""
        return [
            ContextProposal(entry.sop_class_uid, choose_syntaxes(entry, peer))
            for entry in self.site.list_proposed(service, peer)
        ]

    def make_remote(self, peer: Peer) -> RemoteAE:
        """The peer, as the network knows it. Raises :class:`ConfigurationError` for one of DICOMweb."""
        if peer.is_web:
            raise ConfigurationError(
                f"peer {peer.name} is reached over DICOMweb, which takes what send jobs bring, and nothing else",
                advice="import files, and send their study from the local database",
            )
        if peer.tls and self._tls is None:
            raise ConfigurationError(f"peer {peer.name} is reached under TLS, and the site has no [tls] certificates")
        context = self._tls() if callable(self._tls) else self._tls
        return RemoteAE(peer.ae_title, peer.host, peer.port, context if peer.tls else None)

    def make_local(self, service: ServiceName, peer: Peer) -> LocalAE:
        """This side of an association for a service."""
        return make_local_ae(self.site, self.site.calling_ae_title(service, peer), service, peer)


def _list_stored(site: Site) -> dict[str, tuple[str, ...]]:
    """The storage SOP Classes that this device takes, each with its transfer syntaxes."""
    entries = [entry for entry in site.profile.presentation_contexts if entry.accepted and entry.service == "storage"]
    order = [str(uid) for uid in site.acceptor_transfer_syntaxes]
    return {
        str(entry.sop_class_uid): tuple(uid for uid in order if uid in entry.transfer_syntaxes) for entry in entries
    }


def _list_query_keys(site: Site) -> dict[tuple[str, str], tuple[TagPath, ...]]:
    """The keys of the profile that this device asks archives for, by model and level."""
    keys: dict[tuple[str, str], tuple[TagPath, ...]] = {}
    for row in site.profile.query_keys:
        if row.role == "SCU":
            place = (row.model.lower(), row.level)
            keys[place] = (*keys.get(place, ()), row.path)
    return keys


def make_local_ae(site: Site, ae_title: str, service: ServiceName | None = None, peer: Peer | None = None) -> LocalAE:
    """A local AE with the limits, time-outs and implementation identity of the site (RF-4.4.2-02 to RF-4.4.2-07)."""
    parameters = peer.parameters if peer else site.parameters
    own_limit = f"{service}.max_pdu_receive_bytes"
    class_uid, version_name = find_identity(site)
    return LocalAE(
        ae_title=ae_title,
        max_pdu_length=parameters.integer(own_limit if own_limit in parameters else "general.max_pdu_receive_bytes"),
        max_send_pdu_length=parameters.integer("general.max_pdu_send_bytes"),
        implementation_class_uid=class_uid,
        implementation_version_name=version_name,
        timeouts=Timeouts(
            connect_s=parameters.number("general.connect_timeout_s"),
            association_s=parameters.number("general.association_timeout_s"),
            release_s=parameters.number("general.release_timeout_s"),
            response_s=parameters.number("general.dimse_timeout_s"),
            data_s=parameters.number("general.network_timeout_s"),
        ),
    )


def describe_report_address(site: Site) -> str:
    """Where this device takes reports on storage commitment, for whoever configures an archive."""
    for role, entity in site.application_entities.items():
        if entity.port is not None and any(entry.service == "storage_commitment" for entry in site.list_accepted(role)):
            network = site.settings.network
            host = network.host_name or network.bind_address
            where = f"port {entity.port} of this computer" if host in ("", "0.0.0.0", "::") else f"{host}:{entity.port}"
            return f"{entity.ae_title} at {where}"
    return "this device, which takes no reports: no AE of the site file has a port for them"


def choose_syntaxes(entry: PresentationContextEntry, peer: Peer) -> tuple[str, ...]:
    """The transfer syntaxes to propose for an abstract syntax: those of the peer that the device has for it."""
    return restrict(peer.transfer_syntaxes_for(entry.service), entry.transfer_syntaxes)


def restrict(wanted: Iterable[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Those of ``wanted`` that are allowed, in their order; all that are allowed where none fits."""
    return tuple(str(uid) for uid in wanted if uid in allowed) or tuple(str(uid) for uid in allowed)


def find_response_timeout_s(peer: Peer, key: str) -> float:
    """A response time-out of the peer's parameters; 0 waits for ever."""
    return peer.parameters.number(key) or FOREVER
