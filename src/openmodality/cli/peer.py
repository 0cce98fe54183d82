"""``PEER`` on the command line: ``AETITLE@host:port``, or a name from the site file."""

from __future__ import annotations

import click

from openmodality.errors import ConfigurationError
from openmodality.network.entity import DEFAULT_AE_TITLE, LocalAE, RemoteAE, checked_ae_title
from openmodality.network.timeouts import Timeouts

peer_argument = click.argument("peer", metavar="PEER")
"""``AETITLE@host:port``, or a peer's name in the site file."""

calling_option = click.option(
    "--calling",
    metavar="AET",
    default=DEFAULT_AE_TITLE,
    show_default=True,
    help="Our own AE title, where no site file is used.",
)
timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="How long to wait for the peer at each step.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def resolve(peer: str) -> RemoteAE:
    """The peer that is meant; raises :class:`ConfigurationError`."""
    if "@" not in peer:
        raise ConfigurationError(f"{peer!r} is not a peer", advice="write it as AETITLE@host:port")
    return RemoteAE.parse(peer)


def local_ae(calling: str = DEFAULT_AE_TITLE, timeout_s: float | None = None) -> LocalAE:
    """Our own side for a command without a site file."""
    title = checked_ae_title(calling)
    if timeout_s is None:
        return LocalAE(title)
    return LocalAE(title, timeouts=Timeouts(timeout_s, timeout_s, timeout_s, timeout_s, timeout_s, timeout_s))
