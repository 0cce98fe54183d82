"""DCMTK and pynetdicom as devices at the virtual hospital."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityPerformedProcedureStep,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from openmodality.hospital.commitments import CommitmentState
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState
from openmodality.network.entity import RemoteAE
from tests import hospital_scu as scu
from tests.peers import dcmtk, objects, pynetdicom_ae
from tests.peers.process import Address


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with scu.hospital(tmp_path / "hospital") as running:
        yield running


def at(remote: RemoteAE) -> Address:
    return Address(remote.ae_title, remote.port, remote.host)


@pytest.mark.needs("echoscu")
@pytest.mark.parametrize("server", ["ris", "pacs", "printer"])
def test_each_server_answers_echoscu_under_its_own_title(hospital: Hospital, server: str) -> None:
    peer = at(hospital.peer(server))
    assert dcmtk.scu("echoscu", peer).status == 0
    assert dcmtk.scu("echoscu", Address("SOMEBODY", peer.port)).status != 0


@pytest.mark.needs("findscu")
def test_findscu_asks_for_the_worklist(hospital: Hospital) -> None:
    keys = ("--key", "PatientName", "--key", "ScheduledProcedureStepSequence[0].Modality=RF")
    found = dcmtk.scu("findscu", at(hospital.ris_peer), "--worklist", *keys)
    assert found.status == 0
    assert found.output.count("Find Response") == 6
    assert "GB18030" in found.output


@pytest.mark.needs("findscu")
def test_a_query_of_findscu_ends_when_it_cancels(hospital: Hospital) -> None:
    keys = ("--key", "PatientName", "--key", "ScheduledProcedureStepSequence[0].Modality")
    found = dcmtk.scu("findscu", at(hospital.ris_peer), "--worklist", "--cancel", "2", *keys)
    assert found.status == 0
    assert 2 <= found.output.count("Find Response") <= 12


@pytest.mark.needs("storescu", "movescu", "storescp", "findscu")
def test_what_storescu_sends_is_found_and_moved(hospital: Hospital, tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "sent", 3, PatientID="Q1")
    pacs = at(hospital.pacs_peer)
    assert dcmtk.scu("storescu", pacs, *paths).status == 0
    (study,) = hospital.pacs.studies
    keys = ("--key", "QueryRetrieveLevel=STUDY", "--key", f"StudyInstanceUID={study.study_instance_uid}")
    found = dcmtk.scu("findscu", pacs, "--study", *keys, "--key", "NumberOfStudyRelatedInstances")
    assert "[3 ]" in found.output
    with dcmtk.storescp(tmp_path / "moved") as destination:
        hospital.peers[destination.aet] = (destination.host, destination.port)
        moved = dcmtk.scu("movescu", pacs, "--study", "--move", destination.aet, *keys)
        assert moved.status == 0, moved.output
        assert len(destination.files()) == 3
        unknown = dcmtk.scu("movescu", pacs, "--study", "--move", "NOBODY", *keys)
        assert "MoveDestinationUnknown" in unknown.output


@pytest.mark.needs("storescu", "getscu")
def test_what_storescu_sends_comes_by_get(hospital: Hospital, tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "sent", 3, PatientID="Q1")
    pacs = at(hospital.pacs_peer)
    assert dcmtk.scu("storescu", pacs, *paths).status == 0
    (study,) = hospital.pacs.studies
    (tmp_path / "got").mkdir()
    keys = ("--key", "QueryRetrieveLevel=STUDY", "--key", f"StudyInstanceUID={study.study_instance_uid}")
    got = dcmtk.scu("getscu", pacs, "--study", *keys, "--output-directory", tmp_path / "got")
    assert got.status == 0, got.output
    came = {data_set.SOPInstanceUID: data_set for data_set in map(dcmread, (tmp_path / "got").iterdir())}
    assert came == {path.stem: dcmread(path) for path in paths}


@pytest.mark.needs("storescu")
def test_storescu_is_refused_on_purpose(hospital: Hospital, tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "sent", 3)
    hospital.misbehave("pacs:a700@2")
    sent = dcmtk.scu("storescu", at(hospital.pacs_peer), "--verbose", "--no-halt", *paths)
    assert "Refused: OutOfResources" in sent.output
    assert len(hospital.pacs.instances) == 2


def test_pynetdicom_performs_a_step(hospital: Hospital) -> None:
    item, uid = hospital.ris.items[1], generate_uid()
    attributes = scu.step_attributes(item)
    with pynetdicom_ae.associated(at(hospital.ris_peer), [ModalityPerformedProcedureStep]) as association:
        status, _ = association.send_n_create(attributes, ModalityPerformedProcedureStep, uid)
        assert status.Status == 0x0000
        assert association.send_n_create(attributes, ModalityPerformedProcedureStep, uid)[0].Status == 0x0111
        assert hospital.ris.item(item.step_id).state is ItemState.IN_PROGRESS
        final = Dataset()
        final.PerformedProcedureStepStatus = "COMPLETED"
        refused, _ = association.send_n_set(final, ModalityPerformedProcedureStep, uid)
        assert refused.Status in (0x0120, 0x0121)
        final.PerformedProcedureStepStatus = "DISCONTINUED"
        final.PerformedProcedureStepEndDate, final.PerformedProcedureStepEndTime = "20261122", "121500"
        final.PerformedSeriesSequence = [_series()]
        assert association.send_n_set(final, ModalityPerformedProcedureStep, uid)[0].Status == 0x0000
        again, _ = association.send_n_set(final, ModalityPerformedProcedureStep, uid)
        assert (again.Status, again.ErrorID) == (0x0110, 0xA710)
    assert hospital.ris.item(item.step_id).state is ItemState.DISCONTINUED


def _series() -> Dataset:
    series = Dataset()
    series.PerformingPhysicianName = series.OperatorsName = series.SeriesDescription = series.RetrieveAETitle = ""
    series.ProtocolName, series.SeriesInstanceUID = "HEAD", generate_uid()
    series.ReferencedImageSequence = series.ReferencedNonImageCompositeSOPInstanceSequence = []
    return series


@pytest.mark.parametrize("personality", ["", "commit-no-role", "commit-failures", "commit-same-association"])
def test_pynetdicom_gets_a_commitment_result(hospital: Hospital, personality: str) -> None:
    image = objects.mr_image()
    scu.store(hospital, image)
    came, results = threading.Event(), []

    def take(event: Any) -> int:
        results.append(event.event_information)
        came.set()
        return 0x0000

    handlers = [(evt.EVT_N_EVENT_REPORT, lambda event: (take(event), None))]
    if personality:
        hospital.misbehave(personality)
    aet = "PYNETDICOM"
    with pynetdicom_ae.serving([StorageCommitmentPushModel, Verification], handlers, aet=aet, roles=True) as device:
        hospital.peers[aet] = (device.host, device.port)
        with pynetdicom_ae.associated(
            at(hospital.pacs_peer),
            [StorageCommitmentPushModel],
            handlers,
            calling=aet,
            ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True, scp_role=False)],
        ) as association:
            answer, _ = association.send_n_action(
                _transaction(image), 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            assert answer.Status == 0x0000
            assert came.wait(10)
        assert hospital.wait_for(lambda: hospital.pacs.commitments[0].state is CommitmentState.REPORTED)
    sequence = "FailedSOPSequence" if personality == "commit-failures" else "ReferencedSOPSequence"
    assert results[0][sequence].value[0].ReferencedSOPInstanceUID == image.SOPInstanceUID


def _transaction(image: Dataset) -> Dataset:
    reference, transaction = Dataset(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    transaction.TransactionUID = generate_uid()
    transaction.ReferencedSOPSequence = [reference]
    return transaction
