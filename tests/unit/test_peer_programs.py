"""Where the programs of others are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.peers.programs import find_program


def make_program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    made = folder / "storescu"
    made.write_text("#!/bin/sh")
    made.chmod(0o755)
    return made


def test_what_a_virtual_environment_has_is_no_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an active environment pynetdicom's storescu comes before DCMTK's."""
    make_program(tmp_path / "environment" / "bin")
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    peer = make_program(tmp_path / "peers")
    folders = (tmp_path / "environment" / "bin", tmp_path / "peers")
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    assert find_program("storescu") == peer


def test_a_program_that_no_package_is_known_for_is_refused() -> None:
    with pytest.raises(ValueError, match="add it to PACKAGE_OF"):
        find_program("a-program")
