"""What the viewer is sent and what it saves, of a device that runs, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.console.server import ConsoleServer
from openmodality.errors import ConfigurationError
from openmodality.imaging.presentation import read_state_presentation
from openmodality.standard.query_retrieve import Level
from tests.console_site import ConsolePlace, Visitor, console_in_hospital
from tests.devices import add_image
from tests.peers.objects import mr_series

LOOK = {
    "window": [600, 800], "function": "LINEAR", "lut": None, "inverse": True, "rotation": 90, "flip": True,
    "area": [2, 3, 10, 12],
    "marks": [
        {"type": "POLYLINE", "points": [[1, 1], [5, 5]], "filled": False},
        {"type": "TEXT", "points": [[5, 5]], "words": "5.7 mm"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("viewer")) as started:
        started.add_user("anna", "operator")
        started.add_user("vera", "viewer")
        yield started


@pytest.fixture(scope="module")
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def save(visitor: Visitor, path: str, **fields: str) -> tuple[int, dict[str, str]]:
    answer = visitor.post(path, **fields)
    return answer.status_code, answer.json() if "json" in answer.headers["content-type"] else {}


def test_a_frame_is_the_bytes_of_its_pixels_and_nothing_else(
    place: ConsolePlace, anna: Visitor, tmp_path: Path
) -> None:
    paths = mr_series(tmp_path / "made", 3)
    place.modality.import_files(paths)
    image = dcmread(paths[0])
    answer = anna.get(f"/viewer/instance/{image.SOPInstanceUID}/frames/1")
    assert answer.content == image.PixelData
    assert answer.headers["x-samples"] == "u16 12 unsigned"
    assert "immutable" in answer.headers["cache-control"]
    again = anna.client.get(answer.url, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert anna.get(f"/viewer/instance/{image.SOPInstanceUID}/frames/2").status_code == 400
    assert anna.get("/viewer/instance/1.2.3/frames/1").status_code == 404
    assert anna.get("/viewer/instance/1.2.*/frames/1").status_code == 404
    listed = anna.get(f"/viewer/series/{image.SeriesInstanceUID}/images").json()["images"]
    assert [each["uid"] for each in listed] == [str(dcmread(each).SOPInstanceUID) for each in paths]
    page = anna.get(f"/viewer/series/{image.SeriesInstanceUID}?instance={listed[1]['uid']}").text
    assert f'instance="{listed[1]["uid"]}"' in page
    assert "Doe, Jane" in page.partition("<nav")[0], "whose images they are is above the page"
    assert "STORED IMAGES" in page


def test_a_look_is_saved_and_shown_again(place: ConsolePlace, anna: Visitor) -> None:
    with place.modality.start_exam(patient={"PatientID": "V1", "PatientName": "Doe^Jane"}) as exam:
        series = exam.series("T1")
        uid = add_image(series)
        add_image(series, 2)
        series_uid = place.modality.instances(SOPInstanceUID=uid)[0]["SeriesInstanceUID"]
        assert "Save this look" in anna.get(f"/viewer/series/{series_uid}").text
        assert "Save this look" not in place.log_in("vera").get(f"/viewer/series/{series_uid}").text
        fields = {"instance": uid, "series": series_uid, "label": "seen", "description": "the lesion"}
        status, answer = save(anna, f"/viewer/exam/{exam.id}/state", **fields, scope="series", look=json.dumps(LOOK))
        assert (status, "SEEN" in answer["said"]) == (200, True)
        state = dcmread(place.modality.instance_path(answer["uid"]))
        shown = read_state_presentation(state, dcmread(place.modality.instance_path(uid)))
        assert (shown.inverse, shown.rotation, shown.flip) == (True, 90, True)
        assert len(state.ReferencedSeriesSequence[0].ReferencedImageSequence) == 2
        status, _ = save(anna, f"/viewer/exam/{exam.id}/key", instance=uid, title="113000", description="look here")
        assert status == 200
        listed = anna.get(f"/viewer/series/{series_uid}/states").json()
        assert listed["states"][0]["label"].startswith("SEEN, the lesion, ")
        assert uid in listed["states"][0]["images"]
        assert listed["keys"] == [{"title": "Of Interest", "images": [uid]}]
        facts = anna.get(f"/viewer/instance/{uid}/facts?state={answer['uid']}").json()
        assert facts["voi"] == {"center": 600.0, "width": 800.0, "function": "LINEAR"}
        assert facts["area"] == [2, 3, 10, 12]
        assert [each["type"] for each in facts["marks"]] == ["POLYLINE", "TEXT"]
        for wrong in ({"look": "{"}, {"look": json.dumps({**LOOK, "function": "SIGMOID"})}, {"label": "no-label!"}):
            status, answer = save(
                anna, f"/viewer/exam/{exam.id}/state", **{**fields, "scope": "image", "look": json.dumps(LOOK), **wrong}
            )
            assert status == 400
        assert place.log_in("vera").post(f"/viewer/exam/{exam.id}/key", instance=uid).status_code == 403
    page = anna.get(f"/viewer/series/{series_uid}").text
    assert "go on with the exam first" in page
    status, answer = save(anna, f"/viewer/exam/{exam.id}/key", instance=uid, title="113000", description="")
    assert status == 409, "the exam has ended"


def test_the_rf_device_has_neither_states_nor_key_images(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, "rf") as place:
        place.add_user("anna", "operator")
        anna = place.log_in("anna")
        place.modality.import_files(mr_series(tmp_path / "made", 1))
        (series,) = place.modality.series()
        page = anna.get(f"/viewer/series/{series['SeriesInstanceUID']}").text
        assert "om-image" in page
        assert "Saved looks" not in page
        assert "kept until the page is left" in page, "no promise that the device cannot keep"
        assert "Key images" not in page


def test_the_display_of_a_site_goes_with_every_image(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, settings='display_lut = "gsdf:0.8,250"') as place:
        place.add_user("anna", "operator")
        page = place.log_in("anna").get("/viewer/pattern").text
        levels = json.loads(page.partition('data-display="')[2].partition('"')[0])
        assert (len(levels), levels[0], levels[-1]) == (1024, 0, 255)
        assert np.all(np.diff(levels) >= 0)
        assert "0.8 to 250 cd/m2" in page


def test_a_display_that_cannot_be_is_told_at_the_start(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        site = place.site
    text = site.read_text()
    site.write_text(text.replace("[console]\n", '[console]\ndisplay_lut = "missing.csv"\n'))
    with Modality(site, works=False) as modality, pytest.raises(ConfigurationError, match=r"missing\.csv"):
        ConsoleServer(modality)


def test_documents_have_no_viewer(place: ConsolePlace, anna: Visitor) -> None:
    for each in place.modality.view.find(Level.SERIES, {"Modality": "KO"}):
        assert anna.get(f"/viewer/series/{each['SeriesInstanceUID']}").status_code == 404
