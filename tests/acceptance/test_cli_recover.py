"""A device whose database is lost says so, and what the files tell is rebuilt and can be sent."""

from __future__ import annotations

import json
from pathlib import Path

from openmodality import Modality
from tests.acceptance.in_process import call
from tests.devices import add_image, device_in_hospital


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
