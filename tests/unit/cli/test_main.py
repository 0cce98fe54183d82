from __future__ import annotations

from importlib import metadata

import pytest

from openmodality.cli.main import application


def test_version_without_an_installation(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", unknown)
    assert application.main(["--version"], prog_name="openmodality", standalone_mode=False) == 0
    assert "run from its source" in capsys.readouterr().out
