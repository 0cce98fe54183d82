"""``PEER`` on the command line: ``AETITLE@host:port``, or a name from the site file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from openmodality.activities.ends import Ends
from openmodality.cli.terminal.site import NoSiteFile, act_for_user, load
from openmodality.cli.terminal.values import parse_number
from openmodality.errors import ConfigurationError, NotTrusted, OpenModalityError, UsageError
from openmodality.network.entity import DEFAULT_AE_TITLE, LocalAE, RemoteAE, normalize_ae_title
from openmodality.network.timeouts import Timeouts
from openmodality.value_class import replace

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pydicom import Dataset

    from openmodality.cli.terminal.arguments import Parser
    from openmodality.device.site.site import Site
    from openmodality.standard.statuses import ServiceName

DEFAULT_TIMEOUT_S: Final = 30.0
MAX_TIMEOUT_S: Final = 24 * 3600.0


def add_peer(parser: Parser) -> None:
    """Declare ``PEER``: ``AETITLE@host:port``, or a peer's name in the site file."""
    parser.add_argument("peer", metavar="PEER")


def add_calling(parser: Parser) -> None:
    """Declare the option for our own AE title."""
    parser.add_argument(
        "--calling",
        metavar="AET",
        help=f"Our own AE title.  [default: the site's for a peer of the site file, else {DEFAULT_AE_TITLE}]",
    )


def add_timeout(parser: Parser) -> None:
    """Declare the option for how long to wait for the peer."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=parse_number(0.1, MAX_TIMEOUT_S),
        help="How long to wait for the peer at each step."
        f"  [default: the site's for a peer of the site file, else {DEFAULT_TIMEOUT_S:g}]",
    )


def is_direct(peer: str) -> bool:
    """Whether a peer is given by its address; a name in a site file has no ``@``."""
    return "@" in peer


def resolve(
    peer: str,
    service: ServiceName,
    site_file: str,
    calling: str | None,
    timeout_s: float | None,
    tls: ssl.SSLContext | None,
) -> Ends:
    """The peer that is meant, and who we are for it.

    Raises :class:`ConfigurationError` where the site file or the address is wrong.

    ``tls`` is for a peer that is given by its address; for one of the site file what stands there holds.
    """
    if is_direct(peer):
        ends = Ends(replace(RemoteAE.parse(peer), ssl_context=tls), LocalAE(DEFAULT_AE_TITLE))
    elif tls is not None:
        refuse_tls_options(peer)
    else:
        ends = _find_ends(peer, service, site_file)
    local = ends.local
    if calling is not None:
        local = replace(local, ae_title=normalize_ae_title(calling))
    if timeout_s is not None:
        local = replace(local, timeouts=Timeouts(*[timeout_s] * 6))
    return replace(ends, local=local)


def find_web_site(peer: str, site_file: str) -> Site | None:
    """The site whose peer of this name is reached over DICOMweb; ``None`` where it is not."""
    if is_direct(peer):
        return None
    try:
        site = load(site_file)
    except ConfigurationError:  # said by :func:`resolve`
        return None
    return site if peer in site.peers and site.peers[peer].is_web else None


def refuse_tls_options(name: str) -> NoReturn:
    """Raises :class:`UsageError`: a peer of the site file is reached as the site file says."""
    raise UsageError(
        f"{name!r} is not AETITLE@host:port, which the TLS options are for",
        advice="a peer of the site file has tls = true there, and the site its certificates in [tls]",
    )


def load_site_of_peer(name: str, site_file: str) -> Site:
    """The site file that a peer's name is looked up in. Raises :class:`ConfigurationError` where there is none."""
    try:
        return load(site_file)
    except NoSiteFile as error:
        raise ConfigurationError(
            f"{name!r} is not AETITLE@host:port, and {error.message} to look it up in",
            advice="write it as AETITLE@host:port",
        ) from error


def _find_ends(name: str, service: ServiceName, site_file: str) -> Ends:
    site = load_site_of_peer(name, site_file)
    from openmodality.activities.connection import Connector  # noqa: PLC0415
    from openmodality.activities.tls import make_client_context  # noqa: PLC0415 - start-up time: only for a peer of a site file

    ends = Connector(site, make_client_context(site)).make_ends(service, site.peer(name))
    return replace(ends, **make_notes(site, service, name))


def make_notes(site: Site, service: ServiceName, name: str) -> dict[str, Callable[..., object]]:
    """What puts queries and failures on record: the database is opened for a moment, when there is something to say."""

    def note_query(sop_class_uid: str, asked: Dataset) -> None:
        from openmodality.app.audit import note_query_alone  # noqa: PLC0415 - start-up time: SQLAlchemy

        act_for_user()
        note_query_alone(site, service, name, sop_class_uid, asked)

    def note_failure(error: OpenModalityError) -> None:
        if isinstance(error, NotTrusted):
            from openmodality.app.audit import note_untrusted_alone  # noqa: PLC0415 - likewise

            act_for_user()
            note_untrusted_alone(site, name, error)

    return {"note_query": note_query, "note_failure": note_failure}
