"""What somebody sees who looks at the public values in an interactive Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from openmodality import Modality
from openmodality.device.site.new_site import write_site
from openmodality.network import (
    VERIFICATION_SERVICE,
    Acceptor,
    ContextProposal,
    Listening,
    LocalAE,
    RemoteAE,
    associate,
    storage_policy,
)
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.store.rows.worklist import WorklistItem
from tests.peers.process import HOST

PATIENT = {"PatientName": "SECRET^SAM", "PatientID": "4711"}
GEOMETRY: dict[str, Any] = {
    "PixelSpacing": [1, 1],
    "SliceThickness": 5,
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}


def test_a_device_with_its_exam_and_series(tmp_path: Path) -> None:
    site = write_site(tmp_path, "mr")
    with Modality(site, works=False) as modality:
        assert repr(modality) == f"<Modality OM_MR: profile mr, {site}>"
        exam = modality.start_exam(patient=PATIENT)
        with exam.series("T1 SE SAG", **GEOMETRY) as series:
            series.add(np.zeros((8, 8), dtype=np.uint16))
        assert repr(exam) == "<Exam 1 IN PROGRESS, series: 1>"
        assert repr(series) == "<Series 1 'T1 SE SAG' of exam 1, MR>"
    assert repr(exam) in {"<Exam 1, not to be read now>", "<Exam 1 IN PROGRESS, series: 1>"}


def test_an_item_tells_nothing_of_the_patient() -> None:
    attributes = Dataset()
    attributes.PatientName, attributes.PatientID, attributes.ScheduledProcedureStepID = "SECRET^SAM", "4711", "SPS1"
    item = WorklistItem(3, "ris", attributes, ("odd",), current=True, received_at=0.0)
    assert repr(item) == "<WorklistItem 3 of ris, step 'SPS1' on , defects: 1>"


def test_both_ends_of_an_association() -> None:
    local = LocalAE("OURS")
    acceptor = Acceptor(local, (VERIFICATION_SERVICE,), storage_policy(local), Listening(HOST))
    assert repr(acceptor) == "<Acceptor OURS, not listening>"
    with acceptor:
        assert repr(acceptor) == f"<Acceptor OURS, listening on port {acceptor.port}>"
        proposal = ContextProposal(VERIFICATION, ("1.2.840.10008.1.2",))
        with associate(RemoteAE("OURS", HOST, acceptor.port), LocalAE("ME"), [proposal]) as association:
            assert repr(association) == f"<Association with {association.peer}, open, contexts: 1>"
        assert ", ended," in repr(association)
