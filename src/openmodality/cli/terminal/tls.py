"""TLS for commands without a site file: the options, and the context that they mean.

Any of the options asks for TLS, so that none is forgotten and patient data goes out in the clear. The library is
imported only then: a plain ``openmodality echo`` must start in about a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.values import existing_file
from openmodality.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from openmodality.cli.terminal.arguments import Parser, WordValues
    from openmodality.network.tls import TlsFiles

_KEY_HELP: Final = "Private key of our certificate (PEM).  [default: in the file of the certificate]"
_PASSPHRASE_HELP: Final = "File with the passphrase of the private key.  [default: it has none]"
_CRL_HELP: Final = (
    "Certificate revocation lists (PEM) of those CAs: what is on one is refused, and what has none. May be repeated."
    "  [default: nobody looks for it]"
)
_LEGACY_HELP: Final = "Allow TLS 1.0 and 1.1 and their cipher suites, for peers that have nothing better."


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
    """Declare the options of a command that listens; it gets ``tls``, a context for whoever connects, or ``None``."""
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
    parser.add_argument("--tls-passphrase-file", help=_PASSPHRASE_HELP, **file)
    parser.add_argument("--tls-crl", action="append", default=[], help=_CRL_HELP, **file)
    parser.add_argument("--tls-legacy", action="store_true", help=_LEGACY_HELP)


def _make(context: Callable[[TlsFiles], ssl.SSLContext], values: WordValues) -> None:
    """Put ``tls`` in the place of the options."""
    enabled, legacy = values.pop("tls"), values.pop("tls_legacy")
    names = ("tls_cert", "tls_key", "tls_ca", "tls_crl", "tls_passphrase_file")
    certificate, private_key, authorities, lists, passphrase = files = tuple(values.pop(name) for name in names)
    values["tls"] = None
    if not (enabled or legacy or any(files)):
        return
    from openmodality.network.cipher_suites import use_cipher_suites  # noqa: PLC0415 - start-up time: most are plain
    from openmodality.network.tls import TlsFiles  # noqa: PLC0415 - likewise

    secret = None if passphrase is None else _read_passphrase(passphrase)
    values["tls"] = made = context(TlsFiles(certificate, private_key, tuple(authorities), tuple(lists), secret))
    use_cipher_suites(made, (), legacy=legacy, where="--tls-legacy")
    _warn_readable(private_key or certificate)
    _warn_readable(passphrase)


def _read_passphrase(file: Path) -> str:
    from openmodality.network.tls import read_passphrase  # noqa: PLC0415 - start-up time: most are plain

    try:
        return read_passphrase(file)
    except ConfigurationError as error:
        raise UsageError(f"--tls-passphrase-file: {error.message}") from error


def _client(files: TlsFiles) -> ssl.SSLContext:
    if files.private_key and not files.certificate:
        raise UsageError("--tls-key needs --tls-cert", advice="name the certificate that the key belongs to")
    from openmodality.network.tls import client_context  # noqa: PLC0415 - start-up time: most are plain

    return client_context(files)


def _server(files: TlsFiles) -> ssl.SSLContext:
    if not files.certificate:
        raise UsageError("to listen under TLS needs --tls-cert", advice="and --tls-key where the key has its own file")
    from openmodality.network.tls import server_context  # noqa: PLC0415 - start-up time: most are plain

    return server_context(files)


def _warn_readable(key: Path | None) -> None:
    from openmodality.device.site.permissions import warn_readable_by_all  # noqa: PLC0415 - likewise

    warn_readable_by_all([key] if key else [])
