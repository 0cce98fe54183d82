"""A device that runs for a long time looks at its certificates again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openmodality.app.certificate_watch import CertificateWatch
from openmodality.device.site.site_loader import load_site
from tests.interop.certificates import key_pair
from tests.peers.process import wait_until

END = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_device_that_runs_looks_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pair = key_pair(tmp_path, "short", valid=(END - timedelta(days=300), END))
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n[tls]\ncertificate = "{pair.certificate}"\n', "utf-8")
    now = [END - timedelta(days=90)]
    with CertificateWatch(load_site(tmp_path), lambda: now[0].timestamp(), pause_s=0.01):
        assert not caplog.records
        now[0] = END
        wait_until(lambda: bool(caplog.records), timeout_s=10)
    assert caplog.records[0].message == "certificate.has_ended"
