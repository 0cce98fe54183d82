"""What the certificates of a PEM file say: whose they are, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from openmodality.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate; moments are seconds since the epoch."""

    subject: str
    issuer: str
    begins_at: float
    ends_at: float

    def __str__(self) -> str:
        begins, ends = (datetime.fromtimestamp(each, UTC).date() for each in (self.begins_at, self.ends_at))
        return f"{self.subject}, issued by {self.issuer}, good from {begins} to {ends}"


def read_certificates(path: Path) -> list[CertificateFacts]:
    """The certificates of a file. Raises :class:`ConfigurationError` where there is none to be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no certificate in PEM") from error
    return list(map(_read_facts, found))


def read_certificate(der: bytes) -> CertificateFacts:
    """What a certificate in DER says. Raises :class:`ConfigurationError` where it is none."""
    try:
        return _read_facts(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise ConfigurationError("what the other side shows is no certificate") from error


def _read_facts(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
    )
