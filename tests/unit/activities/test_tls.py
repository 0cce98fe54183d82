from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from openmodality.activities.tls import (
    RenewedContext,
    find_unusable_suites,
    make_client_context,
    make_server_context,
    make_web_context,
    warn_of_suites,
)
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from tests.interop.certificates import KeyPair, key_pair, lock_key

PEER = '[peers.pacs]\nae_title = "PACS"\nhost = "localhost"\nport = 104\nservices = ["storage"]\n'
TLS = '[tls]\ncertificate = "own.pem"\nprivate_key = "own.key"\nca_certificates = "ca.pem"\n'


def test_no_context_where_no_peer_is_reached_under_tls(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', "utf-8")
    assert make_client_context(load_site(tmp_path)) is None


def test_a_file_that_cannot_be_used_is_named_with_its_place(tmp_path: Path) -> None:
    for name in ("own.pem", "own.key", "ca.pem"):
        (tmp_path / name).write_text("no PEM", "utf-8")
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}tls = true\n{TLS}', "utf-8")
    site = load_site(tmp_path)
    for make in (make_client_context, make_server_context):
        with pytest.raises(ConfigurationError, match=r"site\.toml: \[tls\]: .*own"):
            make(site)


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o600, False)])
def test_a_key_that_anybody_may_read_is_told_to_programs_that_only_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    own = key_pair(tmp_path, "own")
    own.key.chmod(mode)
    settings = f'certificate = "{own.certificate}"\nprivate_key = "{own.key}"\nca_certificates = "{own.authority}"\n'
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}tls = true\n[tls]\n{settings}', "utf-8")
    assert make_client_context(load_site(tmp_path)) is not None
    told = [vars(record)["file"] for record in caplog.records if record.message == "file.readable_by_all"]
    assert told == ([str(own.key)] if warned else [])


def write_site(folder: Path, keys: KeyPair, *lines: str, profile: str = "mr", key: Path | None = None) -> Site:
    settings = [
        f'certificate = "{keys.certificate}"', f'private_key = "{key or keys.key}"',
        f'ca_certificates = "{keys.authority}"', *lines,
    ]  # fmt: skip
    text = f'profile = "{profile}"\n{PEER}tls = true\n[tls]\n' + "\n".join(settings) + "\n"
    (folder / "site.toml").write_text(text, "utf-8")
    return load_site(folder)


def test_the_passphrase_comes_from_a_file(tmp_path: Path, keys: KeyPair) -> None:
    locked = lock_key(keys, "pass word")
    file = tmp_path / "passphrase"
    site = write_site(tmp_path, keys, key=locked)
    with pytest.raises(ConfigurationError, match="is under a passphrase"):
        make_server_context(site)
    file.write_text("pass word\n", "utf-8")
    site = write_site(tmp_path, keys, 'passphrase_file = "passphrase"', key=locked)
    assert make_client_context(site)
    make_server_context(site)
    make_web_context(site)
    for content, said in (
        ("other\n", "the passphrase does not open the private key"),
        ("", "is empty"),
        ("a\nb", "more"),
    ):
        file.write_text(content, "utf-8")
        with pytest.raises(ConfigurationError, match=rf"site\.toml: .*{said}"):
            make_server_context(site)
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"there is no file .*passphrase"):
        load_site(tmp_path)


def test_the_passphrase_is_a_credential_of_systemd(
    tmp_path: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = lock_key(keys, "secret")
    site = write_site(tmp_path, keys, 'passphrase_credential = "tls"', key=locked)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigurationError, match="systemd has given this process no credentials"):
        make_server_context(site)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"tls\.passphrase_credential: .*tls cannot be read"):
        make_server_context(site)
    (tmp_path / "tls").write_text("secret", "utf-8")
    make_server_context(site)
    with pytest.raises(ConfigurationError, match=r"passphrase_credential and passphrase_file are two places"):
        write_site(tmp_path, keys, 'passphrase_credential = "tls"', 'passphrase_file = "tls"')


def list_older(context: ssl.SSLContext) -> list[str]:
    return [str(suite["name"]) for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_suites_are_those_of_the_profile_in_its_order(tmp_path: Path, keys: KeyPair, profile: str) -> None:
    modern = write_site(tmp_path, keys, profile=profile)
    table = modern.profile.cipher_suites
    assert list_older(make_server_context(modern)) == [each.name for each in table if not each.is_legacy]
    assert find_unusable_suites(modern) == {}
    legacy = write_site(tmp_path, keys, "allow_legacy_tls = true", profile=profile)
    used = list_older(make_server_context(legacy))
    passed_over = {name for names in find_unusable_suites(legacy).values() for name in names}
    assert used == [each.name for each in table if each.name not in passed_over]
    assert {"mr": "NULL-SHA", "rf": "AES128-SHA"}[profile] in used


def test_a_site_chooses_suites_by_itself(tmp_path: Path, keys: KeyPair) -> None:
    site = write_site(tmp_path, keys, 'cipher_suites = ["ECDHE-RSA-AES128-GCM-SHA256"]')
    assert list_older(make_server_context(site)) == ["ECDHE-RSA-AES128-GCM-SHA256"]


def test_files_that_are_replaced_count_from_then_on(
    tmp_path: Path, keys: KeyPair, strangers: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    own = KeyPair(*(Path(shutil.copy(file, tmp_path)) for file in (keys.certificate, keys.key, keys.authority)))
    context = RenewedContext(write_site(tmp_path, own), make_server_context)
    first = context()
    (tmp_path / "another.txt").write_text("of no concern", "utf-8")
    assert context() is first
    replace(own.certificate, strangers.certificate)
    assert context() is first  # its key has not come yet
    replace(own.key, strangers.key)
    second = context()
    assert second is not first
    assert context() is second
    own.authority.unlink()
    assert context() is second
    told = [record.message for record in caplog.records if record.message.startswith("tls.")]
    assert told == ["tls.not_renewed", "tls.renewed", "tls.not_renewed"]


def replace(file: Path, other: Path) -> None:
    """As somebody does who renews a certificate: a new file takes the place of the old one."""
    new = file.with_suffix(".new")
    new.write_bytes(other.read_bytes())
    new.chmod(0o600)
    new.rename(file)


def test_what_cannot_be_used_is_named_once(tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_suites(write_site(tmp_path, keys))
    assert not caplog.records
    warn_of_suites(write_site(tmp_path, keys, "allow_legacy_tls = true", profile="rf"))
    [told] = [vars(record)["reason"] for record in caplog.records if record.message == "tls.suites_not_used"]
    assert told.startswith("needs a shared key or password, where this device has certificates: RSA-PSK-AES256-GCM")
    assert told.count("PSK-") + told.count("SRP-") >= 54
