"""What certificates and revocation lists say: whose they are, and until when."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from openmodality.errors import ConfigurationError
from openmodality.value_class import dataclass

_CRL_BLOCK: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate, or a revocation list; moments are seconds since the epoch."""

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


def read_revocation_lists(path: Path) -> list[CertificateFacts]:
    """The revocation lists of a PEM file: whose they are, when they were made, and when the next one is due.

    Raises :class:`ConfigurationError` where there is none to be read.
    """
    try:
        lists = [x509.load_pem_x509_crl(block) for block in _CRL_BLOCK.findall(path.read_bytes())]
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} holds a revocation list that cannot be read") from error
    if not lists:
        raise ConfigurationError(f"{path} holds no revocation list in PEM")
    return [_read_list(each) for each in lists]


def _read_list(each: x509.CertificateRevocationList) -> CertificateFacts:
    issuer, due = each.issuer.rfc4514_string(), each.next_update_utc
    subject = f"revocation list, certificates on it: {len(each)}"
    return CertificateFacts(subject, issuer, each.last_update_utc.timestamp(), due.timestamp() if due else math.inf)


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
