"""Nothing that a test starts in its own process listens on a fixed port: somebody else on the machine may have it."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable

from tests.peers.process import FREE_PORTS


def pytest_configure() -> None:
    """Once for all tests: a fixture would cost each of them as much as many a test takes."""
    socket.create_server = _only_free(socket.create_server)


def _only_free(create_server: Callable[..., socket.socket]) -> Callable[..., socket.socket]:
    @functools.wraps(create_server)
    def checked(address: tuple[object, ...], **options: object) -> socket.socket:
        port = address[1]
        assert port == 0 or port in FREE_PORTS, f"a test listens on port {port}; tests take free_port() or 0"
        return create_server(address, **options)

    return checked
