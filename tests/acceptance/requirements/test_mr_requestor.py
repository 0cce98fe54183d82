"""MR 2.3, 3.1 to 3.3 and 11.2: what the MR device asks of a peer of another maker, and what its site file changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import UID

from openmodality.activities.retrieve import Wanted
from openmodality.store.states import InstanceResult, JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, IMPLICIT, TITLE, listening, recorded_device
from tests.acceptance.requirements.storage_classes import (
    ENHANCED_MR,
    KEY_OBJECTS,
    MR_IMAGE,
    PRESENTATION_STATE,
    SECONDARY_CAPTURE,
    instance,
)
from tests.devices import add_image, today
from tests.peers import dcmtk
from tests.peers.objects import save
from tests.peers.process import free_port
from tests.peers.pynetdicom_ae import associated

VERIFICATION, BIG = "1.2.840.10008.1.1", "1.2.840.10008.1.2.2"
PERSON = {"PatientID": "1", "PatientName": "Doe^Jane"}
PATIENT_ROOT, STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.1.", "1.2.840.10008.5.1.4.1.2.2."


@pytest.mark.parametrize(
    "sop_class",
    [
        pytest.param(MR_IMAGE, marks=pytest.mark.requirement("MR-3-20")),
        pytest.param(ENHANCED_MR, marks=pytest.mark.requirement("MR-3-21")),
        pytest.param(SECONDARY_CAPTURE, marks=pytest.mark.requirement("MR-3-22")),
        pytest.param(PRESENTATION_STATE, marks=pytest.mark.requirement("MR-3-23")),
        pytest.param(KEY_OBJECTS, marks=pytest.mark.requirement("MR-3-24")),
    ],
)
@pytest.mark.requirement("MR-3.2.3.2-01")
@pytest.mark.needs("storescp")
def test_each_storage_class_reaches_dcmtk(tmp_path: Path, sop_class: UID) -> None:
    image = instance(sop_class)
    with dcmtk.storescp(tmp_path / "pacs", "--accept-all", aet=TITLE) as pacs, recorded_device(tmp_path, "mr") as at:
        text = at.site.read_text(encoding="utf-8")
        at.site.write_text(text.replace(f"port = {at.recorder.address.port}", f"port = {pacs.port}"), encoding="utf-8")
        with at.modality() as modality:
            modality.import_files([save(image, tmp_path / "images")])
            modality.send(instance=image.SOPInstanceUID)
            assert modality.wait_until_idle(10)
        assert sum(image.SOPInstanceUID in path.name for path in pacs.files()) == 1


@pytest.mark.requirement("MR-3.2.3.3-02")
@pytest.mark.parametrize(
    ("status", "expected"),
    [(0x0000, InstanceResult.SUCCESS), (0xB000, InstanceResult.WARNING), (0xC001, InstanceResult.FAILURE)],
)
def test_the_status_of_a_store_is_that_of_its_instance(tmp_path: Path, status: int, expected: InstanceResult) -> None:
    with recorded_device(tmp_path, "mr", more="[parameters.storage]\nretry_delay_min = 0") as recorded:
        recorded.recorder.forget(C_STORE=status)
        with recorded.modality() as modality:
            with modality.exam(patient=PERSON) as exam:
                add_image(exam.series("T1"))
            assert modality.wait_until_idle(10)
            (job,) = modality.jobs.list(kinds=[JobKind.SEND])
            assert [(each.result, each.status) for each in modality.jobs.show(job.id).instances] == [(expected, status)]
            assert job.state is (JobState.FAILED if expected is InstanceResult.FAILURE else JobState.DONE)


@pytest.mark.requirement("MR-3.2.1.2-02", "MR-3-15", "MR-3-16", "MR-3-17", "MR-3-18", "MR-3.2.2.3-01", "MR-3.2.2.4-01")
@pytest.mark.parametrize(("model", "root"), [(None, STUDY_ROOT), ("study", STUDY_ROOT), ("patient", PATIENT_ROOT)])
def test_the_root_of_queries_and_retrieves_is_that_of_the_site(tmp_path: Path, model: str | None, root: str) -> None:
    peer = f'query_model = "{model}"' if model else ""
    with recorded_device(tmp_path, "mr", peer=peer) as recorded, recorded.modality() as modality:
        recorder = recorded.recorder
        image = instance()
        recorder.matches = [image[(0x0010, 0x0010) : (0x0010, 0x0040)]]
        recorder.images = [image]
        recorder.destinations["OM_MR"] = listening(recorded, "device", "OM_MR")
        found = modality.query("PATIENT" if model == "patient" else "STUDY", PatientID="1")
        assert [str(match.PatientName) for match in found.items] == ["Doe^Jane"]
        modality.retrieve(Wanted(image.StudyInstanceUID, patient_id="1"))
        assert [str(each["SOPInstanceUID"]) for each in modality.instances()] == [image.SOPInstanceUID]
        asked = {name: list(call.contexts) for call in recorder.closed() for name in call.names}
        assert asked["C-FIND-RQ"] == [f"{root}1"]
        assert asked["C-MOVE-RQ"] == [f"{root}2"]


@pytest.mark.requirement("MR-3.2.1.1-02")
@pytest.mark.parametrize(
    "keys", [{"PatientName": "DO*"}, {"PatientID": "4711"}, {"PatientName": "D?E", "PatientID": "47*"}]
)
def test_wild_cards_and_values_of_the_user_go_out(tmp_path: Path, keys: dict[str, str]) -> None:
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        modality.query("STUDY", "hospital", model=None, limit=None, hand_over=None, **keys)
        (request,) = recorded.recorder.requests("C-FIND-RQ")
        assert {keyword: str(request.data[keyword].value) for keyword in keys} == keys


@pytest.mark.requirement("MR-2.3-01", "MR-2.3.2-01", "MR-2.3.2-05", "MR-5-01", "MR-2.3.2-06")
@pytest.mark.parametrize(("most", "taken", "names"), [(10, 5, ["C-FIND-RQ"]), (2, 2, ["C-FIND-RQ", "C-CANCEL-RQ"])])
def test_the_worklist_is_retrieved_or_cancelled(tmp_path: Path, most: int, taken: int, names: list[str]) -> None:
    more = f"[parameters.worklist]\nmax_items = {most}"
    with recorded_device(tmp_path, "mr", items=today("mr", 5), more=more) as recorded:
        with recorded.modality() as modality:
            assert len(modality.worklist()) == taken
        (call,) = recorded.recorder.closed()
        assert (call.names, call.end) == (names, "released")


@pytest.mark.requirement("MR-2.4-01")
@pytest.mark.parametrize(("ending", "protocol"), [("COMPLETED", "PROTOCOL"), ("DISCONTINUED", "")])
def test_a_performed_step_is_created_and_set(tmp_path: Path, ending: str, protocol: str) -> None:
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        exam = modality.register(PERSON)
        add_image(exam.series("T1", ProtocolName=protocol) if protocol else exam.series("T1"))
        exam.complete() if ending == "COMPLETED" else exam.discontinue("110514")
        assert modality.wait_until_idle(10)
        recorded.recorder.closed()
        (create,), (change,) = (recorded.recorder.requests(name) for name in ("N-CREATE-RQ", "N-SET-RQ"))
        assert create.data.PerformedProcedureStepStatus == "IN PROGRESS"
        assert change.data.PerformedProcedureStepStatus == ending
        (series,) = change.data.PerformedSeriesSequence
        assert (series.ProtocolName, series.SeriesDescription) == (protocol or "T1", "T1")
        assert series.RetrieveAETitle == TITLE
        assert create.command.AffectedSOPInstanceUID == change.command.RequestedSOPInstanceUID


@pytest.mark.requirement(
    "MR-2.3.2-02", "MR-2.3.2-03", "MR-2.4.2-02", "MR-2.4.2-03", "MR-3.1.1-02", "MR-11.1-01", "MR-11.2-01", "MR-11.2-02",
)  # fmt: skip
def test_titles_and_ports_are_those_of_the_site_file(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "mr") as recorded:
        text, port = recorded.site.read_text(encoding="utf-8"), free_port()
        own = f'[application_entities.device]\nae_title = "OWN"\nport = {port}'
        text = text.replace(f"[application_entities.device]\nport = {recorded.ports['device']}", own)
        named = 'ae_title = "ELSEWHERE"\nalias = "Archive"\ndescription = "in the cellar"'
        recorded.site.write_text(text.replace('ae_title = "HOSPITAL"', named), encoding="utf-8")
        with recorded.modality() as modality:
            assert modality.serve() == {"device": port}
            modality.worklist()
            with modality.exam(patient=PERSON) as exam:
                add_image(exam.series("T1"))
            assert modality.wait_until_idle(10)
            calls = recorded.recorder.closed()
            assert {(call.calling, call.called) for call in calls} == {("OWN", "ELSEWHERE")}
            assert {name for call in calls for name in call.names} >= {"C-FIND-RQ", "N-CREATE-RQ", "C-STORE-RQ"}
            peer = modality.site.peer("hospital").settings
            assert (peer.alias, peer.description) == ("Archive", "in the cellar")
            recorded.ports["device"] = port
            with associated(listening(recorded, "device", "OWN"), [VERIFICATION], calling="ELSEWHERE") as association:
                assert association.send_c_echo().Status == 0


@pytest.mark.requirement("MR-3.1.1-02")
def test_a_peer_is_offered_the_classes_of_the_site_file(tmp_path: Path) -> None:
    peer = 'sop_classes = ["MRImageStorage", "Verification"]\ntransfer_syntaxes = ["ImplicitVRLittleEndian"]'
    services = ("verification", "storage")
    with recorded_device(tmp_path, "mr", peer=peer, services=services) as recorded, recorded.modality() as modality:
        other = instance(SECONDARY_CAPTURE)
        modality.import_files([save(other, tmp_path / "images"), save(instance(), tmp_path / "images")])
        for study in modality.studies():
            modality.send(study.attributes["StudyInstanceUID"])
        modality.wait_until(lambda: len(modality.jobs.list(states=[JobState.DONE, JobState.FAILED])) == 2, 10)
        contexts = [call.contexts for call in recorded.recorder.closed()]
        assert contexts == [{str(MR_IMAGE): (IMPLICIT,)}]


@pytest.mark.requirement("MR-3-14")
@pytest.mark.parametrize("status", [0, 0x0122])
def test_verification(tmp_path: Path, status: int) -> None:
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        recorded.recorder.forget(C_ECHO=status)
        assert modality.echo("hospital") == status
        (call,) = recorded.recorder.closed()
        assert call.contexts == {VERIFICATION: (IMPLICIT, EXPLICIT, BIG)}
        assert (call.names, call.end) == (["C-ECHO-RQ"], "released")


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("Doe^Jane", "ISO_IR 100"),
        pytest.param(
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
            ["ISO 2022 IR 13", "ISO 2022 IR 87"],
            marks=pytest.mark.requirement("MR-12-02", "MR-12-03"),
        ),
        pytest.param(
            "Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"], marks=pytest.mark.requirement("MR-12-03")
        ),
        pytest.param("Müller^Jürgen", "ISO_IR 100", marks=pytest.mark.requirement("MR-12-04")),
    ],
)
def test_character_sets(tmp_path: Path, name: str, terms: object) -> None:
    """Pydicom reads what it gets as it reads any hospital's data sets."""
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        with modality.exam(patient={"PatientID": "1", "PatientName": name}) as exam:
            add_image(exam.series("T1"))
        assert modality.wait_until_idle(10)
        (stored,), (created,) = (recorded.recorder.requests(kind) for kind in ("C-STORE-RQ", "N-CREATE-RQ"))
        for data_set in (stored.data, created.data):
            assert str(data_set.PatientName) == name
            declared = data_set.SpecificCharacterSet
            assert (declared if isinstance(declared, str) else list(declared)) == terms
