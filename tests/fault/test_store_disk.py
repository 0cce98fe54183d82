"""No space left: an instance is stored whole or refused with nothing left of it; with space again all goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

import openmodality
from openmodality import Modality
from openmodality.app.view import look_at
from openmodality.device.site.new_site import write_site
from openmodality.errors import StoreError
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_file import StorageFull, Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.listing.entities import count
from openmodality.store.local import open_store
from openmodality.store.names import RESERVE_FILE
from openmodality.store.rows.deletion import NotCommitted, delete_entity
from openmodality.store.schema import instances
from openmodality.store.states import ExamState, JobKind
from tests.peers.objects import mr_image, save

FULL = 4 * 1024 * 1024
GEOMETRY: dict[str, Any] = {
    "PixelSpacing": [1, 1],
    "SliceThickness": 5,
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    yield from mount(tmp_path / "small", FULL)


@pytest.fixture
def roomy_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    yield from mount(tmp_path / "roomy", 2 * FULL)


def mount(place: Path, size: int) -> Iterator[Path]:
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(files: InstanceFiles) -> None:
    for number in range(1000):
        file = files.create(f"1.2.3.{number}", b"head")
        for _ in range(5):
            file.write(bytes(20_000))
        file.commit()


def leftovers(files: InstanceFiles) -> list[Path]:
    return [path for path in (files.root / ".incoming").rglob("*") if path.is_file()]


def test_a_full_disk_refuses_instances_and_leaves_nothing(small_disk: Path) -> None:
    files = InstanceFiles(small_disk / "instances", durability="fsync")
    with pytest.raises(StorageFull, match="No space left on device") as caught:
        fill(files)
    assert "free space" in caught.value.advice
    assert leftovers(files) == []
    kept = sorted(uid for bucket in files.buckets() for uid in files.uids(bucket))
    assert 20 < len(kept) < 50
    assert all(files.path(uid).stat().st_size == 100_004 for uid in kept)
    files.delete(kept[0])
    again = files.create(kept[0], b"head")
    again.write(bytes(100_000))
    assert again.commit() is Stored.NEW
    files.close()


def test_a_database_without_space_is_an_error_to_readers_and_catches_up_later(small_disk: Path, tmp_path: Path) -> None:
    filler = small_disk / "filler"
    with open_store(small_disk, durability="os") as store:
        path = save(mr_image(rows=4, columns=4), tmp_path / "source")
        content = path.read_bytes()
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(FULL))
        os.truncate(filler, filler.stat().st_size - 12_288)  # room for the instance, not for its row
        file = store.create(path.stem)
        file.write(content)
        assert store.accept(file) is Stored.NEW
        with pytest.raises(StoreError, match="no room for the database"):
            store.flush()
        filler.unlink()
        with store.read() as connection:
            assert count(connection, Level.IMAGE) == 1


def test_a_study_can_be_deleted_from_a_disk_that_is_full(small_disk: Path, tmp_path: Path) -> None:
    """Deleting is what makes room there: it cannot wait for room in the database."""
    uid = "1.2.826.0.1.3680043.10.543.9"
    with open_store(small_disk, durability="os") as store:
        for number in range(40):
            path = save(
                mr_image(rows=100, columns=100, StudyInstanceUID=uid, InstanceNumber=number), tmp_path / "source"
            )
            file = store.create(path.stem)
            file.write(path.read_bytes())
            store.accept(file)
        store.flush()
        fill_up(small_disk)
        with pytest.raises(NotCommitted):
            delete_entity(store, Level.STUDY, uid)
        with pytest.raises(StoreError, match="no room for the database"), store.write() as transaction:
            transaction.execute(update(instances).values(NumberOfFrames="1" * 60))
        assert len(list((small_disk / "instances").rglob("*.dcm"))) == 40
        assert delete_entity(store, Level.STUDY, uid, force=True).instances == 40
        assert not list((small_disk / "instances").rglob("*.dcm"))
        with store.read() as connection:
            assert count(connection, Level.IMAGE) == 0


def fill_up(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_an_exam_can_be_ended_on_a_disk_that_is_full(roomy_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its room is taken when it begins: also where the device is started anew on the full disk."""
    site = write_site(roomy_disk, "mr")
    with Modality(site, works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "1", "PatientName": "A^B"})
        with exam.series("T1") as series:
            series.add(np.zeros((64, 64), np.uint16), **GEOMETRY)
    fill_up(roomy_disk)
    with look_at(site) as view:
        assert [each.state for each in view.exams()] == ["IN PROGRESS"]
    with Modality(site, works=False) as modality:
        assert modality.find_exam(1).complete().state is ExamState.COMPLETED
        assert {JobKind.MPPS_SET, JobKind.SEND} <= {job.kind for job in modality.jobs.list()}
        assert "store.reserve_used" in [record.message for record in caplog.records]
        (roomy_disk / "filler").unlink()
        modality.start_exam(patient={"PatientID": "1", "PatientName": "A^B"})
    assert (modality.site.data_folder / RESERVE_FILE).stat().st_size == FULL


def test_a_limit_of_the_process_is_a_full_disk_too(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from openmodality.store.files.instance_files import InstanceFiles\n"
        "from openmodality.store.files.instance_file import StorageFull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "files = InstanceFiles(Path(sys.argv[1]))\n"
        "file = files.create('1.2.3', b'head')\n"
        "try:\n"
        "    for _ in range(10): file.write(bytes(20_000))\n"
        "except StorageFull: sys.exit(42)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(openmodality.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "instances")], check=False, env=environment)
    assert done.returncode == 42
    assert leftovers(InstanceFiles(tmp_path / "instances")) == []
