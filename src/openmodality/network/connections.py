"""The connections of an acceptor: how many, of whom, and how they are ended."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import Final

from openmodality.errors import TransportError
from openmodality.network.association import Association
from openmodality.network.link import LINGER_S
from openmodality.network.timeouts import Deadline
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ
from openmodality.upper_layer.rejections import TEMPORARY_CONGESTION
from openmodality.value_class import dataclass, value_class


@dataclass(eq=False, slots=True)
class Connection:
    """One connection from accept to its end; ``socket`` is the TLS one once it has taken over.

    ``counted_for`` is the calling AE title while it counts as an association. One that is ``surplus`` gets none.
    """

    socket: socket.socket
    address: str
    association: Association | None = None
    counted_for: str | None = None
    surplus: bool = False
    thread: threading.Thread = field(init=False)

    def stop(self, *, at_once: bool) -> None:
        """End it from another thread: without an association now, else as :meth:`Association.stop` says."""
        if self.association is None:
            self.cut()
        else:
            self.association.stop(at_once=at_once)

    def cut(self) -> None:
        """Let every read and write in it fail."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # below TLS, which belongs to the other thread


@value_class
class Hold:
    """How long a request is held that would get this answer, because it may get another once an association ends."""

    answer: A_ASSOCIATE_RJ | None = None
    seconds: float = 0.0


NO_HOLD: Final = Hold()


class Connections:
    """What is open: connections, and associations by calling AE title. ``congested`` is the answer to a surplus one."""

    def __init__(self, congested: A_ASSOCIATE_RJ = TEMPORARY_CONGESTION) -> None:
        self._congested = congested
        self._lock = threading.Condition()
        self._open: set[Connection] = set()
        self._associations: Counter[str] = Counter()
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._open)

    def begin(self) -> None:
        """Take connections, from now on or again."""
        self._is_stopping = False

    def add(self, connection: Connection) -> None:
        with self._lock:
            self._open.add(connection)

    def secure(self, connection: Connection, secured: socket.socket) -> None:
        """Note that TLS takes the connection over. Raises :class:`TransportError` where all are being ended."""
        with self._lock:
            connection.socket = secured
            if self._is_stopping:
                raise TransportError("ended by this side, which stops")

    def establish(self, connection: Connection, association: Association) -> None:
        """Note that the connection has become an association."""
        with self._lock:
            connection.association = association
            if self._is_stopping:
                association.stop()

    def remove(self, connection: Connection) -> None:
        with self._lock:
            self._open.discard(connection)
            self._lock.notify_all()

    def measure_load(self, calling: str) -> Load:
        """How many associations are open, and how many of them with the calling AE title."""
        return Load(sum(self._associations.values()), self._associations[calling])

    def admit(
        self,
        connection: Connection,
        calling: str,
        decide: Callable[[Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ],
        hold: Hold = NO_HOLD,
    ) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
        """Decide and count in one step, so that of two requests at the same time only one gets the last place.

        What is ``hold.answer`` is decided again when an association has ended, until the time is over.
        """
        deadline = Deadline(hold.seconds)
        with self._lock:
            answer = self._congested if connection.surplus else decide(self.measure_load(calling))
            while answer == hold.answer and not self._is_stopping and (left_s := deadline.left_s() or 0) > 0:
                self._lock.wait(left_s)
                answer = decide(self.measure_load(calling))
            if isinstance(answer, A_ASSOCIATE_AC):
                self._associations[calling] += 1
                connection.counted_for = calling
            return answer

    def leave(self, connection: Connection) -> None:
        """Note that the association is over; its connection may last until the peer closes it. May be called twice."""
        with self._lock:
            calling, connection.counted_for = connection.counted_for, None
            if calling is None:
                return
            self._associations[calling] -= 1
            if not self._associations[calling]:
                del self._associations[calling]
            self._lock.notify_all()

    def wait_for_fewer(self) -> None:
        with self._lock:
            self._lock.wait(timeout=1.0)

    def end_all(self, grace_s: float) -> None:
        """Abort all: those that answer a request get ``grace_s`` for it, and whatever takes longer is cut."""
        with self._lock:
            self._is_stopping = True
            self._lock.notify_all()  # those that are held
            threads = [connection.thread for connection in self._open]
            self._stop(grace_s, at_once=False)
            self._stop(LINGER_S, at_once=True)
            for connection in self._open:
                connection.cut()
        deadline = Deadline(LINGER_S)
        for thread in threads:
            thread.join(timeout=max(deadline.left_s() or 0, 0))

    def _stop(self, wait_s: float, *, at_once: bool) -> None:
        for connection in self._open:
            connection.stop(at_once=at_once)
        self._lock.wait_for(lambda: not self._open, timeout=wait_s)
