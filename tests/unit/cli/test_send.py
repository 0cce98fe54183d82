"""Which files ``openmodality send`` finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openmodality.cli.send import find_instances
from tests.peers.objects import mr_series


def test_a_folder_that_cannot_be_listed_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a system call that fails, as root may list everything."""
    [path] = mr_series(tmp_path / "open", 1)
    closed = tmp_path / "closed"
    closed.mkdir()
    real = os.scandir

    def scandir(folder: Any) -> Any:
        if Path(folder) == closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    instances, unreadable = find_instances([tmp_path])
    assert [instance.path for instance in instances] == [path]
    assert [path for path, _ in unreadable] == [closed]
    assert capsys.readouterr().err == f"{closed}: cannot be read: Permission denied\n"
