"""Images that are made from the page of an exam: simulator, folder of the site, upload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from openmodality.console.acquisitions import AcquisitionState
from tests.console_site import ConsolePlace, Visitor, console_in_hospital
from tests.peers.process import wait_until

SETTINGS = 'simulator = true\npixel_folder = "incoming"'
UPLOAD = "0123456789abcdef"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("acquiring"), "rf", settings=SETTINGS) as started:
        started.add_user("anna", "operator")
        started.add_user("vera", "viewer")
        yield started


@pytest.fixture
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def start(anna: Visitor) -> str:
    return anna.post("/emergency").headers["location"]


def find_state(place: ConsolePlace, url: str) -> AcquisitionState:
    state = place.server.context.acquisitions.find(int(url.rpartition("/")[2]))
    assert state is not None
    return state


def wait_for_end(place: ConsolePlace, url: str) -> AcquisitionState:
    wait_until(lambda: not find_state(place, url).is_running, timeout_s=60)
    return find_state(place, url)


def form_token(visitor: Visitor) -> str:
    return visitor.get("/account").text.partition('name="form_token" value="')[2].partition('"')[0]


def send_part(visitor: Visitor, url: str, content: bytes, **query: object) -> httpx.Response:
    headers = {"x-form-token": form_token(visitor)}
    return visitor.client.post(f"{url}/upload/{UPLOAD}", params=query, content=content, headers=headers)  # type: ignore[arg-type]


def test_the_simulator_makes_images_and_the_exam_ends_behind_them(place: ConsolePlace, anna: Visitor) -> None:
    url = start(anna)
    assert "Simulator" in anna.get(url).text
    anna.post(f"{url}/acquire", source="simulator")
    anna.post(f"{url}/complete")
    if find_state(place, url).is_running:
        assert "still makes images for this exam" in anna.get(url).text
    anna.post(f"{url}/acquire/stop")
    state = wait_for_end(place, url)
    assert state.said in ("stopped", "all images are there")
    assert state.arrived > 0
    assert "last " in anna.get(f"{url}/part").text
    anna.post(f"{url}/complete")
    assert "is completed" in anna.get(url).text
    anna.post(f"{url}/acquire", source="simulator")
    assert "has ended" in anna.get(url).text


def test_files_of_the_folder_are_taken_until_it_is_stopped(place: ConsolePlace, anna: Visitor) -> None:
    url, folder = start(anna), place.site.parent / "incoming"
    anna.post(f"{url}/acquire", source="folder")
    assert "there is no folder" in anna.get(url).text.casefold()
    folder.mkdir()
    anna.post(f"{url}/acquire", source="folder")
    wait_until(lambda: find_state(place, url).said == "waiting for files in incoming")
    np.save(folder / "a.npy", np.full((8, 8), 100, np.uint16))
    (folder / "a.npy.done").touch()
    wait_until(lambda: find_state(place, url).arrived == 1, timeout_s=30)
    assert "waiting for files in incoming" in anna.get(url).text
    (folder / "b.npy").write_bytes(b"nothing")
    (folder / "b.npy.done").touch()
    wait_until(lambda: "a file is not taken" in find_state(place, url).said, timeout_s=30)
    anna.post(f"{url}/acquire/stop")
    assert wait_for_end(place, url).arrived == 1
    assert len(place.modality.find_exam(int(url.rpartition("/")[2])).instances()) == 1


def test_files_that_are_uploaded_become_images(place: ConsolePlace, anna: Visitor, tmp_path: Path) -> None:
    url = start(anna)
    np.save(tmp_path / "a.npy", np.full((16, 16), 100, np.uint16))
    content = (tmp_path / "a.npy").read_bytes()
    assert send_part(anna, url, content[:100], name="a.npy", offset=0).json() == {"size": 100}
    assert send_part(anna, url, content[100:], name="a.npy", offset=99).status_code == 400, "a part is missing"
    assert send_part(anna, url, content[100:], name="a.npy", offset=100, last=True).json() == {"size": len(content)}
    anna.post(f"{url}/acquire", upload=UPLOAD)
    assert wait_for_end(place, url).said == "all images are there"
    assert len(place.modality.find_exam(int(url.rpartition("/")[2])).instances()) == 1
    assert list((place.modality.site.data_folder / "console-uploads").iterdir()) == [], "nothing of it is left"


def test_what_is_no_upload_is_refused(place: ConsolePlace, anna: Visitor) -> None:
    url = start(anna)
    for name in ("../x.npy", ".x", "a/b", ""):
        assert send_part(anna, url, b"x", name=name, offset=0).status_code == 400, name
    assert send_part(anna, url, b"x" * (1 << 21), name="x", offset=0).status_code == 413
    assert anna.client.post(f"{url}/upload/{UPLOAD}?name=x&offset=0", content=b"x").status_code == 403
    assert send_part(place.log_in("vera"), url, b"x", name="x", offset=0).status_code == 403
    for source, said in (("", "no such source"), ("other", "no such source")):
        anna.post(f"{url}/acquire", source=source)
        assert said in anna.get(url).text
    anna.post(f"{url}/acquire", upload=UPLOAD)
    assert "no file has come" in anna.get(url).text.casefold()
    anna.post(f"{url}/acquire", upload="../..")
    assert "no such upload" in anna.get(url).text


def test_a_site_offers_no_simulator_by_itself(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        place.add_user("anna", "operator")
        anna = place.log_in("anna")
        url = start(anna)
        assert "Simulator" not in anna.get(url).text
        anna.post(f"{url}/acquire", source="simulator")
        assert "no such source" in anna.get(url).text
