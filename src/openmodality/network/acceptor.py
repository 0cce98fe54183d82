"""Accepting associations: one listening socket, one thread for each association (PS3.8 7.1, 9.1.4).

Theory of operation. The listening thread accepts connections and starts a thread for each. That thread does the TLS
handshake, waits
under the ARTIM timer for the request, asks ``decide`` what to answer, and serves until the association ends. Whatever
a peer does ends at most its own thread, with one log line. A connection beyond ``max_connections`` is closed at once,
so that
peers that connect and say nothing cannot take all threads.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Service
from openmodality.errors import OpenModalityError, TransportError
from openmodality.network.association import LINGER_S, Association, contexts_of
from openmodality.network.entity import LocalAE, send_limit
from openmodality.network.handshake import await_indication, flush
from openmodality.network.transport import Transport, secure
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.negotiation import Negotiated, outcome
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import AssociateAccept, AssociateIndication, AssociateReject, Role
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.reasons import reject_text

if TYPE_CHECKING:
    import ssl

log = logging.getLogger(__name__)

Decide = Callable[[A_ASSOCIATE_RQ, Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ]
"""What to answer to a request: :func:`openmodality.upper_layer.acceptance.decide` with a policy."""

MAX_CONNECTIONS: Final = 512
_BACKLOG: Final = 256


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen; port 0 takes a free one, an empty host all addresses."""

    host: str = ""
    port: int = 0
    ssl_context: ssl.SSLContext | None = None
    max_connections: int = MAX_CONNECTIONS


