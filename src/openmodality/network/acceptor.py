"""Accepting associations: one listening socket, one thread for each association (PS3.8 7.1, 9.1.4).

Theory of operation. The listening thread accepts connections and starts a thread for each. That thread does the TLS
handshake, waits under the ARTIM timer for the request, asks ``decide_answer`` what to answer, and serves until the
association ends. Whatever a peer does ends at most its own thread, with one log line. An association beyond
``max_connections`` is rejected (temporary congestion). Connections beyond those are closed at once, so that peers that
connect and say nothing cannot take all threads. When the acceptor stops, each thread aborts its own association: at
once where it waits for a request, else after the answer or when the time is over.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Final

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Service
from openmodality.errors import NotTrusted, OpenModalityError, TransportError
from openmodality.network.agreement import Agreement, list_contexts
from openmodality.network.association import Association
from openmodality.network.association_log import log_agreement, log_end, log_open, log_request, warn_nothing_accepted
from openmodality.network.connecting import shake_hands, wrap_socket
from openmodality.network.connections import NO_HOLD, Connection, Connections, Hold
from openmodality.network.entity import LocalAE, send_limit
from openmodality.network.handshake import await_indication, flush
from openmodality.network.link import LINGER_S
from openmodality.network.transport import Transport
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.negotiation import Negotiated, read_outcome
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import AssociateAccept, AssociateIndication, AssociateReject, Role
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.reasons import reject_text
from openmodality.upper_layer.rejections import STANDARD_REJECTIONS, Rejections
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    from openmodality.network.entity import ContextNow

log = logging.getLogger(__name__)

Decide = Callable[[A_ASSOCIATE_RQ, Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ]
"""What to answer to a request: :func:`openmodality.upper_layer.acceptance.decide_answer` with a policy."""

MAX_CONNECTIONS: Final = 512
MAX_SURPLUS: Final = 16
"""How many connections beyond the limit are told of the congestion, if they ask for an association in time."""
_BACKLOG: Final = 256
_NO_SUCH_ADDRESS: Final = "give a name or an address of this machine"
_ADVICE: Final = {
    errno.EADDRINUSE: "choose another port, or stop what uses this one",
    errno.EACCES: "ports below 1024 need a privilege; choose a higher one",
    errno.EADDRNOTAVAIL: _NO_SUCH_ADDRESS,
    errno.EAFNOSUPPORT: _NO_SUCH_ADDRESS,
}


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen; port 0 takes a free one, an empty host all addresses, of IPv6 too where the system has it.

    ``rejections`` are for what ``decide_answer`` is not asked about: too many connections, and requests that cannot be
    parsed. ``hold`` is for requests that may be accepted a moment later; ``note_rejected`` is told whose association is
    rejected, and how; ``note_untrusted`` from which address somebody failed the TLS handshake, and why. ``ssl_context``
    may be a function, which is asked for the context of each connection.
    """

    host: str = ""
    port: int = 0
    ssl_context: ContextNow | None = None
    max_connections: int = MAX_CONNECTIONS
    rejections: Rejections = field(default_factory=lambda: STANDARD_REJECTIONS)
    hold: Hold = NO_HOLD
    note_rejected: Callable[[str, A_ASSOCIATE_RJ], None] = lambda calling, answer: None
    note_untrusted: Callable[[str, str], None] = lambda address, reason: None


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
        self._connections = Connections(listening.rejections["busy"])

    def __repr__(self) -> str:
        listens = f"listening on port {self.port}" if self._socket is not None else "not listening"
        return f"<Acceptor {self._local.ae_title}, {listens}>"

    def __enter__(self) -> Acceptor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def open_associations(self) -> int:
        """How many associations are open now."""
        return self._connections.measure_load("").open_associations

    @property
    def open_connections(self) -> int:
        """How many connections are open now, with or without an association."""
        return len(self._connections)

    def start(self) -> None:
        """Listen; ``port`` is the port that was taken. Raises :class:`TransportError` where the system refuses it."""
        host, port = self._listening.host, self._listening.port
        try:
            self._socket = _open_listening_socket(host, port)
        except (OSError, UnicodeError) as error:
            raise _explain_no_listening(host, port, error) from error
        self.port = self._socket.getsockname()[1]
        self._connections.begin()
        self._listener = threading.Thread(target=self._listen, name=f"listen-{self.port}", daemon=True)
        self._listener.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Stop listening and abort what is open; a request that is being answered gets ``grace_s`` to end."""
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
            surplus = len(self._connections) - self._listening.max_connections
            if surplus >= MAX_SURPLUS:
                log.warning("network.too_many_connections", extra={"address": _format_host(address)})
                sock.close()
                continue
            self._start_thread(Connection(sock, _format_host(address), surplus=surplus >= 0))

    def _start_thread(self, connection: Connection) -> None:
        connection.thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
        self._connections.add(connection)
        try:
            connection.thread.start()
        except RuntimeError as error:  # the system gives no more threads; that must not end the listening one
            log.warning("network.no_thread", extra={"address": connection.address, "reason": str(error)})
            self._connections.remove(connection)
            connection.socket.close()

    def _run(self, connection: Connection) -> None:
        """The life of one connection; the boundary of its thread."""
        address = connection.address
        try:
            self._serve(connection)
        except OpenModalityError as error:
            log.warning("association.ended", extra={"address": address, "reason": error.message})
            if isinstance(error, NotTrusted):
                self._listening.note_untrusted(address, error.message)
        except Exception:
            log.exception("association.failed", extra={"address": address})
        finally:
            self._connections.remove(connection)
            connection.socket.close()

    def _serve(self, connection: Connection) -> None:
        timeouts, context = self._local.timeouts, self._listening.ssl_context
        if context is not None:
            secured = wrap_socket(connection.socket, context() if callable(context) else context)
            self._connections.secure(connection, secured)
            shake_hands(secured, timeouts.connect_s)
        transport = Transport(connection.socket)
        try:
            provider = Provider(
                Role.ACCEPTOR,
                max_pdu_length=self._local.max_pdu_length,
                unparsable=self._listening.rejections["unparsable"],
            )
            provider.transport_connected()
            request = await_indication(transport, provider, timeouts.association_s, "A-ASSOCIATE-RQ")
            if not isinstance(request, AssociateIndication):
                reason = provider.violation or "closed"
                log.warning("association.none", extra={"address": connection.address, "reason": reason})
                transport.close_gracefully(LINGER_S if provider.violation else 0)
                return
            self._answer(connection, transport, provider, request.pdu)
        finally:
            transport.close()

    def _answer(
        self, connection: Connection, transport: Transport, provider: Provider, request: A_ASSOCIATE_RQ
    ) -> None:
        log_request(request, connection.address)
        calling = request.calling_ae_title.strip()
        answer = self._connections.admit(
            connection, calling, lambda load: self._decide(request, load), self._listening.hold
        )
        if isinstance(answer, A_ASSOCIATE_RJ):
            reason = reject_text(answer.result, answer.source, answer.reason)
            log.warning(
                "association.rejected", extra={"address": connection.address, "calling": calling, "reason": reason}
            )
            self._listening.note_rejected(calling, answer)
            provider.send(AssociateReject(answer))
            flush(transport, provider, self._local.timeouts.data_s)
            transport.close_gracefully(LINGER_S)
            return
        try:
            provider.send(AssociateAccept(answer))
            flush(transport, provider, self._local.timeouts.data_s)
            negotiated = read_outcome(request, answer, Role.ACCEPTOR)
            log_agreement(request, negotiated, connection.address)
            if not negotiated.accepted:
                warn_nothing_accepted(request, negotiated, connection.address)
            agreement = self._make_agreement(request, negotiated, connection.address)
            log_open(agreement, self._local.max_pdu_length)
            association = Association(transport, provider, agreement, self._services, self._local.timeouts)
            association.call_at_end(partial(self._connections.leave, connection))
            self._connections.establish(connection, association)
            _serve_association(association)
        finally:
            self._connections.leave(connection)

    def _make_agreement(self, request: A_ASSOCIATE_RQ, negotiated: Negotiated, address: str) -> Agreement:
        peer = PeerInfo(
            request.calling_ae_title.strip(),
            request.called_ae_title.strip(),
            address,
            negotiated.peer_implementation_class_uid,
            negotiated.peer_implementation_version_name,
        )
        return Agreement(list_contexts(negotiated), peer, send_limit(self._local, negotiated.peer_max_pdu_length))


def _serve_association(association: Association) -> None:
    try:
        association.serve()
    except BaseException:
        association.abort()
        raise
    log_end("association.released", association.peer)


def _open_listening_socket(host: str, port: int) -> socket.socket:
    host.encode("idna")  # raises UnicodeError for what is no name; create_server would leave its socket open
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server((host, port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _explain_no_listening(host: str, port: int, error: OSError | UnicodeError) -> TransportError:
    """Make the error from its number, because Python adds the address to its text once more."""
    where = f"{host or 'all addresses'} port {port}"
    if isinstance(error, UnicodeError) or isinstance(error.__context__, socket.gaierror):
        return TransportError(f"cannot listen on {where}: the host is not found", advice=_NO_SUCH_ADDRESS)
    why = type(error).__name__ if error.errno is None else os.strerror(error.errno)
    return TransportError(f"cannot listen on {where}: {why}", advice=_ADVICE.get(error.errno or 0, ""))


def _format_host(address: tuple[str, int]) -> str:
    """The peer's address; one of IPv4 without what a socket for both families puts in front of it."""
    return address[0].removeprefix("::ffff:")
