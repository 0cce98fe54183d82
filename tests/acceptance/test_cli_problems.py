"""Instance files with problems: listed with the reason, shown, tried again, dismissed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openmodality.device.site.new_site import write_site
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.local import open_store
from tests.acceptance.in_process import call
from tests.peers.objects import mr_image, save


class Device:
    """The command line of one device."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_site(folder, "mr").parent

    def run(self, *words: object) -> tuple[int, str]:
        return call([*map(str, words), "-c", "site.toml"], self.folder)

    def read(self, *words: object) -> Any:
        status, text = self.run(*words, "--json")
        assert status == 0
        return json.loads(text)["items"]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "device")


def test_other_content_under_a_known_uid_is_kept_and_can_be_stored_later(tmp_path: Path, device: Device) -> None:
    image = mr_image(rows=4, columns=4)
    uid = image.SOPInstanceUID
    assert device.run("import", save(image, tmp_path / "first"))[0] == 0
    assert device.run("instances", "list", "--problems") == (0, "there are no problems\n")
    image.PatientComments = "a second content"
    second = save(image, tmp_path / "second")
    device.run("import", second)

    (problem,) = device.read("instances", "list", "--problems")
    assert (problem["kind"], problem["SOPInstanceUID"], problem["origin"]) == ("other content", uid, "imported")
    kept = device.folder / "data" / problem["file"]
    assert kept.read_bytes() == second.read_bytes()
    _, listed = device.run("instances", "list", "--problems")
    assert all(word in listed for word in ("other content", "imported", "set aside", uid, problem["file"]))
    assert device.read("instances", "show", uid)[0]["problems"] == [problem]

    number = problem["problem"]
    status, said = device.run("instances", "retry", number)
    assert (status, "another content is stored" in said) == (1, True)
    assert device.run("instances", "delete", uid, "--force", "--yes")[0] == 0
    assert "other content" in device.run("instances", "show", uid)[1]
    assert device.run("instances", "retry", "--all")[1] == f"problem {number} is solved: {uid}, {problem['file']}\n"
    assert (device.folder / device.read("instances", "show", uid)[0]["path"]).read_bytes() == second.read_bytes()
    assert not kept.exists()
    assert device.read("instances", "list", "--problems") == []


def test_a_file_that_the_index_cannot_hold_stops_no_start_and_can_be_dismissed(device: Device) -> None:
    files = InstanceFiles(device.folder / "data" / "instances")
    odd = files.create("1.2.3.4")
    odd.write(b"no DICOM at all")
    odd.commit()
    with open_store(device.folder / "data") as store:
        store.recover()
    (problem,) = device.read("instances", "list", "--problems")
    number = problem["problem"]
    assert (problem["kind"], problem["SOPInstanceUID"]) == ("not indexed", "1.2.3.4")
    status, said = device.run("instances", "retry", number)
    assert (status, "1.2.3.4.dcm" in said) == (1, True)
    assert device.run("instances", "dismiss")[0] == 2
    assert (
        device.run("instances", "dismiss", number)[1] == f"problem {number} is dismissed: 1.2.3.4, {problem['file']}\n"
    )
    assert device.read("instances", "list", "--problems") == []
    assert device.run("instances", "list", "--problems", "-k", "PatientID=1")[0] == 2
    assert files.path("1.2.3.4").exists()
    assert device.run("instances", "retry", 99)[0] == 1


def test_all_goes_on_after_a_problem_that_stays(tmp_path: Path, device: Device) -> None:
    images = [mr_image(rows=4, columns=4) for _ in range(3)]
    for number, image in enumerate(images):
        device.run("import", save(image, tmp_path / f"first{number}"))
        image.PatientComments = "a second content"
        device.run("import", save(image, tmp_path / f"second{number}"))
    problems = {each["SOPInstanceUID"]: each["problem"] for each in device.read("instances", "list", "--problems")}
    solved, stays, other = (image.SOPInstanceUID for image in images)
    assert device.run("instances", "delete", solved, "--force", "--yes")[0] == 0
    assert device.run("instances", "delete", other, "--force", "--yes")[0] == 0
    status, said = device.run("instances", "retry", "--all")
    assert status == 1
    assert f"openmodality: problem {problems[stays]}: another content is stored under {stays}" in said
    assert f"problem {problems[solved]} is solved" in said
    assert f"problem {problems[other]} is solved" in said
    assert [each["SOPInstanceUID"] for each in device.read("instances", "list", "--problems")] == [stays]
