"""TLS contexts from PEM files: what they check, and how each file that cannot be used is named."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from openmodality.errors import ConfigurationError
from openmodality.network.tls import TlsFiles, client_context, server_context
from tests.interop.certificates import KeyPair, key_pair, lock_key


def said(files: TlsFiles) -> str:
    """The error that both roles make of the files."""
    texts = set()
    for make in (client_context, server_context):
        with pytest.raises(ConfigurationError) as caught:
            make(files)
        texts.add(str(caught.value))
    [text] = texts
    return text


def test_a_client_checks_the_peer_by_the_authorities_alone_where_they_are_named(keys: KeyPair) -> None:
    context = client_context(TlsFiles(authorities=(keys.authority,)))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


def test_a_client_that_trusts_the_machines_authorities_checks_the_host_too() -> None:
    context = client_context(TlsFiles())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_several_authorities_are_trusted(keys: KeyPair, strangers: KeyPair) -> None:
    context = client_context(TlsFiles(authorities=(keys.authority, strangers.authority)))
    assert context.cert_store_stats()["x509"] == 2


def test_a_server_asks_for_certificates_where_it_has_an_authority_for_them(keys: KeyPair) -> None:
    ours = TlsFiles(keys.certificate, keys.key)
    assert server_context(ours).verify_mode is ssl.CERT_NONE
    mutual = TlsFiles(keys.certificate, keys.key, (keys.authority,))
    assert server_context(mutual).verify_mode is ssl.CERT_REQUIRED


def test_nothing_older_than_tls_1_2_is_spoken(keys: KeyPair) -> None:
    assert client_context(TlsFiles()).minimum_version is ssl.TLSVersion.TLSv1_2
    assert server_context(TlsFiles(keys.certificate, keys.key)).minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_key_may_be_in_the_file_of_the_certificate(tmp_path: Path, keys: KeyPair) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(keys.certificate.read_bytes() + keys.key.read_bytes())
    client_context(TlsFiles(both))
    assert said(TlsFiles(keys.certificate)) == (
        f"{keys.certificate}: there is no private key in it; name the private key's own file as well"
    )


def test_a_key_that_does_not_fit_is_named(keys: KeyPair, strangers: KeyPair) -> None:
    assert said(TlsFiles(keys.certificate, strangers.key)) == (
        f"{strangers.key}: is not the private key of the certificate in {keys.certificate}"
    )


def test_a_key_under_a_passphrase_is_opened_and_nobody_is_asked(keys: KeyPair) -> None:
    locked = lock_key(keys, "secret")
    text = said(TlsFiles(keys.certificate, locked))
    assert text.startswith(f"{locked}: the private key is under a passphrase; 'openssl pkey ")
    client_context(TlsFiles(keys.certificate, locked, passphrase="secret"))
    for wrong in ("", "Secret", "x" * 2000):
        files = TlsFiles(keys.certificate, locked, passphrase=wrong)
        assert said(files) == f"{locked}: the passphrase does not open the private key"
        assert wrong == "" or wrong not in repr(files)
    client_context(TlsFiles(keys.certificate, keys.key, passphrase="not needed"))


def test_revocation_lists_are_looked_at(keys: KeyPair, strangers: KeyPair) -> None:
    lists = [keys.authority.with_name(f"hospital{kind}.crl") for kind in ("", "-none", "-old")]
    for context in (
        client_context(TlsFiles(authorities=(keys.authority,), revocation_lists=(lists[1],))),
        server_context(TlsFiles(keys.certificate, keys.key, (keys.authority,), (lists[0], lists[2]))),
    ):
        assert context.verify_flags & ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        assert context.cert_store_stats()["crl"] >= 1
    assert not client_context(TlsFiles()).verify_flags & ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    files = TlsFiles(keys.certificate, keys.key, (keys.authority,), (strangers.authority,))
    assert said(files).startswith(f"{strangers.authority}: there are certificates beside the revocation lists; ")
    no_list = TlsFiles(keys.certificate, keys.key, (keys.authority,), (keys.key,))
    assert said(no_list).startswith(f"{keys.key}: there is no revocation list in it; ")


@pytest.mark.parametrize(
    "content", [b"", b"nothing of the kind", b"\x30\x82\x03\x00 DER"], ids=["empty", "text", "DER"]
)
def test_a_file_that_is_no_pem_is_named(tmp_path: Path, keys: KeyPair, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert said(TlsFiles(authorities=(keys.authority, file))).startswith(f"{file}: there is no certificate in it; ")
    assert said(TlsFiles(file, keys.key)).startswith(f"{file}: there is no certificate in it; it must be a PEM file")
    assert said(TlsFiles(keys.certificate, file)).startswith(f"{file}: there is no private key in it; it must be a PEM")


def test_certificate_and_key_the_wrong_way_round(keys: KeyPair) -> None:
    assert said(TlsFiles(keys.key, keys.certificate)).startswith(f"{keys.key}: there is no certificate in it")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, keys: KeyPair) -> None:
    lost = tmp_path / "lost.pem"
    for files in (
        TlsFiles(authorities=(lost,)),
        TlsFiles(lost, keys.key),
        TlsFiles(keys.certificate, lost),
        TlsFiles(lost),
    ):
        assert said(files) == f"{lost}: cannot be read: No such file or directory"
    assert said(TlsFiles(tmp_path)) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_key_that_openssl_finds_too_weak_is_named(tmp_path: Path) -> None:
    weak = key_pair(tmp_path, "weak", key_bits=1024)
    assert said(TlsFiles(weak.certificate, weak.key)) == (
        f"{weak.certificate}: the certificate cannot be used: EE_KEY_TOO_SMALL"
    )
