"""DICOMweb over HTTP: what a client gets of a device that serves, and what it is told where it gets nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, FileDataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from tests import plain_http
from tests.console_site import ConsolePlace, console_in_hospital
from tests.peers.objects import mr_image, save

VIEWER = "https://viewer.example"
CANARY = "<img src=x onerror=alert(1)>"
STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.1.1"
FRAMES = np.arange(3 * 8 * 6, dtype="<u2").reshape(3, 8, 6) * 7
LONG = bytes(range(256)) * 20
_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Web:
    """A device, and a program that shows it a token."""

    place: ConsolePlace
    client: httpx.Client

    def get(self, path: str, accept: str = "", **headers: str) -> httpx.Response:
        """A resource of the service."""
        return self.client.get(path, headers={**({"accept": accept} if accept else {}), **headers})


def _make(number: int, **values: Any) -> FileDataset:
    common = {
        "StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "SOPInstanceUID": f"{SERIES}.{number}",
        "InstanceNumber": number, "PatientID": "P-1", "SpecificCharacterSet": "ISO_IR 100", "PatientName": "Buc^Jérôme",
    }  # fmt: skip
    return mr_image(**{**common, **values})


def _set_frames(data_set: FileDataset, pixels: np.ndarray[Any, Any]) -> None:
    data_set.NumberOfFrames, data_set.Rows, data_set.Columns = pixels.shape
    data_set.PixelData = pixels.tobytes()


def _make_files(folder: Path) -> list[Path]:
    """Of one study: native frames, compressed ones, other transfer syntaxes; of another a hostile patient, and none."""
    native, rle = _make(1), _make(2)
    implicit = _make(3, transfer_syntax=ImplicitVRLittleEndian)
    big = _make(4, transfer_syntax=ExplicitVRBigEndian)
    for each in (native, rle, implicit):
        _set_frames(each, FRAMES)
    item = Dataset()
    item.add_new(0x00282000, "OB", LONG)
    native.OpticalPathSequence = Sequence([item])
    native.add_new(0x00091010, "LO", "SECRET")
    native.add_new(0x00090010, "LO", "SOMEBODY")
    rle.compress(RLELossless, generate_instance_uid=False)
    _set_frames(big, FRAMES.byteswap())
    hostile = _make(5, StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1", PatientID="P-2", PatientName=CANARY)
    empty = _make(6, StudyInstanceUID="1.2.8", SeriesInstanceUID="1.2.8.1", PatientID="P-3")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
        del empty[keyword]
    return [save(each, folder) for each in (native, rle, implicit, big, hostile, empty)]


def _make_viewer(folder: Path) -> Path:
    """What npm's package of the viewer is like, in small."""
    page = folder / "package" / "dist"
    page.mkdir(parents=True)
    (page / "index.html").write_text(
        "<script>window.PUBLIC_URL = '/';</script><script src=\"/app.bundle.1.js\"></script><link href='/a.css'>"
    )
    (page / "app.bundle.1.js").write_text('__webpack_require__.p = "/"; x.p="/",')
    (page / "a.css").write_text("a { background: url(/b.png) }")
    (page / "b.wasm").write_bytes(b"\0asm")
    (page / ".secret").write_text("no")
    (folder / "outside.js").write_text("no")
    return folder


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    settings = f'cors_origins = ["{VIEWER}"]\nohif_folder = "{_make_viewer(folder / "ohif")}"'
    with console_in_hospital(folder, settings=settings) as place:
        files = folder / "files"
        files.mkdir()
        imported = place.modality.import_files(_make_files(files))
        assert len(place.modality.instances()) == 6, imported
        token = place.accounts.add_token("viewer", ["view"])
        headers = {"authorization": f"Bearer {token}"}
        with plain_http.open_client(base_url=f"{place.url}/dicom-web", headers=headers, timeout=20) as client:
            yield Web(place, client)


def instance(number: int) -> str:
    """The path of an instance of the study."""
    return f"/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.{number}"


def read_parts(response: httpx.Response) -> list[tuple[str, bytes]]:
    """Content-Type and body of each part, as another reader finds them."""
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + response.content, policy=policy.HTTP)
    assert message.get_content_type() == "multipart/related"
    assert not message.defects
    found = [
        (str(part["content-type"]).replace('"', ""), part.get_payload(decode=True)) for part in message.iter_parts()
    ]
    return [(kind, body) for kind, body in found if isinstance(body, bytes)]


