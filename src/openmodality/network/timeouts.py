"""How long to wait for what; each expiry is its own error (RF-4.4.2-03 to RF-4.4.2-07)."""

from __future__ import annotations

from time import monotonic

from openmodality.value_class import value_class


@value_class
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


class Deadline:
    """The end of a wait that several reads share, so that a peer that sends byte by byte does not stretch it."""

    __slots__ = ("_end", "timeout_s")

    def __init__(self, timeout_s: float | None) -> None:
        self.timeout_s = timeout_s
        self._end = None if timeout_s is None else monotonic() + timeout_s

    def left_s(self) -> float | None:
        """Seconds until then, not above 0 once it has passed; ``None`` for ever."""
        return None if self._end is None else self._end - monotonic()
