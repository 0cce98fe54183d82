"""``PEER`` on the command line: ``AETITLE@host:port``, or a name from the site file."""

from __future__ import annotations

from typing import Annotated

import typer

from openmodality.errors import ConfigurationError
from openmodality.network.entity import DEFAULT_AE_TITLE, LocalAE, RemoteAE, checked_ae_title
from openmodality.network.timeouts import Timeouts

PeerArgument = Annotated[str, typer.Argument(metavar="PEER", help="AETITLE@host:port, or its name in the site file.")]
CallingOption = Annotated[
    str, typer.Option("--calling", metavar="AET", help="Our own AE title, where no site file is used.")
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for the peer at each step.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


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
