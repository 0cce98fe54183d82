from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.activities.tls import make_client_context, make_server_context
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from tests.interop.certificates import key_pair

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
