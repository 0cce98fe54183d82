from __future__ import annotations

import socket
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.cli.terminal.console import list_missing, serve_console
from openmodality.device.site.new_site import write_site
from openmodality.device.site.site_loader import load_site
from tests import plain_http
from tests.acceptance.command_line import finish, start
from tests.acceptance.hospital_site import in_hospital
from tests.acceptance.in_process import openmodality

PASSWORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "mr", "mr")


def test_serve_says_where_the_console_is_and_lets_the_first_user_in_once(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        port = load_site(place.site).settings.console.port
        process = start("serve", "-c", place.site, "--debug")
        assert process.stderr is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("serving"):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        url = f"http://127.0.0.1:{port}"
        assert f"console: {url}\n" in lines
        (setup,) = [word for line in lines if "add the first within an hour" in line for word in line.split()[-1:]]
        form = {"name": "anna", "password": PASSWORD, "repeated": PASSWORD}
        assert plain_http.post(setup, data=form, headers={"origin": url}, timeout=20).status_code == 303
        assert plain_http.get(setup, timeout=20).status_code == 410
        process.terminate()
        ended = finish(process)
        assert ended.status == 0
        secret = setup.rpartition("/")[2]
        said = [line for line in [*lines, *ended.err.splitlines()] if secret in line]
        assert len(said) == 1, "to the person who started it, and to no log"


def test_a_device_serves_without_its_console_where_the_port_is_taken(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place, socket.socket() as taken:
        taken.bind(("127.0.0.1", load_site(place.site).settings.console.port))
        taken.listen()
        process = start("serve", "-c", place.site)
        assert process.stderr is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("serving"):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        link = openmodality("console", "link", "-c", place.site)
        port = load_site(place.site).settings.console.port
        assert f"port {port} is taken, as by the console of another device" in link.err
        process.terminate()
        assert finish(process).status == 0
        assert any("no console: the console cannot listen on" in line for line in lines)


def test_users_are_added_listed_changed_and_let_in_by_links(site: Path) -> None:
    first = openmodality("console", "link", "-c", site)
    assert first.out.startswith("http://127.0.0.1:11180/setup/")
    added = openmodality("console", "user", "add", "bob", "--role", "operator", "-c", site)
    assert added.out.startswith("http://127.0.0.1:11180/setup/")
    assert added.out != first.out
    again = openmodality("console", "user", "add", "bob", "--role", "viewer", "-c", site)
    assert (again.status, "there is a user bob already" in again.error_line) == (1, True)
    assert "not chosen yet" in openmodality("console", "user", "list", "-c", site).out
    changed = openmodality("console", "user", "change", "bob", "--role", "viewer", "--disable", "-c", site)
    assert changed.out == "user bob: viewer, disabled\n"
    assert openmodality("console", "user", "change", "bob", "--enable", "-c", site).out == "user bob: viewer\n"
    assert openmodality("console", "user", "change", "bob", "-c", site).status == 2
    assert openmodality("console", "user", "link", "eve", "-c", site).status == 1
    assert openmodality("console", "user", "add", "eve", "-c", site).status == 2, "a user has a role"
    taken = openmodality("console", "link", "-c", site)
    assert (taken.status, "users already" in taken.error_line) == (1, True)


def test_tokens_are_shown_once(site: Path) -> None:
    made = openmodality("console", "token", "add", "scanner", "--scope", "view", "--days", "30", "-c", site)
    assert len(made.out.strip()) >= 43
    listed = openmodality("console", "token", "list", "-c", site)
    assert "scanner" in listed.out
    assert made.out.strip() not in listed.out
    assert openmodality("console", "token", "revoke", "scanner", "-c", site).status == 0
    assert openmodality("console", "token", "revoke", "scanner", "-c", site).status == 1
    assert "there are no tokens" in openmodality("console", "token", "list", "-c", site).err


def test_without_the_extra_a_device_serves_and_says_what_is_missing(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("openmodality.cli.terminal.console.find_spec", lambda name: None if name == "argon2" else name)
    assert list_missing() == ["argon2"]
    refused = openmodality("console", "user", "list", "-c", site)
    assert (refused.status, "pip install 'openmodality[console]'" in refused.err) == (2, True)
    with Modality(site, works=False) as modality, serve_console(modality) as console:
        assert console is None
    assert "no console: argon2 is missing; pip install 'openmodality[console]'" in capsys.readouterr().err