# Search


def test_studies_are_found_with_counts_and_an_absolute_url(web: Web) -> None:
    response = web.get("/studies?PatientID=P-1")
    (found,) = response.json()
    assert response.headers["content-type"] == "application/dicom+json"
    assert found["00201206"]["Value"] == [1]
    assert found["00201208"]["Value"] == [4]
    assert found["00080061"]["Value"] == ["MR"]
    assert found["00081190"]["Value"] == [f"{web.client.base_url}studies/{STUDY}"]
    assert found["00100010"]["Value"] == [{"Alphabetic": "Buc^Jérôme"}]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("PatientID=P-*", 3), ("00100020=P-2", 1), ("PatientName=buc*", 2), ("ModalitiesInStudy=MR", 3),
        (f"StudyInstanceUID={STUDY},1.2.9", 2), ("limit=2", 2), ("limit=2&offset=2", 1), ("includefield=all", 3),
        ("includefield=PatientAge,00081030&includefield=00101010", 3),
    ],
)  # fmt: skip
def test_studies_are_matched_as_a_c_find_matches_them(web: Web, query: str, count: int) -> None:
    assert len(web.get(f"/studies?{query}").json()) == count


def test_series_and_instances_are_found_below_and_without_their_study(web: Web) -> None:
    assert len(web.get(f"/studies/{STUDY}/series").json()) == 1
    assert len(web.get(f"/studies/{STUDY}/instances").json()) == 4
    found = web.get(f"/studies/{STUDY}/series/{SERIES}/instances?InstanceNumber=2&includefield=SliceThickness").json()
    assert [each["00080018"]["Value"] for each in found] == [[f"{SERIES}.2"]]
    assert found[0]["00280100"]["Value"] == [16]
    assert "00180050" in found[0]
    series = web.get("/series?PatientID=P-1").json()
    assert series[0]["00100010"]["Value"][0]["Alphabetic"] == "Buc^Jérôme"  # of the level that is not in the path
    assert len(web.get("/instances").json()) == 6


def test_nothing_found_is_no_content(web: Web) -> None:
    for path in ("/studies?PatientID=nobody", "/studies/1.2.3/series", f"/studies/{STUDY}/instances?Rows=9999"):
        response = web.get(path)
        assert (response.status_code, response.content) == (204, b""), path


def test_what_is_not_done_is_said(web: Web) -> None:
    response = web.get("/studies?fuzzymatching=true&limit=1")
    assert "fuzzymatching" in response.headers["warning"]
    assert "additional results" in response.headers["warning"]
    assert response.headers["warning"].startswith("299 ")


@pytest.mark.parametrize(
    "query", ["Foo=1", "limit=-1", "limit=x", "PatientID=a&PatientID=b", "Rows=many", "RequestAttributesSequence=1"]
)
def test_a_search_that_cannot_be_is_refused_with_words(web: Web, query: str) -> None:
    response = web.get(f"/instances?{query}")
    assert response.status_code == 400
    assert all(response.json()[name] for name in ("title", "advice"))


def test_a_key_of_a_lower_level_is_refused_and_never_passed_over(web: Web) -> None:
    response = web.get("/studies?SliceThickness=1")
    assert response.status_code == 400
    assert "(0018,0050)" in response.json()["title"]


# Instances


def test_instances_come_in_explicit_little_endian_where_nothing_is_said(web: Web) -> None:
    parts = read_parts(web.get(f"/studies/{STUDY}"))
    assert [kind for kind, _ in parts] == ["application/dicom; transfer-syntax=1.2.840.10008.1.2.1"] * 4
    found = [dcmread(BytesIO(body)) for _, body in parts]
    assert [each.InstanceNumber for each in found] == [1, 2, 3, 4]
    for each in found:
        assert np.array_equal(each.pixel_array, FRAMES)
        assert each.PatientName == "Buc^Jérôme"


