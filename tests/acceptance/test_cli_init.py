from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.site.site_loader import load_site
from tests.acceptance.in_process import openmodality


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_writes_a_site_file_that_loads(tmp_path: Path, profile: str) -> None:
    ended = openmodality("init", tmp_path / "new" / "folder", "--profile", profile)
    assert ended.status == 0
    file = tmp_path / "new" / "folder" / "site.toml"
    assert load_site(file).profile.name == profile
    assert f"{file} is written" in ended.out
    assert f"openmodality serve -c {file}" in ended.out


def test_leaves_a_site_file_alone(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text("mine")
    ended = openmodality("init", tmp_path, "--profile", "mr")
    assert ended.status == 2
    assert "is there already" in ended.error_line
    assert (tmp_path / "site.toml").read_text() == "mine"


def test_commands_that_it_prints_can_be_pasted(tmp_path: Path) -> None:
    ended = openmodality("init", tmp_path / "Büro 1", "--profile", "mr")
    assert f"openmodality serve -c '{tmp_path}/Büro 1/site.toml'" in ended.out


def test_names_the_profiles_where_one_is_unknown(tmp_path: Path) -> None:
    ended = openmodality("init", tmp_path / "x", "--profile", "ct")
    assert ended.status == 2
    assert "use mr, rf, or a folder" in ended.error_line
    assert not (tmp_path / "x").exists()
