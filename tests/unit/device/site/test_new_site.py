"""The site file that ``openmodality init`` writes."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from openmodality.device.site.new_site import write_site
from openmodality.device.site.settings_doc import list_parameter_settings, list_site_settings
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError

US = Path(__file__).parents[3] / "data" / "profiles" / "us"


@pytest.mark.parametrize("profile", ["mr", "rf", str(US)])
def test_it_loads_and_stands_for_the_defaults(tmp_path: Path, profile: str) -> None:
    written = load_site(write_site(tmp_path / "new", profile))
    (tmp_path / "site.toml").write_text(f"profile = {profile!r}\n")
    bare = load_site(tmp_path / "site.toml")
    assert written.parameters == bare.parameters
    assert written.application_entities == bare.application_entities
    assert written.settings.tls == bare.settings.tls


def test_a_disk_that_is_full_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ConfigurationError, match="cannot be written"):
            write_site(tmp_path, "mr")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert write_site(tmp_path, "mr").stat().st_size > 100


def addresses(site: Site) -> dict[str, tuple[str, str, int]]:
    return {name: (peer.ae_title, peer.host, peer.port) for name, peer in site.peers.items()}


def test_the_virtual_hospital_is_its_peer(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path, "mr"))
    assert addresses(site) == {
        "ris": ("OM_RIS", "127.0.0.1", 11113),
        "pacs": ("OM_PACS", "127.0.0.1", 11114),
        "printer": ("OM_PRINT", "127.0.0.1", 11115),
    }
    assert site.peer("pacs").settings.automatic_commitment
    assert [peer.name for peer in site.peers_for("mpps")] == ["ris"]


def test_a_device_gets_the_peers_it_has_a_use_for(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path, str(US)))
    assert {name: peer.services for name, peer in site.peers.items()} == {
        "ris": {"verification", "worklist"},
        "pacs": {"verification", "storage"},
    }


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_every_line_that_is_commented_out_can_be_put_in_force(tmp_path: Path, profile: str) -> None:
    file = write_site(tmp_path, profile)
    text = re.sub(r"(?m)^# (?=[a-z_]+ = |\[\[)", "", file.read_text())
    file.write_text(text)
    site = load_site(file)
    named = {setting.key for setting in list_parameter_settings(site.profile)}
    shown = {f"parameters.{group}.{key}" for group, table in site.settings.parameters.items() for key in table}
    assert shown == named


def test_it_documents_the_statement_s_own_identity(tmp_path: Path) -> None:
    text = write_site(tmp_path, "rf").read_text()
    assert "2.16.840.1.113669.632.3.1.1.2.7" in text
    assert "The statement has port 104" in text


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already and stays as it is"):
        write_site(tmp_path, "mr")
    assert (tmp_path / "site.toml").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_site(tmp_path / "file" / "folder", "mr")


def test_every_setting_says_what_it_means() -> None:
    settings = list(list_site_settings())
    assert len(settings) > 50
    for setting in settings:
        assert setting.meaning, setting.key
        assert setting.allowed, setting.key


def test_a_device_with_gb18030_offers_latin_1_before_it(tmp_path: Path) -> None:
    file = write_site(tmp_path, "rf")
    assert load_site(file).character_sets == ((), ("GB18030",))
    line = 'character_sets = ["ISO_IR 100", "GB18030"]'
    file.write_text(file.read_text().replace(f"# {line}", line))
    assert load_site(file).character_sets == (("ISO_IR 100",), ("GB18030",))
    assert "GB18030" not in write_site(tmp_path / "mr", "mr").read_text()


def test_an_empty_line_parts_what_belongs_together(tmp_path: Path) -> None:
    lines = write_site(tmp_path, "mr").read_text(encoding="utf-8").splitlines()
    for begins in ("# Where a worklist attribute goes in images", "[parameters.general]"):
        (number,) = (number for number, line in enumerate(lines) if line.startswith(begins))
        assert lines[number - 1] == ""


@pytest.mark.parametrize(("profile", "has_printer"), [("mr", True), ("rf", True), (str(US), False)])
def test_a_device_that_prints_gets_a_printer(tmp_path: Path, profile: str, has_printer: bool) -> None:
    site = load_site(write_site(tmp_path, profile))
    assert (list(site.printers) == ["printer"]) is has_printer
