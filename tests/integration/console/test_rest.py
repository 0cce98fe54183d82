"""The REST API over HTTP: an exam from the worklist to the archive, and what is refused; each answer by its schema."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from openmodality.store.files.instance_file import StorageFull
from openmodality.store.local import LocalStore
from tests import plain_http
from tests.console_site import ConsolePlace, console_in_hospital
from tests.peers.process import wait_until
from tests.rest_client import RestProgram, add_program, use_token

GEOMETRY = {
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 1,
    "RepetitionTime": 500,
    "EchoTime": 20,
    "FlipAngle": 90,
}
PIXELS = (np.arange(48 * 64, dtype="<u2") % 1000).reshape(48, 64)
RAW = {"content-type": "application/octet-stream", "x-om-shape": "48,64"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
CALLS = (
    "GET /jobs",
    "POST /worklist",
    "POST /peers/ris/echo",
    "POST /jobs/1/cancel",
    "DELETE /studies/1.2.3",
    "GET /users",
)
PATIENT = {"PatientID": "<1>", "PatientName": "<img src=x onerror=alert(1)>", "PatientSex": "O"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("rest")) as started:
        yield started


@pytest.fixture(scope="module")
def program(place: ConsolePlace) -> RestProgram:
    return add_program(place, "program")


@pytest.fixture(scope="module")
def exam(program: RestProgram) -> int:
    return int(program.post("/exams", {"patient": PATIENT})["exam"])


@pytest.fixture(scope="module")
def frame(program: RestProgram, exam: int) -> str:
    """The SOP Instance UID of a frame that was uploaded."""
    series = program.post(f"/exams/{exam}/series", {"description": "mine"})["series"]
    made = upload_frame(program, exam, series, 0)
    return str(made["series"][0]["sop_instance_uids"][0])


def upload_frame(program: RestProgram, exam: int, series: int, place: float, **headers: str) -> dict[str, Any]:
    said = json.dumps({**GEOMETRY, "ImagePositionPatient": [0, 0, place]})
    made: dict[str, Any] = program.post(
        f"/exams/{exam}/series/{series}/frames",
        content=PIXELS.tobytes(),
        headers={**RAW, "x-om-attributes": said, **headers},
    )
    return made


def check_traffic(text: str) -> None:
    """What the exam of this module has sent is counted, each answer of a peer once."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    figures = {name: float(value) for name, value in lines}
    stored = figures['openmodality_dimse_status_total{peer="pacs",service="storage",status_class="success"}']
    assert stored >= 1
    assert figures['openmodality_sent_bytes_total{peer="pacs"}'] > stored * 1000
    assert figures['openmodality_dimse_status_total{peer="ris",service="mpps",status_class="success"}'] >= 2
    assert figures['openmodality_associations_total{direction="out",outcome="accepted",peer="ris"}'] >= 3
    assert figures["openmodality_audit_backlog"] >= 0


def test_an_exam_from_the_worklist_to_the_archive(place: ConsolePlace, program: RestProgram) -> None:
    items = program.post("/worklist", {})["items"]
    assert program.get("/worklist")["items"] == items
    item = items[0]
    assert program.get(f"/worklist/{item['item']}") == item
    started = program.call("POST", "/exams", json={"items": [item["item"]]})
    exam = started.json()["exam"]
    assert started.headers["location"] == f"/api/v1/exams/{exam}"
    assert started.json()["patient_name"] == item["attributes"]["PatientName"]
    program.post(f"/exams/{exam}/acquire", {})
    ended = program.post(f"/exams/{exam}/complete")
    assert ended["state"] == "COMPLETED"
    assert place.modality.wait_until_idle(60)
    check_traffic(plain_http.get(f"{place.url}/metrics").text)
    shown = program.get(f"/exams/{exam}")
    assert shown["steps"][0]["reported"] == ["IN PROGRESS to ris: done", "COMPLETED to ris: done"]
    assert shown["sent"] == shown["committed"] == shown["instances"] > 0
    study = shown["study_instance_uid"]
    found = program.post("/peers/pacs/query", {"keys": {"StudyInstanceUID": study}})
    assert [each["StudyInstanceUID"] for each in found["items"]] == [study]
    lines = program.call(
        "POST",
        "/peers/pacs/query",
        json={"keys": {"StudyInstanceUID": study}},
        headers={"accept": "application/x-ndjson"},
    )
    assert lines.headers["content-type"] == "application/x-ndjson"
    match, end = map(json.loads, lines.text.splitlines())
    assert match == {"event": "match", "attributes": found["items"][0]}
    assert end == {"event": "end", "matches": 1, "more_available": False, "notices": []}
    assert program.fail("DELETE", f"/studies/{'1.2.3'}")["status"] == 404
    gone = program.call("DELETE", f"/studies/{study}").json()
    assert gone["instances"] == shown["instances"]
    came = program.post("/peers/pacs/retrieve", {"study": study})
    assert (came["outcome"], came["completed"]) == ("done", shown["instances"])
    assert len(came["received_sop_instance_uids"]) == shown["instances"]


