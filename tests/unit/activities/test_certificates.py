"""Who is told of certificates and revocation lists that end, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openmodality.activities.certificates import judge_validity, list_certificate_files, warn_of_certificates
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.network.certificates import CertificateFacts, read_certificates, read_revocation_lists
from tests.interop.certificates import KeyPair, key_pair

BEGIN, END = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("short"), "short", valid=(BEGIN, END))


def write_site(folder: Path, pair: KeyPair, *more: str) -> Site:
    files = (
        f'certificate = "{pair.certificate}"', f'private_key = "{pair.key}"', f'ca_certificates = "{pair.authority}"',
        *more,
    )  # fmt: skip
    (folder / "site.toml").write_text('profile = "mr"\n[tls]\n' + "\n".join(files) + "\n", "utf-8")
    return load_site(folder)


@pytest.mark.parametrize(
    ("moment", "event", "says"),
    [
        (END - 31 * DAY, "", ""),
        (END - 29 * DAY, "certificate.ends_soon", "CN=short of CN=CA of short ends on 2026-06-01, in 29 days"),
        (END + DAY, "certificate.has_ended", "ended on 2026-06-01: peers are refused, or refuse it"),
        (BEGIN - DAY, "certificate.not_valid_yet", "is good from 2026-01-01 on"),
    ],
)
def test_the_log_warns_before_and_after_the_end(
    tmp_path: Path, short: KeyPair, caplog: pytest.LogCaptureFixture, moment: datetime, event: str, says: str
) -> None:
    warn_of_certificates(write_site(tmp_path, short), moment.timestamp())
    assert [record.message for record in caplog.records] == ([event] if event else [])
    for record in caplog.records:
        assert says in vars(record)["reason"]
        assert vars(record)["file"] == str(short.certificate)


def test_the_site_says_how_long_before(tmp_path: Path, short: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    site = write_site(tmp_path, short, "expiry_warning_days = 5")
    warn_of_certificates(site, (END - 6 * DAY).timestamp())
    assert not caplog.records
    warn_of_certificates(site, (END - 4 * DAY).timestamp())
    assert len(caplog.records) == 1


def test_revocation_lists_are_watched_too(tmp_path: Path, short: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    lists = tmp_path / "lists.pem"
    lists.write_bytes(b"".join(short.authority.with_name(f"short{kind}.crl").read_bytes() for kind in ("", "-old")))
    site = write_site(tmp_path, short, f'revocation_lists = "{lists}"')
    assert [file.used_for for file in list_certificate_files(site)][2] == "certificates that are refused"
    warn_of_certificates(site, (BEGIN + 3 * DAY).timestamp())
    [told] = [vars(record)["reason"] for record in caplog.records]
    assert told.startswith("revocation list, certificates on it: 0 of CN=CA of short ended on 2026-01-02")
    assert len(read_revocation_lists(lists)) == 2


def test_what_cannot_be_read_is_told(tmp_path: Path, short: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    site = write_site(tmp_path, short, f'revocation_lists = "{short.certificate}"')
    warn_of_certificates(site, BEGIN.timestamp())
    assert [record.message for record in caplog.records] == ["certificate.unreadable"]


def test_a_certificate_at_its_borders(short: KeyPair) -> None:
    facts = CertificateFacts("a", "b", 1000.0, 2000.0)
    assert [judge_validity(facts, now, 0) for now in (999.0, 1000.0, 1999.0, 2000.0)] == [
        "not_yet", "good", "good", "over",
    ]  # fmt: skip
    [read] = read_certificates(short.certificate)
    assert str(read) == "CN=short, issued by CN=CA of short, good from 2026-01-01 to 2026-06-01"
