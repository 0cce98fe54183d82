"""R/F 4.1 and 4.2: what the user of the R/F device sets going, and what goes by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.device.site.site_loader import load_site
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_rf_association import full_item
from tests.devices import add_image, today
from tests.made_objects import instances
from tests.peers.process import wait_until

NO_KITS = """
[parameters.kits]
dap = false
storage_commitment = false
mwm = false
mpps = false
media = false
"""
SECOND = """
[peers.second]
ae_title = "HOSPITAL"
host = "127.0.0.1"
port = {port}
services = ["storage"]
"""
PERSON = {"PatientID": "1", "PatientName": "Doe^Jane"}


@pytest.mark.requirement("RF-4.1.1-04", "RF-4.2.3.3.1.1-01")
def test_the_worklist_is_updated_by_hand_and_at_registration(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf", items=today("rf", 2)) as recorded, recorded.modality() as modality:
        recorder = recorded.recorder
        assert len(modality.worklist()) == 2
        assert [call.names for call in recorder.closed()] == [["C-FIND-RQ"]]
        modality.register(PERSON)
        assert [list(call.contexts) for call in recorder.closed()] == [[MODALITY_WORKLIST_FIND]] * 2


@pytest.mark.requirement("RF-4.1.1-01")
def test_images_are_sent_by_themselves_and_by_hand(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        recorder = recorded.recorder
        with modality.exam(patient=PERSON) as exam:
            first = add_image(exam.series("T1", ProtocolName="T1"), 1)
        assert modality.wait_until_idle(10)
        assert [each.data.SOPInstanceUID for each in recorder.requests("C-STORE-RQ")] == [first]
        modality.send(instance=first)
        assert modality.wait_until_idle(10)
        assert [each.data.SOPInstanceUID for each in recorder.requests("C-STORE-RQ")] == [first, first]


@pytest.mark.requirement("RF-1-01")
def test_four_kinds_of_images_are_sent_without_any_kit(tmp_path: Path) -> None:
    services = ("verification", "storage", "query_retrieve")
    with recorded_device(tmp_path, "rf", more=NO_KITS, services=services) as recorded:
        paths = []
        for number, kind in enumerate(("RF Image", "XA Image", "SC Image", "CR Image")):
            image = next(instances("rf", kind, None))[1]
            paths.append(tmp_path / f"{number}.dcm")
            image.save_as(paths[-1], implicit_vr=False, little_endian=True, enforce_file_format=True)
        with recorded.modality() as modality:
            assert modality.import_files(paths).new == 4
            for study in modality.studies():
                modality.send(study.attributes["StudyInstanceUID"])
            assert modality.wait_until_idle(10)
        sent = {each.data.SOPClassUID for each in recorded.recorder.requests("C-STORE-RQ")}
        assert sent == {dcmread(path).SOPClassUID for path in paths}
        assert len(sent) == 4


@pytest.mark.requirement("RF-4.2.1.2.2-02")
def test_one_send_job_is_active_at_a_time(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf") as recorded:
        recorder = recorded.recorder
        port = recorder.address.port
        text = recorded.site.read_text(encoding="utf-8")
        recorded.site.write_text(f"{text}\n{SECOND.format(port=port)}", encoding="utf-8")
        assert set(load_site(recorded.site).peers) == {"hospital", "second"}
        with recorded.modality() as modality:
            with modality.exam(patient=PERSON) as exam:
                uid = add_image(exam.series("T1", ProtocolName="T1"))
            assert modality.wait_until_idle(10)
            recorder.closed()
            recorder.forget(C_STORE="silent")
            for peer in ("hospital", "second"):
                modality.send(peer=peer, instance=uid)
            wait_until(lambda: bool(recorder.requests("C-STORE-RQ")))
            states = sorted(job.state for job in modality.jobs.list(kinds=[JobKind.SEND])[:2])
            assert states == [JobState.DOING, JobState.TODO]
            recorder.stop()
            assert modality.wait_until_idle(10)
            assert [call.names for call in recorder.closed()] == [["C-STORE-RQ"], ["C-STORE-RQ"]]
            assert recorder.peaks == {"ADR_STORAGE_SCU": 1}


@pytest.mark.requirement("RF-4.2.4.3.1.3-11")
@pytest.mark.parametrize(("name", "character_set"), [("Wang^XiaoDong=王^小东", "GB18030"), ("Doe^Jane", None)])
def test_character_set_of_the_performed_step(tmp_path: Path, name: str, character_set: str | None) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        examine(modality, {"PatientID": "1", "PatientName": name, "OperatorsName": name})
        for request in ("N-CREATE-RQ", "N-SET-RQ"):
            (sent,) = recorded.recorder.requests(request)
            assert sent.data.get("SpecificCharacterSet") == character_set
            assert str(sent.data.OperatorsName) == name


def examine(modality: Modality, person: dict[str, object]) -> None:
    with modality.exam(patient=person) as exam:
        add_image(exam.series("T1", ProtocolName="T1"))
    assert modality.wait_until_idle(10)


@pytest.mark.requirement("RF-4.2.3.3.1.3-11", "RF-4.2.3.3.1.3-12", "RF-4.2.3.3.1.3-14")
@pytest.mark.parametrize(("location", "character_set"), [("ROOM 1", None), ("一室", "GB18030")])
def test_what_the_user_matches_a_worklist_by(tmp_path: Path, location: str, character_set: str | None) -> None:
    dates = "20260101-20261231"
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        modality.worklist(
            PatientID="4711",
            ScheduledStationName="STATION",
            ScheduledProcedureStepLocation=location,
            ScheduledProcedureStepStartDate=dates,
        )
        (request,) = recorded.recorder.requests("C-FIND-RQ")
        (step,) = request.data.ScheduledProcedureStepSequence
        assert (request.data.PatientID, step.ScheduledStationName) == ("4711", "STATION")
        assert (step.ScheduledProcedureStepLocation, step.ScheduledProcedureStepStartDate) == (location, dates)
        assert request.data.get("SpecificCharacterSet") == character_set


@pytest.mark.requirement("RF-4.2.3.3.1.3-01", "RF-4.2.3.3.1.3-04", "RF-4.2.3.3.1.3-09")
@pytest.mark.parametrize("pending", [0xFF00, 0xFF01])
def test_each_pending_response_is_an_item(tmp_path: Path, pending: int) -> None:
    items = today("rf", 3)
    for item in items:
        item.PatientState = "not asked for"
        item.add_new(0x00990010, "LO", "SOMEBODY")
    with recorded_device(tmp_path, "rf", items=items) as recorded, recorded.modality() as modality:
        recorded.recorder.pending = pending
        assert [item["PatientID"] for item in modality.worklist()] == [item.PatientID for item in items]
        modality.start_exam(modality.worklist_items()[0])


@pytest.mark.parametrize(("switch", "sent"), [("send", "RF"), ("return", ""), ("omit", None)])
def test_a_key_of_the_parameters_is_sent_or_only_returned(tmp_path: Path, switch: str, sent: str | None) -> None:
    more = f'[peers.hospital.worklist_keys]\n"ScheduledProcedureStepSequence>Modality" = "{switch}"'
    with recorded_device(tmp_path, "rf", more=more) as recorded, recorded.modality() as modality:
        modality.worklist()
        (request,) = recorded.recorder.requests("C-FIND-RQ")
        assert request.data.ScheduledProcedureStepSequence[0].get("Modality") == sent


@pytest.mark.requirement("RF-6-01", "RF-6-02")
@pytest.mark.parametrize(("name", "character_set"), [("Wang^XiaoDong=王^小东", "GB18030"), ("Doe^Jane", None)])
def test_character_set_of_images(tmp_path: Path, name: str, character_set: str | None) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        examine(modality, {"PatientID": "1", "PatientName": name, "PatientComments": name.rpartition("=")[2]})
        (stored,) = recorded.recorder.requests("C-STORE-RQ")
        assert (stored.data.get("SpecificCharacterSet") or None) == character_set
        assert str(stored.data.PatientName) == name
        assert stored.data.PatientComments == name.rpartition("=")[2]


@pytest.mark.requirement("RF-8.1.3-01")
def test_what_becomes_of_the_worklist(tmp_path: Path) -> None:
    """Table 8.1-29, row by row, as another program decodes what the device has sent."""
    item = full_item()
    (step,) = item.ScheduledProcedureStepSequence
    with recorded_device(tmp_path, "rf", items=[item]) as recorded, recorded.modality() as modality:
        with modality.exam(modality.worklist()[0], OperatorsName="Operator^O") as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        assert modality.wait_until_idle(10)
        (stored,), (created,), (ended,) = (
            recorded.recorder.requests(name) for name in ("C-STORE-RQ", "N-CREATE-RQ", "N-SET-RQ")
        )
        image, mpps = stored.data, created.data
    (scheduled,) = mpps.ScheduledStepAttributesSequence
    (request,) = image.RequestAttributesSequence
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        assert image[keyword].value == mpps[keyword].value == item[keyword].value != ""
    for keyword in ("StudyInstanceUID", "AccessionNumber"):
        assert image[keyword].value == scheduled[keyword].value == item[keyword].value != ""
    assert image.ReferringPhysicianName == item.ReferringPhysicianName != ""
    for keyword, source in (
        ("RequestedProcedureID", item),
        ("ScheduledProcedureStepID", step),
        ("ScheduledProcedureStepDescription", step),
    ):
        assert request[keyword].value == scheduled[keyword].value == source[keyword].value != ""
    assert scheduled.RequestedProcedureDescription == item.RequestedProcedureDescription != ""
    assert mpps.ProcedureCodeSequence[0].CodeValue == item.RequestedProcedureCodeSequence[0].CodeValue
    assert image.ProcedureCodeSequence[0].CodeValue == item.RequestedProcedureCodeSequence[0].CodeValue
    planned = step.ScheduledProtocolCodeSequence[0].CodeValue
    assert scheduled.ScheduledProtocolCodeSequence[0].CodeValue == planned
    (series,) = ended.data.PerformedSeriesSequence
    assert (
        series.PerformingPhysicianName == image.PerformingPhysicianName == step.ScheduledPerformingPhysicianName != ""
    )
    assert series.OperatorsName == image.OperatorsName == "Operator^O"


MAPPING = """
[[mapping]]
worklist = "RequestedProcedureComments"
image = "StudyDescription"
[[mapping]]
worklist = "AdmissionID"
mpps = "PerformedProcedureStepDescription"
"""


@pytest.mark.requirement("RF-8.1.3-02")
def test_a_site_changes_the_mapping_of_the_worklist(tmp_path: Path) -> None:
    (item,) = today("rf")
    item.RequestedProcedureComments, item.AdmissionID = "comments", "admission"
    with recorded_device(tmp_path, "rf", items=[item], more=MAPPING) as recorded, recorded.modality() as modality:
        with modality.exam(modality.worklist()[0]) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        assert modality.wait_until_idle(10)
        (stored,), (created,) = (recorded.recorder.requests(name) for name in ("C-STORE-RQ", "N-CREATE-RQ"))
        assert stored.data.StudyDescription == "comments"
        assert created.data.PerformedProcedureStepDescription == "admission"