def test_a_frame_comes_back_as_it_went(place: ConsolePlace, program: RestProgram, exam: int, frame: str) -> None:
    answer = program.call("GET", f"/instances/{frame}/frames/1")
    assert answer.content == PIXELS.tobytes()
    assert (answer.headers["x-om-shape"], answer.headers["x-om-dtype"]) == ("48,64", "uint16")
    array = program.call("GET", f"/instances/{frame}/frames/1", headers={"accept": "application/x-npy"})
    assert np.array_equal(np.load(io.BytesIO(array.content)), PIXELS)
    assert program.fail("GET", f"/instances/{frame}/frames/2")["status"] == 404
    data_set = dcmread(io.BytesIO(program.call("GET", f"/instances/{frame}/file").content))
    assert np.array_equal(data_set.pixel_array, PIXELS)
    assert (data_set.EchoTime, str(data_set.PatientName)) == (20, PATIENT["PatientName"])
    part = program.client.get(
        f"{place.url}/api/v1/instances/{frame}/file",
        headers={"authorization": f"Bearer {program.token}", "range": "bytes=128-131"},
    )
    assert (part.status_code, part.content) == (206, b"DICM")
    assert program.get(f"/instances/{frame}/attributes")["PatientName"] == PATIENT["PatientName"]
    assert program.call("GET", f"/instances/{frame}/picture").content.startswith(b"\x89PNG")


def test_nothing_comes_twice_and_an_array_is_not_taken_for_bytes(
    place: ConsolePlace, program: RestProgram, frame: str
) -> None:
    tags = []
    for path, accept in (("frames/1", "*/*"), ("frames/1", "application/x-npy"), ("file", "*/*"), ("picture", "*/*")):
        tags.append(program.call("GET", f"/instances/{frame}/{path}", headers={"accept": accept}).headers["etag"])
        shown = {"authorization": f"Bearer {program.token}", "accept": accept, "if-none-match": tags[-1]}
        same = program.client.get(f"{place.url}/api/v1/instances/{frame}/{path}", headers=shown)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tags[-1])
    assert len(set(tags)) == len(tags)


def test_every_kind_of_frame_is_taken_in_one_row(program: RestProgram, exam: int, frame: str) -> None:
    series = program.get(f"/instances/{frame}")["SeriesNumber"]
    stream = io.BytesIO()
    np.save(stream, PIXELS + 1)
    said = {"x-om-attributes": json.dumps({**GEOMETRY, "ImagePositionPatient": [0, 0, 5]})}
    kinds = {"application/x-npy": stream.getvalue(), "image/png": make_png(PIXELS + 2)}
    for kind, content in kinds.items():
        program.post(f"/exams/{exam}/series/{series}/frames", content=content, headers={"content-type": kind, **said})
    companion = json.dumps({**GEOMETRY, "ImagePositionPatient": [0, 0, 9], "format": "raw:48x64:uint16:le:0"})
    parts = {
        "said": ("a.json", companion.encode(), "application/json"),
        "pixels": ("a.raw", (PIXELS + 3).tobytes(), "application/octet-stream"),
    }
    program.post(f"/exams/{exam}/series/{series}/frames", files=parts)
    below = program.get(f"/series/{program.get(f'/instances/{frame}')['SeriesInstanceUID']}")["instances_below"]
    assert sorted(each["InstanceNumber"] for each in below) == [1, 2, 3, 4]
    largest = {
        int(np.frombuffer(program.call("GET", f"/instances/{each['SOPInstanceUID']}/frames/1").content, "<u2").max())
        for each in below
    }
    assert largest == {999, 1000, 1001, 1002}


