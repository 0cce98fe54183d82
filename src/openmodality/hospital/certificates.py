"""Certificates of an invented authority: for the hospital's audit repository, and for a device that delivers to it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openmodality.network.tls import TlsFiles
from openmodality.store.private_files import make_private_folder, open_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY: Final = "ca.pem"
DEVICE: Final = ("device.pem", "device.key")
_REPOSITORY: Final = ("repository.pem", "repository.key")
_DAYS: Final = 3650


def make_certificates(folder: Path) -> TlsFiles:
    """The files of the repository in a folder, made where they are not there yet; those of a device are beside them."""
    files = [folder / name for name in (AUTHORITY, *_REPOSITORY, *DEVICE)]
    if not all(file.exists() for file in files):
        make_private_folder(folder, ())
        _make_all(folder)
    return TlsFiles(folder / _REPOSITORY[0], folder / _REPOSITORY[1], (folder / AUTHORITY,))


def _make_all(folder: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - start-up time

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign("OpenModality invented authority", authority_key, None, authority_key)
    _write(folder / AUTHORITY, _encode(authority))
    for (certificate_file, key_file), name in ((_REPOSITORY, "audit repository"), (DEVICE, "device")):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder / certificate_file, _encode(_sign(name, key, authority, authority_key)))
        _write(folder / key_file, _encode_key(key))


def _sign(
    name: str, key: EllipticCurvePrivateKey, issuer: x509.Certificate | None, issuer_key: EllipticCurvePrivateKey
) -> x509.Certificate:
    from cryptography import x509  # noqa: PLC0415 - start-up time
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - likewise

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    is_authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=is_authority, crl_sign=is_authority,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if not is_authority:
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _encode(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - start-up time

    return certificate.public_bytes(Encoding.PEM)


def _encode_key(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - start-up time
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes) -> None:
    with open(file, "wb", opener=open_private) as stream:
        stream.write(content)