def test_instances_come_as_they_are_stored_where_any_syntax_is_taken(web: Web) -> None:
    parts = read_parts(
        web.get(f"/studies/{STUDY}/series/{SERIES}", "multipart/related; type=application/dicom; transfer-syntax=*")
    )
    syntaxes = [str(dcmread(BytesIO(body)).file_meta.TransferSyntaxUID) for _, body in parts]
    assert syntaxes == ["1.2.840.10008.1.2.1", RLELossless, ImplicitVRLittleEndian, ExplicitVRBigEndian]
    assert [kind.rpartition("=")[2] for kind, _ in parts] == syntaxes


def test_one_instance_may_come_without_parts(web: Web) -> None:
    response = web.get(instance(1), "application/dicom")
    assert response.headers["content-type"].startswith("application/dicom;")
    assert dcmread(BytesIO(response.content)).SOPInstanceUID == f"{SERIES}.1"


def test_private_attributes_that_the_device_does_not_know_stay_here(web: Web) -> None:
    ((_, body),) = read_parts(web.get(instance(1)))
    assert b"SECRET" not in body
    assert "SECRET" not in web.get(instance(1) + "/metadata").text


@pytest.mark.parametrize(
    "accept", ["text/html", "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50"]
)
def test_what_cannot_be_had_is_refused_with_what_can(web: Web, accept: str) -> None:
    response = web.get(f"/studies/{STUDY}", accept)
    assert response.status_code == 406
    assert any("application/dicom" in each for each in response.json()["possible"])


def test_a_syntax_that_only_some_have_brings_those_and_says_so(web: Web) -> None:
    response = web.get(f"/studies/{STUDY}", f"multipart/related; type=application/dicom; transfer-syntax={RLELossless}")
    assert response.status_code == 206
    assert "3 of 4" in response.headers["warning"]
    assert len(read_parts(response)) == 1


def test_unknown_instances_are_not_found(web: Web) -> None:
    for path in (
        "/studies/1.2.3", "/studies/1.2.3/metadata", f"/studies/1.2.9/series/{SERIES}/metadata",
        instance(77), instance(77) + "/frames/1", "/studies/%2A/metadata", "/nothing", "/studies/1.2.3/thumbnail",
    ):  # fmt: skip
        response = web.get(path)
        assert response.status_code == 404, path
        assert response.json()["advice"], path


# Metadata and values


def test_metadata_has_every_attribute_of_the_file(web: Web) -> None:
    for number in (1, 2, 3, 4):
        (found,) = web.get(instance(number) + "/metadata").json()
        stored = dcmread(web.place.modality.instance_path(f"{SERIES}.{number}"))
        assert {int(tag, 16) for tag in found} == {int(each.tag) for each in stored if not each.tag.is_private}
        again = Dataset.from_json(json.dumps(found), bulk_data_uri_handler=lambda tag, vr, uri: uri)
        assert again.ImagePositionPatient == stored.ImagePositionPatient
        assert again.PatientName == stored.PatientName
        assert found["7FE00010"]["BulkDataURI"] == f"{web.client.base_url}{instance(number)[1:]}/bulkdata/7FE00010"


def test_metadata_of_a_study_is_a_list_of_all(web: Web) -> None:
    assert len(web.get(f"/studies/{STUDY}/metadata").json()) == 4
    assert len(web.get("/studies/1.2.8/metadata").json()) == 1  # without pixels


def test_a_long_value_is_had_at_its_uri_whole_and_in_ranges(web: Web) -> None:
    (found,) = web.get(instance(1) + "/metadata").json()
    uri = found["00480105"]["Value"][0]["00282000"]["BulkDataURI"]
    whole = web.client.get(uri)
    assert (whole.content, whole.headers["content-length"]) == (LONG, str(len(LONG)))
    for asked, first, last in (("bytes=5-9", 5, 9), ("bytes=5100-", 5100, 5119), ("bytes=-3", 5117, 5119)):
        part = web.client.get(uri, headers={"range": asked})
        assert (part.status_code, part.content) == (206, LONG[first : last + 1])
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(LONG)}"
    assert web.client.get(uri, headers={"range": "bytes=9000-"}).status_code == 416
    ((_, body),) = read_parts(web.client.get(uri, headers={"accept": f'multipart/related; type="{_OCTETS}"'}))
    assert body == LONG
    assert web.get(instance(1) + "/bulkdata/00282000").status_code == 404


