"""TLS contexts from PEM files: TLS 1.2 and 1.3, certificates checked (PS3.15 B.9 to B.12, BCP 195).

DICOM peers are known by AE title and address, and their certificates by the CA that a hospital names: where
authorities are named, the host's name is not looked for in the certificate. Where none are, those of the machine vouch
for everybody on the internet, so the certificate must name the host.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openmodality.errors import ConfigurationError

_NOT_ITS_KEY: Final = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})
_NO_PEM: Final = frozenset({None, "NO_CERTIFICATE_OR_CRL_FOUND"})
_DH_PARAMETERS: Final = Path(__file__).with_name("ffdhe2048.pem")
"""The group ffdhe2048 of RFC 7919, as parameters for openssl. A server has none by itself, and without them no DHE
suite can be agreed on.
"""
_PEM_ADVICE: Final = "it must be a PEM file; 'openssl x509' and 'openssl pkey' convert others"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one side.

    ``certificate`` is our own, with those between it and its CA; ``private_key`` where the key is not in the same file;
    ``authorities`` are the certificates of the CAs that we trust.
    """

    certificate: Path | None = None
    private_key: Path | None = None
    authorities: tuple[Path, ...] = ()


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Make the context for associations that we open.

    Raises :class:`ConfigurationError` where a file is wrong; it names the file and the fault.
    """
    context = _make_context(ssl.PROTOCOL_TLS_CLIENT, files)
    if files.authorities:
        context.check_hostname = False
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Make the context for connections that we accept; where there are authorities, only from peers that they vouch
    for.

    Raises :class:`ConfigurationError` where a file is wrong; it names the file and the fault.
    """
    context = _make_context(ssl.PROTOCOL_TLS_SERVER, files)
    context.load_dh_params(str(_DH_PARAMETERS))
    if files.authorities:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _make_context(protocol: int, files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate is not None:
        _load_our_own(context, files.certificate, files.private_key)
    for path in files.authorities:
        _load_authorities(context, path)
    return context


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    _check_readable(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        if error.reason in _NO_PEM:
            raise _report_missing(path, "certificate", _PEM_ADVICE) from error
        raise _explain_unusable(path, error) from error


def _load_our_own(context: ssl.SSLContext, certificate: Path, private_key: Path | None) -> None:
    _load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)  # else it is not told which file is no PEM
    key = private_key or certificate
    _check_readable(key)

    def passphrase() -> str:  # without it OpenSSL would ask on the terminal, which a device does not have
        raise ConfigurationError(
            f"{key}: the private key is under a passphrase", advice="'openssl pkey -in FILE -out NEW' takes it away"
        )

    try:
        context.load_cert_chain(certificate, key, passphrase)
    except ssl.SSLError as error:
        if error.reason in _NOT_ITS_KEY:
            raise ConfigurationError(f"{key}: is not the private key of the certificate in {certificate}") from error
        if error.reason in _NO_PEM:
            advice = _PEM_ADVICE if private_key else "name the private key's own file as well"
            raise _report_missing(key, "private key", advice) from error
        raise _explain_unusable(certificate, error) from error


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error


def _report_missing(path: Path, content: str, advice: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: there is no {content} in it", advice=advice)


def _explain_unusable(path: Path, error: ssl.SSLError) -> ConfigurationError:
    return ConfigurationError(f"{path}: the certificate cannot be used: {error.reason}")