def make_png(pixels: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels.astype("uint16")).save(stream, "PNG")
    return stream.getvalue()


def test_a_dicom_file_of_another_patient_is_no_frame_of_this_one(program: RestProgram, exam: int, frame: str) -> None:
    data_set = dcmread(io.BytesIO(program.call("GET", f"/instances/{frame}/file").content))
    data_set.PatientID = "somebody else"
    stream = io.BytesIO()
    data_set.save_as(stream)
    told = {"content": stream.getvalue(), "headers": {"content-type": "application/dicom"}}
    series = program.get(f"/instances/{frame}")["SeriesNumber"]
    refused = program.fail("POST", f"/exams/{exam}/series/{series}/frames", **told)
    assert (refused["status"], refused["type"]) == (409, "urn:openmodality:problem:other-identity")
    assert "somebody else" in refused["advice"]
    assert program.fail("POST", f"/exams/{exam}/volumes", **told)["status"] == 409
    accepted = program.post(f"/exams/{exam}/volumes?accept_identity=true", **told)
    assert accepted["series"][0]["sop_instance_uids"]


def test_a_volume_with_its_sidecar_is_a_series(program: RestProgram, exam: int) -> None:
    volume = nibabel.Nifti1Image(np.arange(16 * 16 * 3, dtype=np.int16).reshape(16, 16, 3), np.diag([2, 2, 5, 1]))
    parts = {
        "volume": ("head.nii", volume.to_bytes(), "application/octet-stream"),
        "sidecar": ("head.json", b'{"EchoTime": 0.03, "RepetitionTime": 2.0, "FlipAngle": 90}', "application/json"),
    }
    (series,) = program.post(f"/exams/{exam}/volumes", files=parts)["series"]
    assert len(series["sop_instance_uids"]) == 3
    assert program.get(f"/instances/{series['sop_instance_uids'][0]}/attributes")["EchoTime"] == 30


@pytest.mark.parametrize(
    ("headers", "content", "status", "said"),
    [
        ({"content-type": "text/plain"}, b"x", 415, "application/octet-stream"),
        ({"content-type": "application/octet-stream"}, b"x" * 900, 422, "not a kind of file"),
        ({**RAW, "x-om-shape": "many"}, b"x", 400, "X-OM-Shape"),
        ({**RAW, "x-om-dtype": "object"}, b"x", 400, "X-OM-Dtype"),
        ({**RAW, "x-om-attributes": "["}, b"x", 400, "X-OM-Attributes"),
        ({**RAW, "x-om-attributes": "[]"}, b"x", 400, "X-OM-Attributes"),
        (RAW, b"x", 422, ""),
        (RAW, b"x" * (48 * 64 * 2 + 2), 422, "holds 6146 bytes"),
        ({"content-type": "multipart/mixed; boundary=b"}, b"--b\r\nnothing", 400, "parts"),
        ({"content-type": "multipart/mixed; boundary=b"}, b"--b--", 400, "0 parts of pixels"),
        ({"content-type": "multipart/mixed"}, b"", 400, "parts"),
    ],
)  # fmt: skip
def test_an_upload_that_is_wrong_makes_nothing(
    place: ConsolePlace,
    program: RestProgram,
    exam: int,
    headers: dict[str, str],
    content: bytes,
    status: int,
    said: str,
) -> None:
    before = program.get(f"/exams/{exam}")
    refused = program.fail("POST", f"/exams/{exam}/volumes", content=content, headers=headers)
    assert refused["status"] == status
    assert said in refused["detail"]
    assert str(place.modality.site.data_folder) not in json.dumps(refused)
    assert program.get(f"/exams/{exam}")["instances"] == before["instances"]
    assert list(place.server.context.uploads.folder.glob("*")) == []  # there is none before the first upload