def test_pixels_as_a_value_are_what_the_frames_are(web: Web) -> None:
    assert web.get(instance(1) + "/bulkdata/7FE00010", _OCTETS).content == FRAMES.tobytes()
    parts = read_parts(web.get(instance(2) + "/bulkdata/7FE00010"))
    assert b"".join(body for _, body in parts) == FRAMES.tobytes()


def test_what_is_known_already_does_not_come_again(web: Web) -> None:
    for path in ("", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"):
        tag = web.get(instance(1) + path).headers["etag"]
        again = web.get(instance(1) + path, **{"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b""), path


# Frames and pictures


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_frames_are_the_pixels_in_little_endian_and_nothing_else(web: Web, number: int) -> None:
    parts = read_parts(web.get(instance(number) + "/frames/3,1", f'multipart/related; type="{_OCTETS}"'))
    assert [body for _, body in parts] == [FRAMES[2].tobytes(), FRAMES[0].tobytes()]
    assert web.get(instance(number) + "/frames/2", _OCTETS).content == FRAMES[1].tobytes()


def test_compressed_frames_come_as_they_are_where_any_syntax_is_taken(web: Web) -> None:
    accept = f'multipart/related; type="{_OCTETS}"; transfer-syntax=*'
    ((kind, body),) = read_parts(web.get(instance(2) + "/frames/1", accept))
    assert kind == f"{_OCTETS}; transfer-syntax={RLELossless}"
    again = _make(2)
    _set_frames(again, FRAMES[:1])
    again.file_meta.TransferSyntaxUID, again.PixelData = RLELossless, encapsulate([body])
    again["PixelData"].is_undefined_length = True
    assert np.array_equal(again.pixel_array, FRAMES[0])
    ((kind, _),) = read_parts(web.get(instance(2) + "/frames/1", 'multipart/related; type="image/dicom-rle"'))
    assert kind == f"image/dicom-rle; transfer-syntax={RLELossless}"
    ((kind, _),) = read_parts(web.get(instance(1) + "/frames/1", accept))
    assert kind == f"{_OCTETS}; transfer-syntax=1.2.840.10008.1.2.1"


@pytest.mark.parametrize(
    ("path", "status"),
    [("frames/4", 404), ("frames/0", 404), ("frames/x", 400), ("frames/1,,2", 400), ("frames/-1", 400),
     ("frames/1,2/rendered", 400), ("rendered?window=1", 400), ("rendered?window=1,0", 400),
     ("rendered?viewport=1,2,3", 400), ("rendered?quality=0", 400), ("rendered?viewport=9,9,90,90,5,5", 400)],
)  # fmt: skip
def test_frames_and_pictures_that_cannot_be_are_refused(web: Web, path: str, status: int) -> None:
    response = web.get(f"{instance(1)}/{path}")
    assert response.status_code == status
    assert all(response.json()[name] for name in ("title", "advice"))


def test_frames_as_a_format_that_is_not_made_are_refused(web: Web) -> None:
    response = web.get(instance(1) + "/frames/1", 'multipart/related; type="image/jpeg"')
    assert response.status_code == 406
    assert web.get("/studies/1.2.8/series/1.2.8.1/instances/" + f"{SERIES}.6/frames/1").status_code == 404


def test_pictures_are_drawn_by_window_part_and_size(web: Web) -> None:
    def draw(query: str = "", accept: str = "image/png") -> Image.Image:
        response = web.get(f"{instance(1)}/frames/1/rendered{query}", accept)
        assert response.status_code == 200, response.text
        return Image.open(BytesIO(response.content))

    assert (draw().format, draw(accept="image/jpeg").format, draw().size) == ("PNG", "JPEG", (6, 8))
    dark, light = (np.asarray(draw(f"?window={center},2")) for center in (10_000, -10_000))
    assert (dark.max(), light.min()) == (0, 255)
    assert draw("?viewport=60,60").size == (45, 60)
    part = np.asarray(draw("?viewport=4,4,1,2,4,4&window=168,336,linear"))
    assert np.array_equal(part, np.asarray(draw("?window=168,336,linear"))[2:6, 1:5])
    assert np.array_equal(np.asarray(draw("?viewport=4,4,1,2,-4,4&window=168,336,linear")), part[:, ::-1])
    for path in (f"/studies/{STUDY}", f"/studies/{STUDY}/series/{SERIES}", instance(1), instance(1) + "/frames/2"):
        assert max(Image.open(BytesIO(web.get(f"{path}/thumbnail").content)).size) == 128


# Who may, and from where


def test_nobody_reads_without_a_token_and_who_may_not_see_is_refused(web: Web) -> None:
    response = plain_http.get(f"{web.client.base_url}studies", headers={"accept": "text/html"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    other = web.place.accounts.add_token("auditor", ["audit"])
    answer = web.get("/studies", authorization=f"Bearer {other}")
    assert answer.status_code == 403


def test_a_session_of_the_console_reads_as_well(web: Web) -> None:
    web.place.add_user("wendy", "viewer")
    visitor = web.place.log_in("wendy")
    assert visitor.client.get("/dicom-web/studies", headers={"accept": "application/json"}).status_code == 200


def test_only_pages_of_listed_origins_may_read(web: Web) -> None:
    ours = web.get("/studies", origin=VIEWER)
    assert ours.headers["access-control-allow-origin"] == VIEWER
    assert "Origin" in ours.headers["vary"]
    assert "access-control-allow-origin" not in web.get("/studies", origin="https://elsewhere.example").headers
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    before = httpx.options(f"{web.client.base_url}studies", headers={"origin": VIEWER, **asked})
    assert "authorization" in before.headers["access-control-allow-headers"]
    other = httpx.options(f"{web.client.base_url}studies", headers={"origin": "https://elsewhere.example", **asked})
    assert "access-control-allow-headers" not in other.headers
    refused = plain_http.get(f"{web.client.base_url}studies", headers={"origin": VIEWER})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, VIEWER)


def test_the_service_says_what_it_does_and_what_not(web: Web) -> None:
    response = httpx.options(f"{web.client.base_url}")
    assert b"/frames/{numbers}" in response.content
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    stored = web.client.post("/studies", content=b"x")
    assert (stored.status_code, "STOW" in stored.json()["title"]) == (405, True)


def test_a_hostile_name_is_a_value_and_nothing_more(web: Web) -> None:
    response = web.get("/studies?PatientID=P-2")
    assert response.json()[0]["00100010"]["Value"] == [
        {"Alphabetic": "<img src", "Ideographic": "x onerror", "Phonetic": "alert(1)>"}
    ]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]


# OHIF


def test_a_viewer_is_served_below_its_path_with_a_policy_of_its_own(web: Web) -> None:
    def get(path: str) -> httpx.Response:
        return web.client.get(f"{web.place.url}/ohif/{path}")

    page = get("viewer?StudyInstanceUIDs=1.2")
    assert "window.PUBLIC_URL = '/ohif/'" in page.text
    assert 'src="/ohif/app.bundle.1.js"' in page.text
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"'sha256-{digest}'" in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert get("app.bundle.1.js").text == '__webpack_require__.p = "/ohif/"; x.p="/ohif/",'
    assert get("a.css").text == "a { background: url(/ohif/b.png) }"
    assert (get("b.wasm").headers["content-type"], get("b.wasm").content) == ("application/wasm", b"\0asm")
    config = json.loads(get("app-config.js").text.partition("=")[2].rstrip().removesuffix(";"))
    assert config["dataSources"][0]["configuration"]["wadoRoot"] == "/dicom-web"
    assert "'unsafe-eval'" not in web.get("/studies").headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", [".secret", "%2e%2e/%2e%2e/outside.js", "..%2f..%2foutside.js", "%00.js", "nothing.js"]
)
def test_nothing_beside_the_viewer_is_served(web: Web, path: str) -> None:
    response = web.client.get(f"{web.place.url}/ohif/{path}")
    assert (response.status_code, response.content == b"no") == (404, False)


def test_the_viewer_is_for_who_may_see_images(web: Web) -> None:
    answer = plain_http.get(f"{web.place.url}/ohif/viewer?StudyInstanceUIDs=1.2", headers={"accept": "text/html"})
    assert answer.headers["location"] == "/login?back=/ohif/viewer%3FStudyInstanceUIDs%3D1.2"
