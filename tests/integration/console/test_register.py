"""Registered by hand: what the user gives goes out with the images, to an archive made of pynetdicom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from tests.devices import today
from tests.recorded_console import RecordedConsole, recorded_console

CANARY = "<img src=x onerror=alert(1)>"
TYPED = {
    "PatientID": "P-17", "PatientName": "Roe, Jane", "PatientBirthDate": "1970-03-27", "PatientSex": "F",
    "PatientSize": "1.7", "PatientWeight": "64.5", "AccessionNumber": "ACC-9", "StudyDescription": "Swallowing",
    "BodyPartExamined": "CSPINE", "OperatorsName": "Roe^Richard",
}  # fmt: skip
TERMS = (
    "SKULL CSPINE TSPINE LSPINE SSPINE COCCYX CHEST CLAVICLE BREAST ABDOMEN PELVIS HIP SHOULDER ELBOW KNEE ANKLE HAND"
    " FOOT EXTREMITY HEAD HEART NECK LEG ARM JAW OTHER"
)
SHUTTER = {
    "ShutterLeftVerticalEdge": "2", "ShutterRightVerticalEdge": "14", "ShutterUpperHorizontalEdge": "0",
    "ShutterLowerHorizontalEdge": "15",
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    folder = tmp_path_factory.mktemp("rf")
    with recorded_console(folder, "rf", items=today("rf", 1, patient_id="KNOWN"), role="operator") as made:
        np.save(folder / "pixels.npy", np.full((16, 16), 100, np.uint16))
        yield made


@pytest.fixture(autouse=True)
def begin_anew(desk: RecordedConsole) -> None:
    desk.settle()
    desk.recorder.forget()


def register(desk: RecordedConsole, **changes: str) -> str:
    """Register somebody; where that leads."""
    return str(desk.visitor.post("/register", **{**TYPED, **changes}).headers["location"])


def send(desk: RecordedConsole, exam: str, **fields: str) -> Dataset:
    """Make an image of a file in an exam, and complete it; what the archive got."""
    desk.upload(exam, desk.recorded.site.parent / "pixels.npy", **fields)
    desk.visitor.post(f"{exam}/complete")
    (stored,) = desk.wait_for("C-STORE-RQ")
    return stored.data


@pytest.mark.requirement(
    "RF-8.1.1.6-01", "RF-8.1.1.6-02", "RF-8.1.1.6-05", "RF-8.1.1-03", "RF-4.2.3.3.1.1-01", "RF-4.1.1-06", "RF-4.1.1-07",
)  # fmt: skip
def test_what_the_user_gives_is_that_of_the_images(desk: RecordedConsole) -> None:
    page = desk.read("/register")
    parts = page.partition('name="BodyPartExamined"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="(\w+)"', parts) == TERMS.split()
    exam = register(desk)
    assert [list(call.contexts) for call in desk.recorder.closed()] == [[MODALITY_WORKLIST_FIND]], "asked by itself"
    for shown in ("Roe, Jane", "P-17", "1970-03-27", "ACC-9"):
        assert shown in desk.read(exam)
    assert desk.recorder.requests("N-CREATE-RQ") == [], "the step begins with the first image"
    desk.upload(exam, desk.recorded.site.parent / "pixels.npy")
    (created,) = desk.wait_for("N-CREATE-RQ")
    assert created.data.PatientID == "P-17"
    desk.settle()
    assert desk.recorder.requests("N-SET-RQ") == [], "only the user ends it"
    desk.visitor.post(f"{exam}/complete")
    (ended,) = desk.wait_for("N-SET-RQ")
    assert ended.data.PerformedProcedureStepStatus == "COMPLETED"
    image = desk.wait_for("C-STORE-RQ")[0].data
    assert (image.PatientID, image.PatientName, image.PatientBirthDate) == ("P-17", "Roe^Jane", "19700327")
    assert (image.PatientSex, image.AccessionNumber, image.BodyPartExamined) == ("F", "ACC-9", "CSPINE")
    assert (image.OperatorsName, image.StudyDescription) == ("Roe^Richard", "Swallowing")
    assert image.StudyInstanceUID, "made by the device"


@pytest.mark.requirement("RF-8.1.1.6-01", "RF-8.1.1.6-02")
def test_what_is_left_out_is_empty_or_made_by_the_device(desk: RecordedConsole) -> None:
    needed = {"PatientID": "P-18", "PatientName": "Roe", "BodyPartExamined": "JAW"}
    image = send(desk, register(desk, **{keyword: needed.get(keyword, "") for keyword in TYPED}))
    assert (image.PatientID, image.PatientName) == ("P-18", "Roe")
    assert image.AccessionNumber, "made by the device"
    for keyword in ("PatientBirthDate", "PatientSex"):
        assert image[keyword].is_empty, keyword
    assert "OtherPatientIDs" not in image


@pytest.mark.requirement("RF-8.1.1.6-04", "RF-8.1.1.6-11")
@pytest.mark.parametrize(("chosen", "modality"), [("XA Image", "XA"), ("RF Image", "RF")])
def test_modality_and_shutter_are_set_by_the_user(desk: RecordedConsole, chosen: str, modality: str) -> None:
    exam = register(desk)
    assert f"<option>{chosen}</option>" in desk.read(exam)
    image = send(desk, exam, object=chosen, **SHUTTER)
    assert image.Modality == modality
    assert image.SeriesInstanceUID
    assert desk.wait_for("N-CREATE-RQ")[0].data.Modality == modality
    assert image.PerformedProcedureStepID or image.get("ReferencedPerformedProcedureStepSequence")
    assert image.ShutterShape == "RECTANGULAR"
    assert {keyword: str(image[keyword].value) for keyword in SHUTTER} == SHUTTER
    exam = register(desk, PatientID="P-19")
    desk.recorder.forget()
    assert "ShutterShape" not in send(desk, exam, object=chosen)


@pytest.mark.requirement("RF-8.1.1.7-08")
def test_a_cr_image_has_the_body_part_of_the_user_and_no_view_position(desk: RecordedConsole) -> None:
    image = send(desk, register(desk, BodyPartExamined="CHEST"), object="CR Image")
    assert (image.Modality, image.BodyPartExamined, image.ViewPosition) == ("CR", "CHEST", "")


@pytest.mark.requirement("RF-8.1.1.6-05", "RF-8.1.1.6-01")
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(desk: RecordedConsole) -> None:
    wrong = {
        "PatientID": "", "PatientName": "", "PatientBirthDate": "1970-13-01", "PatientSex": "X", "BodyPartExamined": "",
    }  # fmt: skip
    answer = desk.visitor.post("/register", **{**TYPED, **wrong, "OperatorsName": CANARY})
    assert answer.status_code == 400
    for keyword in wrong:
        assert f'id="register-{keyword}-error"' in answer.text
    assert 'value="ACC-9"' in answer.text
    assert 'value="1970-13-01"' in answer.text
    assert "<img src" not in answer.text
    assert "Choose one of the list" in desk.visitor.post("/register", **{**TYPED, "BodyPartExamined": "TOE"}).text
    for keyword, value in (
        ("AccessionNumber", "A" * 17),
        ("PatientWeight", "heavy"),
        ("PatientBirthDate", "2999-01-01"),
    ):
        answer = desk.visitor.post("/register", **{**TYPED, keyword: value})
        assert answer.status_code == 400
        assert f'id="register-{keyword}-error"' in answer.text
    answer = desk.visitor.post("/register", **{**TYPED, "PatientWeight": "7000", "PatientSize": "170,5"})
    for words in ("More than 1000 kg: give a number of kg", "More than 4 m: give a number of m"):
        assert words in answer.text
    assert [exam for exam in desk.modality.exams() if exam.state == "REGISTERED"] == []


def test_a_shutter_that_is_none_is_told_at_its_edge(desk: RecordedConsole) -> None:
    exam = register(desk)
    for changes, keyword, said in (
        ({"ShutterLeftVerticalEdge": ""}, "ShutterLeftVerticalEdge", "all four edges"),
        ({"ShutterLeftVerticalEdge": "x"}, "ShutterLeftVerticalEdge", "whole number"),
        ({"ShutterRightVerticalEdge": "3"}, "ShutterRightVerticalEdge", "nothing would be left"),
        ({"object": "MR Image"}, "object", "no such images"),
    ):
        answer = desk.visitor.post(f"{exam}/acquire", upload="0" * 16, **{**SHUTTER, **changes})
        assert answer.status_code == 400
        error = answer.text.partition(f'id="upload-{keyword}-error">')[2].partition("</p>")[0]
        assert said in error
        assert 'value="15"' in answer.text, "what was typed is kept"
    assert desk.modality.find_exam(int(exam.rpartition("/")[2])).instances() == []
    desk.visitor.post(f"{exam}/discontinue", reason="110513")


def test_who_is_on_the_worklist_is_started_from_there(desk: RecordedConsole) -> None:
    desk.ask_ris(Modality="RF")
    item = desk.modality.worklist_items()[0].id
    before = len(desk.modality.exams())
    answer = desk.visitor.post("/register", **{**TYPED, "PatientID": "KNOWN"})
    assert answer.status_code == 409
    assert f'href="/start/{item}"' in answer.text
    assert len(desk.modality.exams()) == before
    assert register(desk, PatientID="KNOWN", accepts="yes").startswith("/exam/")


def test_who_may_only_look_registers_nobody(desk: RecordedConsole) -> None:
    desk.place.add_user("vera", "viewer")
    vera = desk.place.log_in("vera")
    assert vera.get("/register").status_code == 403
    assert vera.post("/register", **TYPED).status_code == 403
    assert "/register" not in vera.get("/today").text