class Acceptor:
    """A listening application. As a context manager it listens between enter and exit."""

    def __init__(self, local: LocalAE, services: Sequence[Service], decide: Decide, listening: Listening) -> None:
        self.port = listening.port
        self._local = local
        self._services = tuple(services)
        self._decide = decide
        self._listening = listening
        self._socket: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._connections = _Connections()

    def __enter__(self) -> Acceptor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def open_associations(self) -> int:
        """How many associations are open now."""
        return self._connections.load("").open_associations

    @property
    def open_connections(self) -> int:
        """How many connections are open now, with or without an association."""
        return len(self._connections)

    def start(self) -> None:
        """Listen; :attr:`port` is the port that was taken. Raises :class:`TransportError`."""
        host, port = self._listening.host, self._listening.port
        try:
            self._socket = socket.create_server((host, port), backlog=_BACKLOG)
        except OSError as error:
            where = f"{host or 'all addresses'} port {port}"
            raise TransportError(
                f"cannot listen on {where}: {error.strerror}", advice="choose another port, or stop what uses this one"
            ) from error
        self.port = self._socket.getsockname()[1]
        self._listener = threading.Thread(target=self._listen, name=f"listen-{self.port}", daemon=True)
        self._listener.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Stop listening, give open associations ``grace_s`` to end, then end them."""
        listener, listening = self._listener, self._socket
        if listener is None or listening is None:
            return
        self._listener = self._socket = None
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        listening.close()
        listener.join()
        self._connections.end_all(grace_s)

    def _listen(self) -> None:
        listening = self._socket
        while listening is not None and self._socket is listening:
            try:
                sock, address = listening.accept()
            except OSError as error:
                if self._socket is not listening or listening.fileno() < 0:
                    return
                log.warning("network.accept_failed", extra={"reason": error.strerror})
                self._connections.wait_for_fewer()  # out of file descriptors: one has to be given back first
                continue
            if len(self._connections) >= self._listening.max_connections:
                log.warning("network.too_many_connections", extra={"address": address[0]})
                sock.close()
                continue
            self._start_thread(sock, address[0])

    def _start_thread(self, sock: socket.socket, address: str) -> None:
        thread = threading.Thread(target=self._run, args=(sock, address), daemon=True)
        self._connections.add(sock, thread)
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads; that must not end the listening one
            log.warning("network.no_thread", extra={"address": address, "reason": str(error)})
            self._connections.remove(sock)
            sock.close()

    def _run(self, sock: socket.socket, address: str) -> None:
        """The life of one connection; the boundary of its thread."""
        try:
            self._serve(sock, address)
        except OpenModalityError as error:
            log.warning("association.ended", extra={"address": address, "reason": str(error)})
        except Exception:
            log.exception("association.failed", extra={"address": address})
        finally:
            self._connections.remove(sock)
            sock.close()

    def _serve(self, sock: socket.socket, address: str) -> None:
        timeouts = self._local.timeouts
        context = self._listening.ssl_context
        current = secure(sock, context, timeouts.connect_s) if context else sock
        self._connections.follow(sock, current)
        transport = Transport(current)
        try:
            provider = Provider(Role.ACCEPTOR, max_pdu_length=self._local.max_pdu_length)
            provider.transport_connected()
            request = await_indication(transport, provider, timeouts.association_s, "A-ASSOCIATE-RQ")
            if not isinstance(request, AssociateIndication):
                log.warning("association.none", extra={"address": address, "reason": provider.violation or "closed"})
                transport.close_gracefully(LINGER_S if provider.violation else 0)
                return
            self._answer(transport, provider, request.pdu, address)
        finally:
            transport.close()

    def _answer(self, transport: Transport, provider: Provider, request: A_ASSOCIATE_RQ, address: str) -> None:
        calling = request.calling_ae_title.strip()
        answer = self._connections.admit(calling, lambda load: self._decide(request, load))
        if isinstance(answer, A_ASSOCIATE_RJ):
            reason = reject_text(answer.result, answer.source, answer.reason)
            log.warning("association.rejected", extra={"address": address, "calling": calling, "reason": reason})
            provider.send(AssociateReject(answer))
            flush(transport, provider, self._local.timeouts.data_s)
            transport.close_gracefully(LINGER_S)
            return
        try:
            provider.send(AssociateAccept(answer))
            flush(transport, provider, self._local.timeouts.data_s)
            self._serve_association(
                transport, provider, outcome(request, answer, Role.ACCEPTOR), _peer(request, address)
            )
        finally:
            self._connections.leave(calling)

    def _serve_association(
        self, transport: Transport, provider: Provider, negotiated: Negotiated, peer: PeerInfo
    ) -> None:
        peer = PeerInfo(
            peer.calling_ae_title,
            peer.called_ae_title,
            peer.address,
            negotiated.peer_implementation_class_uid,
            negotiated.peer_implementation_version_name,
        )
        log.info("association.open", extra={"address": peer.address, "calling": peer.calling_ae_title})
        association = Association(
            transport, provider, contexts_of(negotiated), peer, self._services, self._local.timeouts
        )
        association.max_pdu_length = send_limit(self._local, negotiated.peer_max_pdu_length)
        try:
            association.serve()
        except BaseException:
            association.abort()
            raise
        log.info("association.released", extra={"address": peer.address, "calling": peer.calling_ae_title})


def _peer(request: A_ASSOCIATE_RQ, address: str) -> PeerInfo:
    return PeerInfo(request.calling_ae_title.strip(), request.called_ae_title.strip(), address)


class _Connections:
    """What is open: sockets with their threads, and associations by calling AE title."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._threads: dict[socket.socket, threading.Thread] = {}
        self._current: dict[socket.socket, socket.socket] = {}
        self._associations: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._threads)

    def add(self, sock: socket.socket, thread: threading.Thread) -> None:
        with self._lock:
            self._threads[sock] = thread

    def follow(self, sock: socket.socket, current: socket.socket) -> None:
        """The connection of ``sock`` goes on in ``current``: TLS takes it over."""
        with self._lock:
            self._current[sock] = current

    def remove(self, sock: socket.socket) -> None:
        with self._lock:
            self._threads.pop(sock, None)
            self._current.pop(sock, None)
            self._lock.notify_all()

    def load(self, calling: str) -> Load:
        return Load(sum(self._associations.values()), self._associations[calling])

    def admit(
        self, calling: str, decide: Callable[[Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ]
    ) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
        """Decide and count in one step, so that two requests at once do not both get the last place."""
        with self._lock:
            answer = decide(self.load(calling))
            if isinstance(answer, A_ASSOCIATE_AC):
                self._associations[calling] += 1
            return answer

    def leave(self, calling: str) -> None:
        with self._lock:
            self._associations[calling] -= 1
            if not self._associations[calling]:
                del self._associations[calling]
            self._lock.notify_all()

    def wait_for_fewer(self) -> None:
        with self._lock:
            self._lock.wait(timeout=1.0)

    def end_all(self, grace_s: float) -> None:
        with self._lock:
            self._lock.wait_for(lambda: not self._threads, timeout=grace_s)
            left = {self._current.get(sock, sock): thread for sock, thread in self._threads.items()}
        for sock in left:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which belongs to the other thread
        for thread in left.values():
            thread.join(timeout=LINGER_S)
