"""A device that is killed at any moment of its exams loses nothing and sends nothing wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.hospital.hospital import Hospital
from tests.devices import in_virtual_hospital
from tests.peers.forked import STDERR, Forked, fork
from tests.peers.process import wait_until

KILLS = {False: 5, True: 200}
"""How often a device is killed: in the suite, in a soak."""
IMAGES = (0, 0, 1, 2)
"""How many images more are acknowledged before a kill; without one it may fall into the start of the device."""
LONGEST_S = 0.3
LONGEST_RUN_S = 150


class Starter:
    """Starts devices, one after another, as forks of the process that has everything imported."""

    def __init__(self) -> None:
        self.started: list[Forked] = []

    def start(self, command: str, site: Path, seed: int, acked: Path) -> int:
        """Start one; the number of its process."""
        words = ("tests.fault.device_process", command, site, seed, acked)
        self.started.append(fork(*words, stdout=subprocess.DEVNULL, stderr=STDERR))
        return self.started[-1].pid

    def ended(self) -> int:
        """Wait for the end of the last one: the signal that ended it, or its exit status."""
        return abs(self.started[-1].wait(LONGEST_RUN_S))


@contextmanager
def starter() -> Iterator[Starter]:
    made = Starter()
    try:
        yield made
    finally:
        for each in made.started:
            each.kill()


@pytest.mark.timeout(200)
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_killed_at_random_points_both_sides_are_equal(tmp_path: Path, profile: str, soak: bool) -> None:
    chance = random.Random(20261122)
    acked = tmp_path / "acked"
    with in_virtual_hospital(tmp_path, profile) as (hospital, site), starter() as forked:
        for kill in range(KILLS[soak]):
            enough = len(acknowledged(acked)) + chance.choice(IMAGES)
            pid = forked.start("run", site, kill, acked)
            wait_until(lambda: len(acknowledged(acked)) >= enough, timeout_s=30, what=f"image {enough}")  # noqa: B023
            threading.Event().wait(chance.uniform(0.0, LONGEST_S))  # the moment of the kill is what the test varies
            os.kill(pid, signal.SIGKILL)
            assert forked.ended() == signal.SIGKILL
        forked.start("finish", site, KILLS[soak], acked)
        assert forked.ended() == 0
        assert len(acknowledged(acked)) > KILLS[soak] // 3
        compare(hospital, site, acked)


def acknowledged(acked: Path) -> set[str]:
    """The images that a device has called safe."""
    return set(acked.read_text("ascii").split()) if acked.exists() else set()


def compare(hospital: Hospital, site: Path, acked: Path) -> None:
    """Every image that was acknowledged is in both places and the same; steps and commitments agree."""
    with Modality(site, works=False) as modality:
        local = {found["SOPInstanceUID"]: found for found in modality.instances()}
        remote = hospital.pacs.instances
        assert acknowledged(acked) <= set(local)
        assert set(remote) == set(local)
        for uid in local:
            mine, theirs = dcmread(modality.instance_path(uid)), dcmread(remote[uid].path)
            assert mine.get("PixelData") == theirs.get("PixelData")
            assert mine.StudyInstanceUID == theirs.StudyInstanceUID
        assert {uid for uid, found in local.items() if found.committed} == set(local)
        steps = [step for record in modality.exams() for step in modality.find_exam(record.id).steps]
        assert {step.uid: step.state for step in steps} == {
            step.sop_instance_uid: step.status for step in hospital.ris.steps
        }
        assert {step.state for step in steps} <= {"COMPLETED", "DISCONTINUED"}
