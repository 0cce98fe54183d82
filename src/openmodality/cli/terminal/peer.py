"""``PEER`` on the command line: ``AETITLE@host:port``, or a name from the site file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.site import NoSiteFile, load
from openmodality.cli.terminal.values import number
from openmodality.errors import ConfigurationError, UsageError
from openmodality.network.entity import DEFAULT_AE_TITLE, LocalAE, RemoteAE, checked_ae_title
from openmodality.network.timeouts import Timeouts
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.value_class import replace, value_class

if TYPE_CHECKING:
    import ssl

    from openmodality.cli.terminal.arguments import Parser
    from openmodality.device.profile.profile import Service

DEFAULT_TIMEOUT_S: Final = 30.0
_UNKNOWN_PEER: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
MAX_TIMEOUT_S: Final = 24 * 3600.0


def add_peer(parser: Parser) -> None:
    """``AETITLE@host:port``, or a peer's name in the site file."""
    parser.add_argument("peer", metavar="PEER")


def add_calling(parser: Parser) -> None:
    """The option for our own AE title."""
    parser.add_argument(
        "--calling",
        metavar="AET",
        help=f"Our own AE title.  [default: the site's for a peer of the site file, else {DEFAULT_AE_TITLE}]",
    )


def add_timeout(parser: Parser) -> None:
    """The option for how long to wait for the peer."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=number(0.1, MAX_TIMEOUT_S),
        help="How long to wait for the peer at each step."
        f"  [default: the site's for a peer of the site file, else {DEFAULT_TIMEOUT_S:g}]",
    )


@value_class
class Ends:
    """Both ends of an association: the peer, and this side as that peer is to see it.

    ``name`` is the peer's in the site file, empty where it was given by its address. ``proposed`` are the transfer
    syntaxes that the device proposes to the peer for an abstract syntax of the service.
    """

    remote: RemoteAE
    local: LocalAE
    name: str = ""
    transfer_syntaxes: tuple[str, ...] = ()
    patient_root: bool = False
    proposed: Mapping[str, tuple[str, ...]] | None = None

    def proposal(self, abstract_syntax: str) -> ContextProposal:
        """The presentation context to propose: as the device does towards its peer, else Explicit and Implicit VR."""
        return ContextProposal(abstract_syntax, (self.proposed or {}).get(abstract_syntax, _UNKNOWN_PEER))


def is_direct(peer: str) -> bool:
    """Whether a peer is given by its address; a name in a site file has no ``@``."""
    return "@" in peer


def resolve(
    peer: str,
    service: Service,
    site_file: str,
    calling: str | None,
    timeout_s: float | None,
    tls: ssl.SSLContext | None,
) -> Ends:
    """The peer that is meant, and who we are for it; raises :class:`ConfigurationError`.

    ``tls`` is for a peer that is given by its address; for one of the site file what stands there holds.
    """
    if is_direct(peer):
        ends = Ends(replace(RemoteAE.parse(peer), ssl_context=tls), LocalAE(DEFAULT_AE_TITLE))
    elif tls is not None:
        raise UsageError(
            f"{peer!r} is not AETITLE@host:port, which the TLS options are for",
            advice="a peer of the site file has tls = true there, and the site its certificates in [tls]",
        )
    else:
        ends = _named(peer, service, site_file)
    local = ends.local
    if calling is not None:
        local = replace(local, ae_title=checked_ae_title(calling))
    if timeout_s is not None:
        local = replace(local, timeouts=Timeouts(*[timeout_s] * 6))
    return replace(ends, local=local)


def _named(name: str, service: Service, site_file: str) -> Ends:
    try:
        site = load(site_file)
    except NoSiteFile as error:
        raise ConfigurationError(
            f"{name!r} is not AETITLE@host:port, and {error} to look it up in", advice="write it as AETITLE@host:port"
        ) from error
    from openmodality.activities.connection import Connections, syntaxes_of  # noqa: PLC0415
    from openmodality.app.tls import client_context  # noqa: PLC0415 - start-up time: only for a peer of a site file

    peer = site.peer(name)
    connections = Connections(site, client_context(site))
    return Ends(
        connections.remote(peer),
        connections.local(service, peer),
        name,
        tuple(map(str, peer.transfer_syntaxes)),
        patient_root=peer.query_model == "patient",
        proposed={str(entry.sop_class_uid): syntaxes_of(entry, peer) for entry in site.proposed(service)},
    )
