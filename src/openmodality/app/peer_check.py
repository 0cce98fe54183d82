"""What the check of a peer needs of a site: both ends for each service, the port for reports, the device to advise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from openmodality.activities.connection import Connector
from openmodality.activities.ends import Ends
from openmodality.activities.tls import make_client_context, make_server_context
from openmodality.conformance.doctor.advice import AdvisedDevice
from openmodality.device.site.site import LocalEntity, Peer, Site, name_peer_service
from openmodality.errors import ConfigurationError, StoreError
from openmodality.standard.statuses import ServiceName
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    import ssl

_TURN_S: Final = 10.0
"""How long the check waits for an association of the device to end."""

TrailNotes = Callable[[ServiceName], Mapping[str, Any]]
"""What puts queries and failures on record, as fields of :class:`Ends`."""


@dataclass(frozen=True, slots=True)
class CheckedPeer:
    """A peer of a site, as the check of it is to see it."""

    site: Site
    peer: Peer
    connector: Connector
    notes: TrailNotes

    def make_ends(self, service: ServiceName) -> Ends:
        """Both ends for a service, even for one that the site file does not name for this peer yet."""
        remote = self.connector.make_remote(self.peer)
        try:
            local = self.connector.make_local(service, self.peer)
            turn_of = service
        except ConfigurationError:  # the device has no such service
            local, turn_of = self.connector.make_local("verification", self.peer), "verification"
        return Ends(remote, local, self.peer.name, take_turn=lambda: self._take_turn(turn_of), **self.notes(service))

    @contextmanager
    def _take_turn(self, service: ServiceName) -> Iterator[None]:
        """Keep the local AE, which a device has for one association at a time (RF-4.2.1.2.2-01, MR-3.1.2-01)."""
        with self.connector.await_turn(service, _TURN_S) as is_free:
            if not is_free:
                raise StoreError("the device is busy with another association", advice="try again when it has ended")
            yield

    @property
    def report_port(self) -> int:
        """Where results of storage commitment come in; 0 where the device has no port for them."""
        entity = self._find_report_entity()
        return (entity.port or 0) if entity else 0

    def make_report_context(self) -> ssl.SSLContext | None:
        """For results that come in under TLS; ``None`` where the device takes them without."""
        entity = self._find_report_entity()
        return make_server_context(self.site) if entity and entity.tls else None

    def _find_report_entity(self) -> LocalEntity | None:
        """The local AE that takes results of storage commitment, where there is one that listens."""
        for role, entity in self.site.application_entities.items():
            accepted = self.site.list_accepted(role)
            if entity.port is not None and any(entry.service == "storage_commitment" for entry in accepted):
                return entity
        return None

    @property
    def device(self) -> AdvisedDevice:
        """The device for which lines of a site file are advised."""
        contexts = self.site.profile.presentation_contexts
        used = {
            name_peer_service(entry.service) for entry in contexts if not entry.accepted and self.site.is_enabled(entry)
        }
        keys = frozenset(key.path for key in self.site.profile.worklist_keys)
        return AdvisedDevice(self.peer.name, frozenset(map(str, used)), keys)


def find_checked_peer(site: Site, name: str, notes: TrailNotes) -> CheckedPeer:
    """The peer of this name. Raises :class:`ConfigurationError` where there is none, or it is not a DICOM peer."""
    peer = site.peer(name)
    connector = Connector(site, make_client_context(site))
    connector.make_remote(peer)
    return CheckedPeer(site, peer, connector, notes)