def test_an_upload_of_several_frames_that_ends_in_its_middle_makes_none_of_them(
    program: RestProgram, exam: int, frame: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = program.post(f"/exams/{exam}/series", {"description": "three or none"})["series"]
    content = np.stack([PIXELS, PIXELS + 1, PIXELS + 2]).tobytes()
    said = {**RAW, "x-om-shape": "3,48,64", "x-om-attributes": json.dumps(GEOMETRY)}
    before = program.get(f"/exams/{exam}")["instances"]
    create, created = LocalStore.create, []

    def end_at_the_third(store: LocalStore, uid: str) -> Any:
        created.append(uid)
        if len(created) == 3:
            raise StorageFull("the disk is full")
        return create(store, uid)

    monkeypatch.setattr(LocalStore, "create", end_at_the_third)
    path = f"/exams/{exam}/series/{series}/frames"
    assert program.fail("POST", path, content=content, headers=said)["status"] == 507
    assert len(created) == 3, "they are made one after the other"
    monkeypatch.undo()
    assert program.get(f"/exams/{exam}")["instances"] == before
    assert len(program.post(path, content=content, headers=said)["series"][0]["sop_instance_uids"]) == 3


def test_a_request_with_a_key_is_done_once(place: ConsolePlace, program: RestProgram, exam: int) -> None:
    key = {"idempotency-key": "exam-1"}
    first, second = (
        program.call("POST", "/exams", json={"patient": {**PATIENT, "PatientID": "2"}}, headers=key) for _ in range(2)
    )
    assert (first.json(), first.headers["location"]) == (second.json(), second.headers["location"])
    assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")
    other = program.fail("POST", "/exams", json={"patient": {**PATIENT, "PatientID": "3"}}, headers=key)
    assert (other["status"], other["type"]) == (422, "urn:openmodality:problem:key-reused")
    another = add_program(place, "another")
    assert (
        another.post("/exams", {"patient": {**PATIENT, "PatientID": "2"}}, headers=key)["exam"] != first.json()["exam"]
    )
    series = program.post(f"/exams/{exam}/series", {"description": "sent twice"})["series"]
    uploads = [upload_frame(program, exam, series, 40, **{"idempotency-key": "frame-1"}) for _ in range(2)]
    assert uploads[0] == uploads[1]
    refused = program.fail("POST", "/exams/9999/complete", headers={"idempotency-key": "wrong"})
    assert refused["status"] == 404
    assert program.post("/worklist", {}, headers={"idempotency-key": "wrong"})["items"], "what failed is forgotten"


def test_two_at_once_with_the_same_key_make_one_exam(place: ConsolePlace, program: RestProgram) -> None:
    answers: list[httpx.Response] = []

    def start() -> None:
        options = {"json": {"patient": {**PATIENT, "PatientID": "5"}}, "headers": {"idempotency-key": "double-click"}}
        answers.append(program.call("POST", "/exams", **options))

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["exam"] for answer in answers if answer.status_code == 201}) == 1
    assert sum(exam["patient_id"] == "5" for exam in program.get("/exams")["items"]) == 1


def test_a_secret_is_shown_once_and_kept_nowhere(place: ConsolePlace, program: RestProgram) -> None:
    key = {"idempotency-key": "token-1"}
    made = program.post("/tokens", {"name": "once", "scopes": ["view"]}, headers=key)
    assert program.fail("POST", "/tokens", json={"name": "once", "scopes": ["view"]}, headers=key)["status"] == 409
    assert use_token(place, made["token"]).get("/jobs") is not None
    stored = b"".join(each.read_bytes() for each in place.modality.site.data_folder.glob("*.db*"))
    assert made["token"].encode() not in stored
    assert program.call("DELETE", "/tokens/once").status_code == 204
    refused = use_token(place, made["token"]).fail("GET", "/jobs")
    assert refused["status"] == 401
    assert "Authorization: Bearer" in refused["advice"]
    user = program.post("/users", {"user": "eve", "roles": ["viewer"]})
    assert user["link"].startswith(f"{place.url}/setup/")
    assert program.call("PATCH", "/users/eve", json={"disabled": True}).json()["disabled"]


