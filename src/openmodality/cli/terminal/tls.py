"""TLS for commands without a site file: the options, and the context that they mean.

Any of the options asks for TLS, so that none is forgotten and patient data goes out in the clear. The library is
imported only then: a plain ``openmodality echo`` must start in about a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.values import existing_file
from openmodality.errors import UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from openmodality.cli.terminal.arguments import Parser, WordValues

    _File = Path | None
    _Files = tuple[Path, ...]

_KEY_HELP: Final = "Private key of our certificate (PEM, no passphrase).  [default: in the file of the certificate]"


def add_tls(parser: Parser) -> None:
    """Declare the options of a command that calls a peer; it gets ``tls``, a context for the peer, or ``None``."""
    parser.add_argument(
        "--tls",
        action="store_true",
        help="Reach PEER under TLS; each --tls option implies it. For a PEER given as AETITLE@host:port.",
    )
    _add_files(
        parser,
        "CA certificates (PEM) that vouch for PEER. May be repeated."
        "  [default: this machine's, and PEER's certificate must name its host]",
        "Our certificate (PEM), with those between it and its CA.  [default: none is shown]",
    )
    parser.change_after(lambda values: _make(_client, values))


def add_listening_tls(parser: Parser) -> None:
    """Declare the options of a command that listens; it gets ``tls``, a context for who connects, or ``None``."""
    parser.add_argument(
        "--tls",
        action="store_true",
        help="Take TLS connections only; each --tls option implies it. Needs --tls-cert.",
    )
    _add_files(
        parser,
        "CA certificates (PEM): who connects must show a certificate that they vouch for. May be repeated."
        "  [default: no certificate is asked for]",
        "Our certificate (PEM), with those between it and its CA.",
    )
    parser.change_after(lambda values: _make(_server, values))


def _add_files(parser: Parser, authorities: str, certificate: str) -> None:
    file: WordValues = {"metavar": "FILE", "type": existing_file}
    parser.add_argument("--tls-ca", action="append", default=[], help=authorities, **file)
    parser.add_argument("--tls-cert", help=certificate, **file)
    parser.add_argument("--tls-key", help=_KEY_HELP, **file)


def _make(context: Callable[[_File, _File, _Files], ssl.SSLContext], values: WordValues) -> None:
    """Put ``tls`` in the place of the options."""
    enabled, *files = (values.pop(name) for name in ("tls", "tls_cert", "tls_key", "tls_ca"))
    values["tls"] = context(*files) if enabled or any(files) else None


def _client(certificate: _File, private_key: _File, authorities: _Files) -> ssl.SSLContext:
    if private_key and not certificate:
        raise UsageError("--tls-key needs --tls-cert", advice="name the certificate that the key belongs to")
    from openmodality.network.tls import TlsFiles, client_context  # noqa: PLC0415 - start-up time: most are plain

    context = client_context(TlsFiles(certificate, private_key, authorities))
    _warn_readable(private_key or certificate)
    return context


def _server(certificate: _File, private_key: _File, authorities: _Files) -> ssl.SSLContext:
    if not certificate:
        raise UsageError("to listen under TLS needs --tls-cert", advice="and --tls-key where the key has its own file")
    from openmodality.network.tls import TlsFiles, server_context  # noqa: PLC0415 - start-up time: most are plain

    context = server_context(TlsFiles(certificate, private_key, authorities))
    _warn_readable(private_key or certificate)
    return context


def _warn_readable(key: _File) -> None:
    from openmodality.device.site.permissions import warn_readable_by_all  # noqa: PLC0415 - likewise

    warn_readable_by_all([key] if key else [])
