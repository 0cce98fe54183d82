"""kill -9 while a medium is made or added to: the set is as it was before, or as it was to be; a job ends its work."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.activities.media_reading import verify_medium
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import update_file_set
from openmodality.store.states import JobState
from tests.fault.media_process import OPTIONS
from tests.peers import objects
from tests.peers.forked import STDERR, fork

KILLS = {False: 8, True: 50}
"""In the suite, in a soak."""
JOB_KILLS = {False: 6, True: 50}
LONGEST_JOB_S = 0.5


def add_until_killed(root: Path, source: Path, lines: int) -> int:
    """Let a process add images until it has said so many lines, kill it; how many it said it had added."""
    process = fork("tests.fault.media_process", root, source, stderr=STDERR)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return said.count("added\n")


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


@pytest.mark.timeout(600)
def test_a_media_job_ends_its_work_however_often_the_device_dies(tmp_path: Path, soak: bool) -> None:
    chance, site, discs = random.Random(5), tmp_path / "site.toml", tmp_path / "discs"
    site.write_text('profile = "mr"\n', encoding="utf-8")
    sources = objects.mr_series(tmp_path / "source", 6, rows=64, columns=64, PatientID="7")
    with Modality(site) as modality:
        modality.import_files(sources)
        study = modality.studies()[0].attributes["StudyInstanceUID"]
    for kill in range(JOB_KILLS[soak]):
        if kill % 2:
            (discs / f"DISC{kill}").mkdir(parents=True)  # a stick that is mounted there
        _queue_and_kill(site, study, discs / f"DISC{kill}", chance.uniform(0, LONGEST_JOB_S))
    with Modality(site) as modality:
        assert modality.wait_until_idle(60)
        assert {job.state for job in modality.jobs.list()} == {JobState.DONE}
    names = {f"DISC{kill}{end}" for kill in range(JOB_KILLS[soak]) for end in ("", ".iso")}
    assert {path.name for path in discs.iterdir()} == names
    for kill in range(JOB_KILLS[soak]):
        disc = discs / f"DISC{kill}"
        assert verify_medium(disc) == []
        assert count_instances(disc) == len(sources)
        assert (disc / "INDEX.HTM").exists()
        assert _is_whole(disc.with_suffix(".iso"))


def _queue_and_kill(site: Path, study: str, disc: Path, after_s: float) -> None:
    """Let a device end what it has to do, give it one more disc to make, and kill it a moment later."""
    disc.parent.mkdir(exist_ok=True)
    process = fork("tests.fault.media_job_process", site, study, disc, stderr=STDERR)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["idle\n", "queued\n"]
    threading.Event().wait(after_s)
    process.kill()
    process.wait()
    process.stdout.close()


def _is_whole(image: Path) -> bool:
    """Whether an image has the sectors that its primary volume descriptor counts."""
    data = image.read_bytes()
    return data[32769:32774] == b"CD001" and int.from_bytes(data[32848:32852], "little") * 2048 == len(data)
