"""TLS contexts from PEM files: TLS 1.2 and 1.3, certificates checked, also for being revoked (PS3.15 B.9 to B.12, BCP
195).

DICOM peers are known by AE title and address, and their certificates by the CA that a hospital names: where
authorities are named, the host's name is not looked for in the certificate. Where none are, those of the machine vouch
for everybody on the internet, so the certificate must name the host.
"""

from __future__ import annotations

import ssl
from dataclasses import field
from pathlib import Path
from typing import Final

from openmodality.errors import ConfigurationError
from openmodality.value_class import dataclass

_NOT_ITS_KEY: Final = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})
_NO_PEM: Final = frozenset({None, "NO_CERTIFICATE_OR_CRL_FOUND"})
_DH_PARAMETERS: Final = Path(__file__).with_name("ffdhe2048.pem")
"""The group ffdhe2048 of RFC 7919, as parameters for openssl. A server has none by itself, and without them no DHE
suite can be agreed on.
"""
_PASSPHRASE_ADVICE: Final = (
    "'openssl pkey -in FILE -out NEW' takes it away; in a site file tls.passphrase_file or tls.passphrase_credential"
    " names it"
)
_SEPARATE: Final = "certificates of CAs stand in the file of the CA certificates"
_PEM_ADVICE: Final = "it must be a PEM file; 'openssl x509' and 'openssl pkey' convert others"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one side.

    ``certificate`` is our own, with those between it and its CA; ``private_key`` where the key is not in the same file;
    ``authorities`` are the certificates of the CAs that we trust. With ``revocation_lists`` each certificate is looked
    for in the list of its CA, and refused where that is missing or out of date. ``passphrase`` opens the private key.
    """

    certificate: Path | None = None
    private_key: Path | None = None
    authorities: tuple[Path, ...] = ()
    revocation_lists: tuple[Path, ...] = ()
    passphrase: str | None = field(default=None, repr=False)


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
    load_our_own(context, files)
    for path in files.authorities:
        load_authorities(context, path)
    for path in files.revocation_lists:
        load_revocation_lists(context, path)
    return context


def load_revocation_lists(context: ssl.SSLContext, path: Path) -> None:
    """Let a context refuse the certificates on these lists. Raises :class:`ConfigurationError` where there is none."""
    before = context.cert_store_stats()
    load_authorities(context, path, "revocation list")
    after = context.cert_store_stats()
    if after["x509"] != before["x509"]:  # or whoever may write this file could name a CA
        raise ConfigurationError(f"{path}: there are certificates beside the revocation lists", advice=_SEPARATE)
    if after["crl"] == before["crl"]:
        raise _report_missing(path, "revocation list", _PEM_ADVICE)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


def load_authorities(context: ssl.SSLContext, path: Path, content: str = "certificate") -> None:
    """Let a context trust the CAs of a file. Raises :class:`ConfigurationError`; it says that it has no ``content``."""
    _check_readable(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        if error.reason in _NO_PEM:
            raise _report_missing(path, content, _PEM_ADVICE) from error
        raise _explain_unusable(path, error) from error


def load_our_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Let a context show our certificate, where there is one. Raises :class:`ConfigurationError` as the others do."""
    certificate = files.certificate
    if certificate is None:
        return
    load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)  # else it is not told which file is no PEM
    key = files.private_key or certificate
    _check_readable(key)
    asked = []

    def give_passphrase() -> str:  # without it OpenSSL would ask on the terminal, which a device does not have
        asked.append(key)
        if files.passphrase is None:
            raise ConfigurationError(f"{key}: the private key is under a passphrase", advice=_PASSPHRASE_ADVICE)
        return files.passphrase

    try:
        context.load_cert_chain(certificate, key, give_passphrase)
    except (ssl.SSLError, ValueError) as error:  # a passphrase of more than 1024 bytes is a ValueError
        if asked:
            raise ConfigurationError(f"{key}: the passphrase does not open the private key") from error
        raise _explain_no_pair(certificate, key, error) from error


def _explain_no_pair(certificate: Path, key: Path, error: Exception) -> ConfigurationError:
    reason = getattr(error, "reason", None)
    if reason in _NOT_ITS_KEY:
        return ConfigurationError(f"{key}: is not the private key of the certificate in {certificate}")
    if reason in _NO_PEM:
        advice = _PEM_ADVICE if key != certificate else "name the private key's own file as well"
        return _report_missing(key, "private key", advice)
    return _explain_unusable(certificate, error)


def read_passphrase(file: Path) -> str:
    """The one line of a file. Raises :class:`ConfigurationError` where it cannot be read or is no such line."""
    try:
        text = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read") from error
    if not text or "\n" in text:
        raise ConfigurationError(f"{file} is empty, or has more than one line")
    return text


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error


def _report_missing(path: Path, content: str, advice: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: there is no {content} in it", advice=advice)


def _explain_unusable(path: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{path}: the certificate cannot be used: {getattr(error, 'reason', None) or error}")
