"""Where the files of tests lie."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.plugins.scratch import has_room

MUCH = "MemTotal:       24684092 kB\nMemAvailable:   20430416 kB\n"


@pytest.mark.parametrize(
    ("figures", "free", "flags", "expected"),
    [
        (MUCH, 5 << 30, 0, True),
        (MUCH, 64 << 20, 0, False),  # as a container has it
        (MUCH, 5 << 30, os.ST_NOEXEC, False),
        ("MemAvailable:    1000000 kB\n", 5 << 30, 0, False),
        ("", 5 << 30, 0, False),
    ],
)
def test_files_lie_in_memory_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: str, free: int, flags: int, expected: bool
) -> None:
    (tmp_path / "meminfo").write_text(figures)
    place = SimpleNamespace(f_bavail=free // 4096, f_frsize=4096, f_flag=flags)
    monkeypatch.setattr(os, "statvfs", lambda path: place)
    assert has_room(tmp_path, tmp_path / "meminfo") is expected


def test_a_system_without_these_figures_keeps_them_on_disk(tmp_path: Path) -> None:
    assert not has_room(tmp_path, tmp_path / "absent")
    assert not has_room(tmp_path / "absent", Path(__file__))
