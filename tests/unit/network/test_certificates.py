"""What certificates say of themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openmodality.errors import ConfigurationError
from openmodality.network.certificates import read_certificates

BEGINS = datetime(2026, 1, 2, tzinfo=UTC)


def make_certificate(name: str, days: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    signed = made.not_valid_before(BEGINS).not_valid_after(BEGINS + timedelta(days)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def test_each_certificate_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    path.write_bytes(make_certificate("device", 30) + make_certificate("authority", 300))
    found = read_certificates(path)
    assert [each.subject for each in found] == ["CN=device", "CN=authority"]
    assert found[0].issuer == "CN=device"
    assert (found[0].begins_at, found[0].ends_at) == (BEGINS.timestamp(), BEGINS.timestamp() + 30 * 86400)


def test_what_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_certificates(path)
    path.write_text("nothing")
    with pytest.raises(ConfigurationError, match="holds no certificate in PEM"):
        read_certificates(path)
