"""Listens for reconstructions that send MRD v1, one connection after the other; each becomes series."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from openmodality.acquisition.mrd_stream import (
    WHERE,
    CheckHeader,
    Received,
    Stream,
    receive_images,
    send_close,
    send_text,
)
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.mrd_images import make_series
from openmodality.errors import ObjectInvalid, OpenModalityError, OtherIdentity, TransportError, describe_fault
from openmodality.value_class import dataclass

LOCAL: Final = "127.0.0.1"
IDLE_S: Final = 120.0
"""How long a sender may say nothing."""
_log = logging.getLogger(__name__)

DeliverSeries = Callable[[Sequence[FoundSeries]], None]


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens.

    Raises :class:`TransportError` where the port is taken.
    """
    try:
        sock = socket.create_server((host, port))
    except OSError as error:
        raise TransportError(f"cannot listen on {host}:{port}: {error.strerror}", advice="use another port") from error
    with sock:
        yield sock


@dataclass(frozen=True, slots=True)
class MrdListener:
    """Takes connections and hands what they bring to ``deliver``; ``check`` refuses a header before images come.

    ``tell`` gets what the operator is to know. ``position`` is as for files.
    """

    deliver: DeliverSeries
    check: CheckHeader
    tell: Callable[[str], None]
    position: str = ""
    idle_s: float = IDLE_S

    def serve(self, sock: socket.socket, wait: Callable[[float], bool], interval_s: float = 0.2) -> None:
        """Take connections until ``wait`` says that it is enough."""
        sock.settimeout(interval_s)
        while not wait(0):
            try:
                connection, _ = sock.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(self.idle_s)
                self.take(connection)

    def take(self, connection: socket.socket) -> None:
        """All that one sender sends; nothing that it sends ends the listening."""
        with connection.makefile("rwb") as stream:
            try:
                self._take(stream)
            except OpenModalityError as error:
                self._refuse(stream, error)
            except OSError as error:
                self.tell(f"{WHERE}: the connection broke ({type(error).__name__}): nothing is taken of it")
            except Exception as error:  # noqa: BLE001 - the boundary of one sender: the next one is heard all the same
                _log.error("MRD stream: fault", extra=describe_fault(error))
                self._refuse(stream, ObjectInvalid(f"{WHERE}: cannot be used ({type(error).__name__})"))

    def _take(self, stream: Stream) -> None:
        received = receive_images(stream, self.check)
        if not received.is_closed and (received.images or received.acquisitions):
            self.tell(f"{WHERE}: ended without CLOSE; what came before is taken")
        found = make_series(received.images, received.header, WHERE, self.position)
        if found:
            self.deliver(found)
        self._answer(stream, received)

    def _answer(self, stream: Stream, received: Received) -> None:
        with suppress(OSError):  # a sender that has gone is told nothing
            if received.refused:
                self.tell(f"{WHERE}: {received.refused}")
                send_text(stream, received.refused)
            send_close(stream)

    def _refuse(self, stream: Stream, error: OpenModalityError) -> None:
        self.tell(f"{WHERE}: not taken: {error}")
        with suppress(OSError):
            send_text(stream, error.message if isinstance(error, OtherIdentity) else str(error))
            send_close(stream)
