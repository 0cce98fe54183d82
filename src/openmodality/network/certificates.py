"""What the certificates of a PEM file say: whose they are, and until when."""

from __future__ import annotations

from dataclasses import dataclass
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


def read_certificates(path: Path) -> list[CertificateFacts]:
    """The certificates of a file. Raises :class:`ConfigurationError` where there is none to be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no certificate in PEM") from error
    return [
        CertificateFacts(
            each.subject.rfc4514_string(),
            each.issuer.rfc4514_string(),
            each.not_valid_before_utc.timestamp(),
            each.not_valid_after_utc.timestamp(),
        )
        for each in found
    ]
