"""A device does an exam at the hospital: what the hospital has then, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from openmodality.hospital.commitments import CommitmentState
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.items import ItemState
from openmodality.services.commitment import Reference
from tests import hospital_scu as scu


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with scu.hospital(tmp_path) as running:
        yield running


def test_the_worklist_comes_with_every_script(hospital: Hospital) -> None:
    found = scu.query(hospital, modality="MR").items
    names = {str(item.PatientName) for item in found}
    assert len(found) == 6
    assert any("田中" in name or "小林" in name or "松本" in name for name in names)
    assert len(scu.query(hospital, modality="RF").items) == 6


def test_a_whole_exam_closes_its_item(hospital: Hospital) -> None:
    item = hospital.ris.items[0]
    step_uid = generate_uid()
    assert scu.create_step(hospital, scu.step_attributes(item), step_uid).status == 0
    assert hospital.ris.item(item.step_id).state is ItemState.IN_PROGRESS
    images = scu.images(item, step_uid)
    assert [result.status for result in scu.store(hospital, *images)] == [0, 0]
    assert scu.end_step(hospital, step_uid, images).status == 0
    assert hospital.ris.item(item.step_id).state is ItemState.COMPLETED
    assert len(scu.query(hospital, modality="MR").items) == 5
    assert [study.study_instance_uid for study in hospital.pacs.studies] == [item.study_instance_uid]
    assert set(hospital.pacs.instances) == {image.SOPInstanceUID for image in images}
    assert hospital.complaints == []


def test_commitment_is_reported_on_a_new_association(hospital: Hospital) -> None:
    images = scu.images(hospital.ris.items[0], generate_uid())
    scu.store(hospital, images[0])
    transactions = scu.Transactions()
    with scu.listening(transactions) as port:
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        assert scu.request_commitment(hospital, transactions, images).status == 0
        assert hospital.wait_for(lambda: hospital.pacs.commitments[0].state is CommitmentState.REPORTED)
    (result,) = transactions.results
    assert result.committed == (Reference(str(images[0].SOPClassUID), str(images[0].SOPInstanceUID)),)
    assert [failure.reason for failure in result.failed] == [0x0112]
