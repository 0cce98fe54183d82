"""kill -9 while instances are added to a medium: the set is as it was before, or as it was to be."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import openmodality
from openmodality.activities.media_reading import verify_medium
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import update_file_set
from tests.fault.media_process import OPTIONS
from tests.peers import objects

KILLS = {False: 8, True: 50}
"""In the suite, in a soak."""
PLACES = [str(Path(openmodality.__file__).parents[1]), str(Path(__file__).parents[2])]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(PLACES)}
PROCESS = [sys.executable, "-m", "tests.fault.media_process"]


def add_until_killed(root: Path, source: Path, lines: int) -> int:
    """Let a process add images until it has said so many lines, kill it; how many it said it had added."""
    process = subprocess.Popen([*PROCESS, str(root), str(source)], stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return said.count(b"added\n")


def count_instances(root: Path) -> int:
    directory = read_directory(root / "DICOMDIR")
    assert directory.problems == []
    return sum(1 for patient in directory.patients for record in patient.walk() if record.file_id)


@pytest.mark.timeout(120)
def test_a_set_is_whole_whenever_its_writer_dies(tmp_path: Path, soak: bool) -> None:
    chance, disc, acknowledged = random.Random(3), tmp_path / "disc", 0
    for kill in range(KILLS[soak]):
        objects.mr_series(tmp_path / "source", 8, rows=8, columns=8)
        acknowledged += add_until_killed(disc, tmp_path / "source", chance.randint(1, 12))
        if not (disc / "DICOMDIR").exists():
            assert acknowledged == 0
            continue
        count = count_instances(disc)
        assert acknowledged <= count <= acknowledged + kill + 1
        assert [fault for fault in verify_medium(disc) if "is in no record" not in fault] == []
    assert acknowledged > 0
    update_file_set(disc, sorted((tmp_path / "source").iterdir()), OPTIONS)
    assert verify_medium(disc) == []
    assert count_instances(disc) == 8 * KILLS[soak]
