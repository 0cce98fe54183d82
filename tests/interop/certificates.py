"""Certificates for the tests, made on the spot: an authority, and keys that it vouches for."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_BEGIN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_END = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate for 127.0.0.1 and its private key, as PEM files, with the authority's certificate."""

    certificate: Path
    key: Path
    authority: Path

    def server(self, *, clients_need_certificates: bool = True) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if clients_need_certificates:
            context.load_verify_locations(self.authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, *, shows_certificate: bool = True) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.authority)
        if shows_certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def dcmtk(self) -> list[str | Path]:
        """The options of DCMTK's programs."""
        return ["+tls", self.key, self.certificate, "+cf", self.authority]


def key_pair(
    folder: Path,
    name: str,
    *,
    key_bits: int = 2048,
    signs_itself: bool = False,
    valid: tuple[datetime.datetime, datetime.datetime] = (_BEGIN, _END),
) -> KeyPair:
    """A new authority and a key pair of it, or one that vouches for itself; with lists of what it has revoked.

    Those of one name have the same keys as long as the process runs: to make keys takes longer than most tests.
    ``NAME.crl`` has the key pair's certificate on it, ``NAME-none.crl`` nothing, and ``NAME-old.crl`` is out of date.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, own_key = _make_key(f"CA of {name}", 2048), _make_key(name, key_bits)
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (f"CA of {name}", name))
    if signs_itself:
        authority_key, issuer = own_key, subject
    authority = (
        _builder(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        _builder(subject, issuer, own_key.public_key(), valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address, x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pair = KeyPair(folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}-ca.pem")
    pem = serialization.Encoding.PEM
    pair.certificate.write_bytes(certificate.public_bytes(pem))
    pair.authority.write_bytes(authority.public_bytes(pem))
    pair.authority.with_name(f"{name}.crl").write_bytes(_revoke(certificate, issuer, authority_key).public_bytes(pem))
    pair.authority.with_name(f"{name}-none.crl").write_bytes(_list_nothing(issuer, authority_key))
    ended = (valid[0], valid[0] + datetime.timedelta(days=1))
    pair.authority.with_name(f"{name}-old.crl").write_bytes(_list_nothing(issuer, authority_key, ended))
    pair.key.touch(0o600)
    pair.key.write_bytes(
        own_key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    return pair


@cache
def _make_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def lock_key(pair: KeyPair, passphrase: str) -> Path:
    """The private key of a pair under a passphrase, in a file beside it."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    locked = pair.key.with_suffix(".locked.key")
    locked.touch(0o600)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )
    )
    return locked


def _revoke(certificate: x509.Certificate, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateRevocationList:
    revoked = x509.RevokedCertificateBuilder(certificate.serial_number, _BEGIN).build()
    builder = x509.CertificateRevocationListBuilder(issuer, _BEGIN, _END, revoked_certificates=[revoked])
    return builder.sign(key, hashes.SHA256())


def _list_nothing(
    issuer: x509.Name, key: rsa.RSAPrivateKey, valid: tuple[datetime.datetime, datetime.datetime] = (_BEGIN, _END)
) -> bytes:
    """A list of a CA that has revoked nothing, as PEM."""
    builder = x509.CertificateRevocationListBuilder(issuer, *valid)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey,
    valid: tuple[datetime.datetime, datetime.datetime] = (_BEGIN, _END),
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip
