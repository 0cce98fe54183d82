"""TLS for commands without a site file: the options, and the context that they mean.

Any of the options asks for TLS, so that none is forgotten and patient data goes out in the clear. The library is
imported only then: a plain ``openmodality echo`` must start in about a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from openmodality.errors import UsageError

if TYPE_CHECKING:
    import ssl

_Command = Callable[..., None]
_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_KEY_HELP: Final = "Private key of our certificate (PEM, no passphrase).  [default: in the file of the certificate]"


class _Asked(NamedTuple):
    """The options as given."""

    enabled: bool
    authorities: tuple[Path, ...]
    certificate: Path | None
    private_key: Path | None


def tls_options(command: _Command) -> _Command:
    """The options of a command that calls a peer; it gets ``tls``, a context for the peer, or ``None``."""
    options = (
        _switch("Reach PEER under TLS; each --tls option implies it. For a PEER given as AETITLE@host:port."),
        _authorities(
            "CA certificates (PEM) that vouch for PEER. May be repeated."
            "  [default: this machine's, and PEER's certificate must name its host]"
        ),
        _certificate("Our certificate (PEM), with those between it and its CA.  [default: none is shown]"),
        _private_key(),
    )
    return _with(options, command, _client)


def listening_tls_options(command: _Command) -> _Command:
    """The options of a command that listens; it gets ``tls``, a context for who connects, or ``None``."""
    options = (
        _switch("Take TLS connections only; each --tls option implies it. Needs --tls-cert."),
        _authorities(
            "CA certificates (PEM): who connects must show a certificate that they vouch for. May be repeated."
            "  [default: no certificate is asked for]"
        ),
        _certificate("Our certificate (PEM), with those between it and its CA."),
        _private_key(),
    )
    return _with(options, command, _server)


_Option = Callable[[_Command], _Command]


def _switch(text: str) -> _Option:
    return click.option("--tls", is_flag=True, help=text)


def _authorities(text: str) -> _Option:
    return click.option("--tls-ca", metavar="FILE", type=_FILE, multiple=True, help=text)


def _private_key() -> _Option:
    return click.option("--tls-key", metavar="FILE", type=_FILE, help=_KEY_HELP)


def _certificate(text: str) -> _Option:
    return click.option("--tls-cert", metavar="FILE", type=_FILE, help=text)


def _with(options: tuple[_Option, ...], command: _Command, make: Callable[[_Asked], ssl.SSLContext]) -> _Command:
    """The command under these options, which ``make`` turns into its parameter ``tls``."""

    @wraps(command)
    def under_options(
        *arguments: Any,
        tls: bool,
        tls_ca: tuple[Path, ...],
        tls_cert: Path | None,
        tls_key: Path | None,
        **others: Any,
    ) -> None:
        asked = _Asked(tls, tls_ca, tls_cert, tls_key)
        command(*arguments, tls=make(asked) if any(asked) else None, **others)

    decorated: _Command = under_options
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


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
