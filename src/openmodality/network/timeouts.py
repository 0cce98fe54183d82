"""How long to wait for what; each expiry is its own error (RF-4.4.2-03 to RF-4.4.2-07)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; ``None`` waits for ever."""

    connect_s: float | None = 30.0
    """A TCP connection, and a TLS handshake, to be made."""
    association_s: float | None = 30.0
    """An answer to A-ASSOCIATE-RQ; as acceptor the ARTIM timer (PS3.8 9.1.5)."""
    release_s: float | None = 30.0
    """An answer to A-RELEASE-RQ."""
    response_s: float | None = 30.0
    """A response to a DIMSE request; a service may give its own."""
    data_s: float | None = 30.0
    """The next packet in the middle of a message, and the peer to take what we send."""
    idle_s: float | None = 600.0
    """As acceptor: the next request on an open association."""


DEFAULT_TIMEOUTS = Timeouts()