def test_pages_of_a_list_go_on_where_they_ended(program: RestProgram) -> None:
    for path, member in (("/exams", "exam"), ("/jobs", "job"), ("/series", "SeriesInstanceUID"), ("/worklist", "item")):
        whole = [each[member] for each in program.get(path)["items"]]
        found: list[object] = []
        cursor = ""
        while True:
            page = program.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
            found += [each[member] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
            assert len(page["items"]) == 2
        assert found == whole, path
    assert program.fail("GET", "/jobs?cursor=none")["status"] == 400
    first = program.get("/exams", params={"limit": 1})
    program.post("/exams", {"patient": {**PATIENT, "PatientID": "9"}})
    following = program.get("/exams", params={"limit": 1, "cursor": first["next"]})
    assert following["items"][0]["exam"] == first["items"][0]["exam"] - 1, "a new one moves no page"


def test_what_is_wrong_is_said_value_by_value(program: RestProgram) -> None:
    refused = program.fail("POST", "/exams", json={"patient": PATIENT, "begin": "perhaps", "what": 1})
    assert {fault["where"]: fault["detail"] for fault in refused["errors"]} == {
        "body.begin": "is neither true nor false",
        "body.what": "is nothing that this request has: look for a mistake in its name",
    }
    form = program.fail("POST", "/exams", content=b'{"patient": {"PatientID": "1"}}', headers=FORM)
    assert (form["status"], "curl --json" in form["advice"]) == (415, True)
    for path, member in (("/exams", "attributes"), ("/exams", "patient"), ("/peers/pacs/query", "keys")):
        for name in ("confirm", "self", "peer", "level", "limit", "hand_over", "modality", "__class__"):
            assert program.fail("POST", path, json={member: {name: "1"}})["status"] == 422
    exam = program.post("/exams", {"patient": PATIENT, "begin": False})["exam"]
    why = program.fail("POST", f"/exams/{exam}/discontinue", json={"reason": "tired"})
    assert "110501 Equipment failure" in why["advice"]
    assert program.fail("POST", "/exams", json={})["status"] == 400
    assert program.fail("POST", "/exams", json={"patient": {"NoKeyword": 1}})["status"] in (400, 422)
    assert program.fail("GET", "/exams/0")["status"] == 422
    assert program.fail("GET", "/nowhere")["status"] == 404
    assert program.fail("PUT", "/exams")["status"] == 405


def test_a_peer_that_refuses_is_named_with_its_status(program: RestProgram) -> None:
    refused = program.fail("POST", "/peers/pacs/query", json={"level": "SERIES"})
    assert (refused["status"], refused["peer"], refused["dimse_status"]) == (502, "pacs", "A900")
    assert "StudyInstanceUID" in refused["advice"]
    unknown = program.fail("POST", "/peers/nobody/echo")
    assert (unknown["status"], "ris, pacs, printer" in unknown["advice"]) == (404, True)
    assert program.post("/peers/ris/echo")["success"] is True


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("view", {"GET /jobs"}),
        ("operate", {"POST /worklist"}),
        ("check", {"POST /peers/ris/echo"}),
        ("control", {"POST /jobs/1/cancel"}),
        ("delete", {"DELETE /studies/1.2.3"}),
        ("manage", {"GET /users"}),
        ("audit", set()),
    ],
)
def test_a_scope_allows_what_it_says(place: ConsolePlace, scope: str, allowed: set[str]) -> None:
    program = add_program(place, f"only-{scope}", [scope])
    calls = (
        "GET /jobs",
        "POST /worklist",
        "POST /peers/ris/echo",
        "POST /jobs/1/cancel",
        "DELETE /studies/1.2.3",
        "GET /users",
    )
    for call in calls:
        method, path = call.split()
        status = program.call(method, path, json={} if path == "/worklist" else None).status_code
        assert (status == 403) == (call not in allowed), call


