"""HTTP to a peer (RFC 9112): one connection, requests one after the other, bodies streamed, answers bounded.

Redirects are not followed: what is shown to a peer, such as a password, is for this peer.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from openmodality.buffer import Buffer
from openmodality.errors import TCP_CONNECTION, NotTrusted, PeerTimeout, ProtocolError, TransportError

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""What is read of an answer; a list of ten thousand instances fits."""


class WebAddress(NamedTuple):
    """Where a peer is: its URL in parts, and the TLS context for ``https``."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{self.path}"


class WebAnswer(NamedTuple):
    """What a peer answered: its status, Content-Type, and body."""

    status: int
    content_type: str
    body: bytes
    retry_after: str = ""


def parse_address(url: str, tls: ssl.SSLContext | None) -> WebAddress:
    """The parts of a URL that is right; ``tls`` counts for ``https``."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    return WebAddress(parts.hostname or "", port, parts.path.rstrip("/"), tls if is_secure else None)


class WebConnection:
    """A connection to a peer, opened with the first request; a context manager.

    Raises :class:`TransportError` where it cannot be made or breaks, :class:`NotTrusted` where TLS fails,
    :class:`PeerTimeout` where the peer is silent, and :class:`ProtocolError` for what is no HTTP.
    """

    def __init__(self, address: WebAddress, connect_s: float, answer_s: float) -> None:
        self._address = address
        self._answer_s = answer_s
        if address.tls is None:
            self._http = http.client.HTTPConnection(address.host, address.port, timeout=connect_s)
        else:
            self._http = http.client.HTTPSConnection(address.host, address.port, timeout=connect_s, context=address.tls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Iterable[Buffer] = (), length: int = 0
    ) -> WebAnswer:
        """Send a request below the path of the address, and read the answer. ``body`` has ``length`` bytes."""
        self._connect()
        try:
            self._http.putrequest(method, self._address.path + path, skip_accept_encoding=True)
            for name, value in headers.items():
                self._http.putheader(name, value)
            if length:
                self._http.putheader("Content-Length", str(length))
            self._http.endheaders()
            self._send(body)
            return self._read()
        except TimeoutError as error:
            self._http.close()
            raise PeerTimeout(
                f"{self._address} did not answer within {self._answer_s:g} s", waiting_for="an answer over HTTP"
            ) from error
        except (OSError, http.client.IncompleteRead, http.client.RemoteDisconnected) as error:
            self._http.close()
            raise TransportError(f"{self._address} ended the connection") from error
        except http.client.HTTPException as error:
            self._http.close()
            raise ProtocolError(f"{self._address} answered with something that is no HTTP") from error
        except BaseException:  # a request that was begun cannot be ended otherwise
            self._http.close()
            raise

    @property
    def _is_open(self) -> bool:
        return self._http.sock is not None

    def _connect(self) -> None:
        if self._is_open:
            return
        try:
            self._http.connect()
            opened: socket.socket = self._http.sock
            opened.settimeout(self._answer_s)
        except TimeoutError as error:
            raise PeerTimeout(f"{self._address} does not answer", waiting_for=TCP_CONNECTION) from error
        except ssl.SSLError as error:
            raise NotTrusted(
                f"{self._address}: no TLS: {error.reason or 'the connection ended'}",
                advice="the CA that signed its certificate is to be in tls.ca_certificates, or in those of the system",
            ) from error
        except OSError as error:
            raise PeerTimeout(
                f"nothing answers at {self._address}: {error.strerror or type(error).__name__}",
                waiting_for=TCP_CONNECTION,
                advice="check that the peer runs and that its url is right",
            ) from error

    def _send(self, body: Iterable[Buffer]) -> None:
        """Send a body. A peer may answer before its end, and take no more: then the answer counts."""
        try:
            for piece in body:
                self._http.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def _read(self) -> WebAnswer:
        answer = self._http.getresponse()
        content = answer.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            raise ProtocolError(f"{self._address} answered with more than {MAX_ANSWER_BYTES >> 20} MiB")
        if answer.will_close:
            self._http.close()
        return WebAnswer(
            answer.status, answer.headers.get("content-type", ""), content, answer.headers.get("retry-after", "")
        )
