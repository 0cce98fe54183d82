"""A device whose database is lost says so, and what the files tell is rebuilt and can be sent."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.store import database
from tests.acceptance.in_process import call
from tests.devices import add_image, device_in_hospital
from tests.peers.objects import mr_series


def make_exam(site: Path) -> int:
    """An exam with two images, of which the archive has not heard; returns how many instances that are."""
    with Modality(site, works=False) as modality:
        with modality.start_exam(patient={"PatientID": "R1", "PatientName": "Recover^Rita"}) as exam:
            series = exam.series("two images")
            add_image(series, 1)
            add_image(series, 2)
        return len(exam.instances())


def test_a_lost_database_is_noticed_and_its_images_are_sent_all_the_same(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        with device.modality() as modality:
            assert modality.recovery.notices == ()
        made = make_exam(device.site)
        for file in (device.site.parent / "data").glob("openmodality.db*"):
            file.unlink()
        with device.modality() as serving:
            said = "\n".join(serving.recovery.notices)
            assert "the database of this device is gone" in said
            assert f"{made} instances on disk alone until now" in said
            assert "recover --send" in said
            status, refused = call(["recover", "-c", str(device.site)], tmp_path)
            assert (status, "another process serves" in refused) == (1, True)
        for file in (device.site.parent / "data").glob("openmodality.db*"):
            file.unlink()
        status, said = call(["recover", "-c", str(device.site)], tmp_path)
        assert status == 0
        assert said.count("NOTE:") == said.count("the database of this device is gone") == 1
        assert said.count(f"{made} instances") == 2, "indexed, and in no exam"
        assert "device.recovered" not in said
        status, said = call(["recover", "--send", "--json", "-c", str(device.site)], tmp_path)
        assert "recover --send" not in said
        (result,) = json.loads(said[said.index("{\n") :])["items"]
        assert (status, result["without_exam"], len(result["jobs"])) == (0, 0, 1)
        with device.modality() as modality:
            assert modality.wait_until_idle()
            assert [found.sent for found in modality.instances()] == [1] * made
            assert modality.recovery.notices == ()


def test_a_data_folder_of_another_profile_is_not_served(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        with device.modality():
            pass
        text = device.site.read_text().replace('profile = "mr"', 'profile = "rf"')
        device.site.write_text(text.replace(".device]", ".storage_scp]"))
        status, said = call(["serve", "-c", str(device.site)], tmp_path)
        assert (status, "profile mr" in said, "--adopt" in said) == (1, True, True)


def damage_database(site: Path) -> bytes:
    """Overwrite a part of the database file, as a disk that fails does; what is left of it."""
    file = site.parent / "data" / "openmodality.db"
    content = bytearray(file.read_bytes())
    content[len(content) // 4 : len(content) // 2] = b"\x55" * (len(content) // 2 - len(content) // 4)
    file.write_bytes(content)
    return bytes(content)


def test_a_damaged_database_is_named_and_its_index_rebuilt_from_the_files_that_are_sound(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        files = mr_series(tmp_path / "images", 4, rows=8, columns=8)
        assert call(["import", "-c", str(device.site), *map(str, files)], tmp_path)[0] == 0
        kept = sorted((device.site.parent / "data").rglob("*.dcm"))
        with kept[0].open("r+b") as file:
            file.truncate(kept[0].stat().st_size // 2)
        left = damage_database(device.site)
        status, said = call(["import", "-c", str(device.site), str(files[0])], tmp_path)
        assert (status, "the database is damaged" in said, "openmodality recover" in said) == (1, True, True)
        status, said = call(["recover", "-c", str(device.site)], tmp_path)
        assert (status, "3 instances" in said, kept[0].stem in said) == (1, True, True)
        copies = [path for path in (device.site.parent / "data").rglob("*") if path.is_file() and ".db" in path.name]
        assert left in [path.read_bytes() for path in copies], "a copy is kept"
        with device.modality(works=False) as modality:
            assert {each["SOPInstanceUID"] for each in modality.instances()} == {path.stem for path in kept[1:]}
        status, said = call(["instances", "list", "--problems", "-c", str(device.site)], tmp_path)
        assert kept[0].stem in said
        assert call(["import", "-c", str(device.site), *map(str, files)], tmp_path)[0] == 0
        with device.modality(works=False) as modality:
            assert len(modality.instances()) == 4, "the whole one takes the place of the damaged one"


def test_a_locked_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 0.2)
    with device_in_hospital(tmp_path, "mr") as device:
        (file,) = mr_series(tmp_path / "images", 1, rows=8, columns=8)
        with device.modality(works=False):
            pass
        with closing(sqlite3.connect(device.site.parent / "data" / "openmodality.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, said = call(["import", "-c", str(device.site), str(file)], tmp_path)
            assert (status, "the database is locked by another program" in said) == (1, True)
            other.execute("ROLLBACK")
        assert call(["import", "-c", str(device.site), str(file)], tmp_path)[0] == 0
