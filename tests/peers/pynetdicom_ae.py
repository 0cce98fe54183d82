"""pynetdicom in this process: an application entity that serves, or an association that was accepted."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.transport import ThreadedAssociationServer

from tests.peers.process import HOST, Address

Handlers = Iterable[tuple[Any, ...]]
"""pynetdicom's event handlers: ``(evt.EVT_C_STORE, function)`` or ``(event, function, arguments)``."""


@contextlib.contextmanager
def serving(
    contexts: Iterable[str],
    handlers: Handlers = (),
    *,
    aet: str = "PYNETDICOM",
    roles: bool = False,
    ae: AE | None = None,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Address]:
    """Serve the abstract syntaxes with all of pynetdicom's default transfer syntaxes.

    ``roles`` lets the requestor take the SCP's role (role selection, PS3.7 D.3.3.4). An ``ae`` with settings of its own
    may be given.
    """
    entity = ae or AE(ae_title=aet)
    for context in contexts:
        entity.add_supported_context(context, scu_role=roles or None, scp_role=roles or None)
    server = entity.start_server((HOST, port), block=False, evt_handlers=list(handlers), ssl_context=tls)
    assert server is not None
    try:
        yield Address(entity.ae_title, int(server.server_address[1]))
    finally:
        _wake(server)
        entity.shutdown()


def _wake(server: ThreadedAssociationServer) -> None:
    """Let the server notice at once that it is to stop: it looks twice a second, and the end of a test waits for it."""
    server._BaseServer__shutdown_request = True  # type: ignore[attr-defined]  # socketserver has no other place for it
    if server.socket is not None:
        with contextlib.suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def associated(
    peer: Address,
    contexts: Iterable[str],
    handlers: Handlers = (),
    *,
    calling: str = "PYNETDICOM",
    transfer_syntaxes: list[str] | None = None,
    **negotiation: Any,
) -> Iterator[Association]:
    """An association with the peer, asserted to be established, released at the end of the block.

    ``negotiation`` goes to ``AE.associate``: ``ext_neg``, ``max_pdu``, ``tls_args``.
    """
    entity = AE(ae_title=calling)
    for context in contexts:
        entity.add_requested_context(context, transfer_syntaxes)
    association = entity.associate(peer.host, peer.port, ae_title=peer.aet, evt_handlers=list(handlers), **negotiation)
    assert association.is_established, f"{peer} did not accept the association"
    leave_answers_to_the_caller(association)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
        association.join(10)


def find_rejection(entity: AE, peer: Address) -> tuple[int, int, int] | None:
    """Result, source and reason with which the peer rejects an association; None where it does not.

    They are read off the PDU. ``AE.associate`` says "aborted" where the rejection has come, and the connection has
    ended, before it looks whether it is connected.
    """
    rejections: list[tuple[int, int, int]] = []

    def note(event: evt.Event) -> None:
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            rejections.append((event.pdu.result or 0, event.pdu.source or 0, event.pdu.reason_diagnostic or 0))

    association = entity.associate(peer.host, peer.port, ae_title=peer.aet, evt_handlers=[(evt.EVT_PDU_RECV, note)])
    if association.is_established:
        association.release()
    return rejections[0] if rejections else None


def leave_answers_to_the_caller(association: Association) -> None:
    """Keep pynetdicom's own thread from taking the response that a ``send_c_...`` waits for.

    The caller clears ``_reactor_checkpoint`` and then sends. The thread may just have passed that point: it still looks
    for a message once, takes a response that came quickly and drops it ("Received unexpected C-ECHO service message"),
    and the caller waits until its time-out. Here the thread finds nothing while the checkpoint is clear.
    """
    take, checkpoint = association.dimse.get_msg, association._reactor_checkpoint

    def take_when_allowed(block: bool = False) -> Any:
        return take(block) if block or checkpoint.is_set() else (None, None)

    association.dimse.get_msg = take_when_allowed  # type: ignore[method-assign]  # pynetdicom has no other place for it