def test_a_session_shows_its_form_token_and_a_program_none(place: ConsolePlace) -> None:
    place.add_user("olga", "operator")
    visitor = place.log_in("olga")
    assert visitor.get("/api/v1/jobs").status_code == 200
    refused = visitor.client.post("/api/v1/worklist", json={})
    assert (refused.status_code, refused.json()["status"]) == (403, 403)
    token = visitor.get("/account").text.partition('name="form_token" value="')[2].partition('"')[0]
    assert visitor.client.post("/api/v1/worklist", json={}, headers={"x-form-token": token}).status_code == 200
    nobody = plain_http.get(f"{place.url}/api/v1/jobs")
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    elsewhere = plain_http.get(f"{place.url}/api/v1/jobs", headers={"host": "evil.example"})
    assert (elsewhere.status_code, elsewhere.headers["content-type"]) == (421, "application/problem+json")


def test_a_body_that_is_too_large_is_refused_but_an_upload_has_the_disk(
    place: ConsolePlace, program: RestProgram, exam: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b" " * ((1 << 20) + 1)
    assert program.call("POST", "/worklist", content=large).status_code == 413
    much = {"content": iter([large, large]), "headers": {"content-type": "application/octet-stream"}}
    assert program.fail("POST", f"/exams/{exam}/volumes", **much)["status"] == 422, "it was read to its end"
    monkeypatch.setattr("openmodality.console.uploads.RESERVE_BYTES", 1 << 60)
    full = program.fail("POST", f"/exams/{exam}/volumes", content=b"x", headers=RAW)
    assert (full["status"], full["type"]) == (507, "urn:openmodality:problem:storage-full")


def test_health_and_figures_ask_for_no_session(
    place: ConsolePlace, program: RestProgram, exam: int, frame: str
) -> None:
    program.get(f"/exams/{exam}")
    program.post("/peers/ris/echo")
    assert plain_http.get(f"{place.url}/healthz").json() == {"ready": True, "checks": []}
    ready = plain_http.get(f"{place.url}/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert {each["name"] for each in ready.json()["checks"]} == {"database", "disk", "worker", "listeners"}
    text = plain_http.get(f"{place.url}/metrics").text
    for figure in (
        "jobs",
        "exams",
        "peer_up",
        "disk_free_bytes",
        "worklist_items",
        "build_info",
        "http_requests_total",
    ):
        assert f"\nopenmodality_{figure}" in text, figure
    assert 'route="/api/v1/exams/{exam}"' in text
    for secret in (PATIENT["PatientName"], PATIENT["PatientID"], frame):
        assert secret not in text
    for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded"):
        proxied = plain_http.get(f"{place.url}/metrics", headers={name: "10.1.2.3"})
        assert proxied.status_code == 401, "whoever asks through a proxy is not on this machine"


def test_a_head_is_a_get_without_its_body(program: RestProgram, frame: str) -> None:
    headers = {"authorization": f"Bearer {program.token}"}
    for path in (f"/instances/{frame}/file", f"/instances/{frame}/frames/1", "/jobs", "/instances/1.2/file"):
        head = program.client.head(f"{program.url}/api/v1{path}", headers=headers)
        whole = program.client.get(f"{program.url}/api/v1{path}", headers=headers)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.headers["content-length"] == whole.headers["content-length"]


def test_an_upload_that_breaks_off_makes_nothing_and_leaves_nothing(
    place: ConsolePlace, program: RestProgram, exam: int, frame: str
) -> None:
    before = program.get(f"/exams/{exam}")["instances"]
    host, _, port = place.url.removeprefix("http://").partition(":")
    head = (
        f"POST /api/v1/exams/{exam}/volumes HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Bearer {program.token}\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-nifti\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + b"400\r\n" + b"x" * 1024 + b"\r\n400\r\n" + b"x" * 100)
        wait_until(lambda: any(place.server.context.uploads.folder.glob("*/body")), timeout_s=20)
    wait_until(lambda: not any(place.server.context.uploads.folder.iterdir()), timeout_s=20)
    assert program.get(f"/exams/{exam}")["instances"] == before


def test_the_api_describes_itself(program: RestProgram) -> None:
    assert program.get("/openapi.json")["openapi"].startswith("3.1")
