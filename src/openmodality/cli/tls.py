"""TLS for commands without a site file: the options, and the context that they mean.

Any of the options asks for TLS, so that none is forgotten and patient data goes out in the clear. The library is
imported only then: a plain ``openmodality echo`` must start in about a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openmodality.cli.values import existing_file
from openmodality.errors import UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from openmodality.cli.arguments import Parser, Values

_KEY_HELP: Final = "Private key of our certificate (PEM, no passphrase).  [default: in the file of the certificate]"


class _Asked(NamedTuple):
    """The options as given."""

    enabled: bool
    authorities: tuple[Path, ...]
    certificate: Path | None
    private_key: Path | None


class _Texts(NamedTuple):
    """What they mean."""

    enabled: str
    authorities: str
    certificate: str


_CLIENT: Final = _Texts(
    "Reach PEER under TLS; each --tls option implies it. For a PEER given as AETITLE@host:port.",
    "CA certificates (PEM) that vouch for PEER. May be repeated."
    "  [default: this machine's, and PEER's certificate must name its host]",
    "Our certificate (PEM), with those between it and its CA.  [default: none is shown]",
)
_SERVER: Final = _Texts(
    "Take TLS connections only; each --tls option implies it. Needs --tls-cert.",
    "CA certificates (PEM): who connects must show a certificate that they vouch for. May be repeated."
    "  [default: no certificate is asked for]",
    "Our certificate (PEM), with those between it and its CA.",
)


def add_tls(parser: Parser) -> None:
    """The options of a command that calls a peer; it gets ``tls``, a context for the peer, or ``None``."""
    _add(parser, _CLIENT, _client)


def add_listening_tls(parser: Parser) -> None:
    """The options of a command that listens; it gets ``tls``, a context for who connects, or ``None``."""
    _add(parser, _SERVER, _server)


def _add(parser: Parser, texts: _Texts, make: Callable[[_Asked], ssl.SSLContext]) -> None:
    parser.add_argument("--tls", action="store_true", help=texts.enabled)
    parser.add_argument(
        "--tls-ca", metavar="FILE", type=existing_file, action="append", default=[], help=texts.authorities
    )
    parser.add_argument("--tls-cert", metavar="FILE", type=existing_file, help=texts.certificate)
    parser.add_argument("--tls-key", metavar="FILE", type=existing_file, help=_KEY_HELP)

    def join(values: Values) -> None:
        asked = _Asked(*(values.pop(name) for name in ("tls", "tls_ca", "tls_cert", "tls_key")))
        values["tls"] = make(asked) if any(asked) else None

    parser.afterwards(join)


def _client(asked: _Asked) -> ssl.SSLContext:
    if asked.private_key and not asked.certificate:
        raise UsageError("--tls-key needs --tls-cert", advice="name the certificate that the key belongs to")
    from openmodality.network.tls import TlsFiles, client_context  # noqa: PLC0415 - start-up time: most are plain

    return client_context(TlsFiles(asked.certificate, asked.private_key, asked.authorities))


def _server(asked: _Asked) -> ssl.SSLContext:
    if not asked.certificate:
        raise UsageError("to listen under TLS needs --tls-cert", advice="and --tls-key where the key has its own file")
    from openmodality.network.tls import TlsFiles, server_context  # noqa: PLC0415 - start-up time: most are plain

    return server_context(TlsFiles(asked.certificate, asked.private_key, asked.authorities))
