from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request

from openmodality.console.address import is_asked_from_here, is_this_machine, list_hosts, make_link_url, make_url
from openmodality.device.site.site_file import ConsoleSettings
from openmodality.device.site.site_loader import load_site


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:11180"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "::1"}, "http://[::1]:11180"),
        ({"host": "scanner", "certificate": "a.pem"}, "https://scanner:11180"),
    ],
)
def test_where_the_console_is(settings: dict[str, object], url: str) -> None:
    assert make_url(ConsoleSettings.model_validate(settings)) == url
    assert make_link_url(url, "abc") == f"{url}/setup/abc"


@pytest.mark.parametrize(
    ("address", "header", "is_here"),
    [
        ("127.0.0.1", "accept", True),
        ("::1", "accept", True),
        ("10.1.2.3", "accept", False),
        ("127.0.0.1", "x-forwarded-for", False),
        ("127.0.0.1", "x-forwarded-proto", False),
        ("127.0.0.1", "forwarded", False),
        ("127.0.0.1", "x-real-ip", False),
        ("127.0.0.1", "via", False),
    ],
)
def test_who_asks_from_this_machine(address: str, header: str, is_here: bool) -> None:
    scope = {"type": "http", "client": (address, 4711), "headers": [(header.encode(), b"x")]}
    assert is_asked_from_here(Request(scope)) is is_here


def test_what_is_this_machine() -> None:
    assert all(map(is_this_machine, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_this_machine, ("0.0.0.0", "::", "192.168.1.2", "scanner")))


def test_names_by_which_it_may_be_called(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        'profile = "mr"\n[network]\nhost_name = "mr1"\n[console]\nhost = "0.0.0.0"\nallowed_hosts = ["mr1.example"]\n'
    )
    assert list_hosts(load_site(site)) == ["127.0.0.1", "localhost", "::1", "mr1", "mr1.example"]
