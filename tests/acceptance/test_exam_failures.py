"""A hospital that refuses, hangs and cuts connections: what becomes of worklist, step and commitment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality import Modality
from openmodality.device.profile.loader import load_profile
from openmodality.dimse.data_set import encode_data_set
from openmodality.errors import OpenModalityError
from openmodality.jobs.job import Job
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts
from openmodality.objects.image.image import ImageBuilder
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.services.storage import InstanceIdentity, store
from openmodality.standard.sop_classes import (
    STORAGE_COMMITMENT_PUSH_MODEL,
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.states import JobKind, JobState
from openmodality.upper_layer.negotiation import ContextProposal
from tests.devices import add_image, device_in_hospital, in_virtual_hospital, quick_source, today

QUICK = """
[parameters.worklist]
response_timeout_s = 1
[parameters.mpps]
create_response_timeout_s = 1
[parameters.storage_commitment]
response_timeout_s = 1
"""


@pytest.mark.requirement(
    "RF-4.2.3.3.1.3-02", "RF-4.2.3.3.1.3-05", "RF-4.2.3.3.1.3-06", "RF-4.2.3.3.1.3-07", "RF-4.4.2-22"
)
@pytest.mark.parametrize(
    ("misbehaviour", "word"),
    [
        ("ris:worklist-a700", "A700"),
        ("ris:worklist-a900", "A900"),
        ("ris:worklist-c000", "C000"),
        ("ris:worklist-hang", "within 1 s"),
        ("ris:worklist-stall", "within 1 s"),
        ("ris:abort", "aborted"),
        ("ris:drop", "closed"),
    ],
)
def test_a_worklist_that_fails_is_empty_and_changes_nothing(tmp_path: Path, misbehaviour: str, word: str) -> None:
    with in_virtual_hospital(tmp_path, "rf", more=QUICK) as (hospital, site), Modality(site, works=False) as modality:
        known = modality.worklist()
        hospital.misbehave(misbehaviour)
        with pytest.raises(OpenModalityError, match=word):
            modality.worklist()
        assert [item.id for item in modality.worklist_items()] == [item.id for item in known]


@pytest.mark.requirement("RF-4.2.4.3.1.3-05", "RF-4.2.4.3.1.3-06", "RF-4.4.2-26")
@pytest.mark.parametrize("misbehaviour", ["ris:mpps-hang", "ris:abort", "ris:drop", "ris:refuse-association"])
def test_a_step_that_does_not_arrive_is_reported_and_tried_again(tmp_path: Path, misbehaviour: str) -> None:
    with in_virtual_hospital(tmp_path, "rf", more=QUICK) as (hospital, site), Modality(site) as modality:
        hospital.misbehave(misbehaviour)
        modality.start_exam(patient={"PatientID": "1"})
        job = after_a_run(modality, JobKind.MPPS_CREATE)
        assert job.reason
        assert job.state is (JobState.FAILED if "refuse" in misbehaviour else JobState.TODO)
        hospital.behave()
        modality.jobs.retry(job.id)
        assert modality.wait_until_idle(10)
        assert [step.status for step in hospital.ris.steps] == ["IN PROGRESS"]


@pytest.mark.requirement(
    "RF-4.2.2.3.1.3.1-03", "RF-4.2.2.3.1.3.1-04", "RF-4.2.2.3.1.3.1-05", "RF-4.4.2-13", "RF-4.4.2-14"
)
@pytest.mark.parametrize("misbehaviour", ["pacs:commit-refused", "pacs:commit-busy", "pacs:commit-hang"])
def test_a_commitment_request_that_fails_is_tried_again(tmp_path: Path, misbehaviour: str) -> None:
    with in_virtual_hospital(tmp_path, "rf", more=QUICK) as (hospital, site), Modality(site) as modality:
        modality.serve()
        hospital.misbehave(misbehaviour)
        with modality.exam(patient={"PatientID": "1"}) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        job = after_a_run(modality, JobKind.COMMIT)
        assert (job.state, job.attempts) == (JobState.TODO, 1)
        assert job.reason
        (send,) = modality.jobs.list(kinds=[JobKind.SEND])
        assert send.state is JobState.DONE
        hospital.behave()
        modality.jobs.retry(job.id)
        assert modality.wait_until_idle(10)
        assert modality.studies()[0].committed == 1


def after_a_run(modality: Modality, kind: JobKind) -> Job:
    assert modality.wait_until(lambda: all(job.attempts for job in modality.jobs.list(kinds=[kind])), 10)
    (job,) = modality.jobs.list(kinds=[kind])
    return job


@pytest.mark.requirement("RF-4.2.1.3.1.3-08", "RF-4.1.2.1-03")
@pytest.mark.parametrize(
    "misbehaviour", ["pacs:abort-mid-transfer", "pacs:drop-mid-transfer", "pacs:store-lost-answer"]
)
def test_a_transfer_that_breaks_is_finished_later(tmp_path: Path, misbehaviour: str) -> None:
    with in_virtual_hospital(tmp_path, "rf") as (hospital, site), Modality(site) as modality:
        modality.serve()
        hospital.misbehave(misbehaviour)
        with modality.exam(patient={"PatientID": "1"}) as exam:
            series = exam.series("T1", ProtocolName="T1")
            uids = {add_image(series, number) for number in (1, 2, 3)}
        job = after_a_run(modality, JobKind.SEND)
        assert job.state is JobState.TODO
        assert "PACS" in job.reason
        hospital.behave()
        modality.jobs.retry(job.id)
        assert modality.wait_until_idle(10)
        assert set(hospital.pacs.instances) == uids


@pytest.mark.parametrize(
    "misbehaviour", ["pacs:abort-mid-transfer@2", "pacs:drop-mid-transfer@1", "pacs:store-lost-answer@1"]
)
def test_a_transfer_that_breaks_once_goes_on_at_once(tmp_path: Path, misbehaviour: str) -> None:
    with in_virtual_hospital(tmp_path, "rf") as (hospital, site), Modality(site) as modality:
        modality.serve()
        hospital.misbehave(misbehaviour)
        with modality.exam(patient={"PatientID": "1"}) as exam:
            series = exam.series("T1", ProtocolName="T1")
            uids = {add_image(series, number) for number in (1, 2, 3)}
        assert modality.wait_until_idle(10)
        assert set(hospital.pacs.instances) == uids


@pytest.mark.requirement("RF-4.2.4.3.1.3-12", "RF-1-02", "RF-4.2.1.1-02", "RF-8.1.1.7-03")
def test_without_the_dap_kit_there_is_no_dose(tmp_path: Path) -> None:
    more = "[parameters.kits]\ndap = false"
    with device_in_hospital(tmp_path, "rf", today("rf"), more=more) as device, device.modality() as modality:
        with modality.exam(modality.worklist()[0]) as exam:
            exam.acquire(quick_source("rf"))
        assert modality.wait_until_idle(10)
        classes = {instance.SOPClassUID for instance in exam.instances()}
        assert X_RAY_RADIATION_DOSE_SR_STORAGE not in classes
        (step,) = device.hospital.steps.steps.values()
        assert step.EntranceDose == step.ImageAndFluoroscopyAreaDoseProduct == step.EntranceDoseInmGy == 0


@pytest.mark.requirement("RF-4.2.2.3.1.2-02", "RF-1-03")
@pytest.mark.parametrize(
    ("peer", "more"), [("", ""), ("automatic_commitment = true", "[parameters.kits]\nstorage_commitment = false")]
)
def test_commitment_is_asked_of_archives_only(tmp_path: Path, peer: str, more: str) -> None:
    with device_in_hospital(tmp_path, "rf", peer=peer, more=more) as device, device.modality() as modality:
        with modality.exam(patient={"PatientID": "1"}) as exam:
            add_image(exam.series("T1", ProtocolName="T1"))
        assert modality.wait_until_idle(10)
        contexts = [c for request in device.hospital.requests for c in request.presentation_contexts]
        assert STORAGE_COMMITMENT_PUSH_MODEL not in {context.abstract_syntax for context in contexts}


@pytest.mark.requirement(
    "RF-4.2.6.1-01", "RF-4.2.6.4.1.1-01", "RF-4.2.6.4.1.1-02", "RF-4.2.6.4.1.2-01", "RF-4.2.6.4.1.3-01", "RF-4.4.1.1-04"
)
def test_rf_takes_instances_only_while_it_retrieves(tmp_path: Path) -> None:
    peer = 'incoming = ["storage"]'
    with device_in_hospital(tmp_path, "rf", peer=peer) as device, device.modality() as modality:
        port = modality.serve()["storage_scp"]
        remote = RemoteAE("HDR_QR_SCU", "127.0.0.1", port)
        proposal = ContextProposal(
            X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
        )
        with pytest.raises(OpenModalityError, match="temporary-congestion"):
            associate(remote, LocalAE("HOSPITAL"), [proposal])
        with modality.retrieving("1.2.3.1"), associate(remote, LocalAE("HOSPITAL"), [proposal]) as association:
            (context,) = association.contexts
            assert context.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
            for study in ("1.2.3.1", "1.2.3.2"):
                image = received(study)
                identity = InstanceIdentity(image.SOPClassUID, image.SOPInstanceUID)
                data = encode_data_set(image, context.transfer_syntax)
                assert store(association, context, identity, data).status == 0
        assert [study["StudyInstanceUID"] for study in modality.studies()] == ["1.2.3.1"]
        assert modality.instance_path("1.2.3.2.1.1").exists()


def received(study: str) -> Dataset:
    """An RF image of another maker's, with the Type 1 attributes of its SOP class."""
    definition = ObjectDefinition.of(load_profile("rf"), "RF Image")
    (acquired,) = quick_source("rf").series()
    frame = next(iter(acquired.frames))
    facts = ExamFacts(study, datetime(2026, 11, 22), study_id="1", accession_number="A")
    facts.user.PatientID = "1"
    series = SeriesFacts(f"{study}.1", 1, facts.started, "RF", attributes=acquired.attributes)
    instance = InstanceFacts(f"{study}.1.1", 1, facts.started)
    return ImageBuilder(definition, facts, series).build(instance, frame.pixels, frame.attributes)
