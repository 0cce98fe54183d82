"""The doctor at programs of others: what it says of DCMTK, Orthanc and pynetdicom is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    BasicGrayscalePrintManagementMeta,
    CTImageStorage,
    ModalityWorklistInformationFind,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

from openmodality.conformance.doctor.doctor import PeerProfile
from openmodality.conformance.doctor.findings import KeyAnswer
from openmodality.network.entity import RemoteAE
from openmodality.standard import sop_classes
from tests.examined import CALLING, examine_peer, list_names, list_texts
from tests.interop.pynetdicom_ris import Ris
from tests.interop.pynetdicom_ris import serving as serving_ris
from tests.peers import dcmtk, objects, orthanc, pynetdicom_ae
from tests.peers.process import HOST, Address, free_port
from tests.peers.pynetdicom_printer import PynetdicomPrinter, printing


def examine(peer: Address, **settings: Any) -> PeerProfile:
    return examine_peer(RemoteAE(peer.aet, peer.host, peer.port), **settings)


def accepted(profile: PeerProfile) -> set[str]:
    return {each.sop_class_uid for each in profile.offered if each.is_accepted}


def matching(profile: PeerProfile, service: str) -> dict[str, str]:
    keys: list[KeyAnswer] = [each for each in profile.keys if each.service == service]
    return {each.path: each.matching for each in keys if each.matching != "untried"}


@pytest.mark.needs("storescp")
def test_the_check_of_storescp(tmp_path: Path) -> None:
    """DCMTK's Storage SCP looks at no titles, takes PDUs of 16 KiB, and has neither queries nor commitment."""
    with dcmtk.storescp(tmp_path / "received") as peer:
        found = examine(peer, writes=True)
    assert found.facts["implementation_version_name"].startswith("OFFIS_DCMTK")  # type: ignore[attr-defined]
    assert found.facts["max_pdu_length"] == 16384
    assert (found.facts["checks_called_ae_title"], found.facts["checks_calling_ae_title"]) == (False, False)
    assert sop_classes.MR_IMAGE_STORAGE in accepted(found)
    assert accepted(found) & {sop_classes.STUDY_ROOT_FIND, sop_classes.STORAGE_COMMITMENT_PUSH_MODEL} == set()
    assert (list_names(found), found.problems) == ([], 0)
    stored = {each.uid for each in found.written}
    assert len(list((tmp_path / "received").iterdir())) == len(stored) == 12
    assert 'services = ["verification", "storage"]' in found.advice
    implicit_only = ["--implicit", "--max-pdu", "4096"]
    with dcmtk.storescp(tmp_path / "implicit", *implicit_only) as peer:
        found = examine(peer)
    assert found.facts["max_pdu_length"] == 4096
    assert 'transfer_syntaxes = ["ImplicitVRLittleEndian"]' in found.advice
    with dcmtk.storescp(tmp_path / "refusing", "--refuse") as peer:
        assert list_names(examine(peer)) == ["refuse-association"]


@pytest.mark.needs("wlmscpfs")
def test_the_check_of_wlmscpfs(tmp_path: Path) -> None:
    """DCMTK's worklist looks at the called title, narrows by all keys, and by default declares no character set."""
    items = [
        objects.worklist_item(),
        objects.worklist_item(PatientID="77", PatientName="Müller^Anna", SpecificCharacterSet="ISO_IR 100"),
    ]
    with dcmtk.wlmscpfs(tmp_path, items) as peer:
        found = examine(peer)
    assert found.facts["checks_called_ae_title"]
    assert accepted(found) == {sop_classes.VERIFICATION, sop_classes.MODALITY_WORKLIST_FIND}
    assert set(matching(found, "worklist").values()) == {"honoured"}
    assert "ScheduledProcedureStepSequence>Modality" in matching(found, "worklist")
    assert list_names(found) == ["worklist-no-charset"]
    assert any(line.startswith("# assumed_character_set") for line in found.advice)


@pytest.mark.needs("dcmqrscp")
def test_the_check_of_dcmqrscp(tmp_path: Path) -> None:
    """DCMTK's archive finds what was stored, and does not count the instances of studies."""
    with dcmtk.dcmqrscp(tmp_path) as peer:
        found = examine(peer, writes=True)
    assert found.facts["is_found_after_storing"]
    assert (list_names(found), found.problems) == ([], 0)
    returned = {each.path: each.returned for each in found.keys if each.level == "STUDY"}
    assert (returned["NumberOfStudyRelatedInstances"], returned["PatientName"]) == ("absent", "value")
    assert set(matching(found, "query").values()) == {"honoured"}
    assert 'services = ["verification", "storage", "query_retrieve"]' in found.advice


@pytest.mark.needs("Orthanc")
def test_the_check_of_orthanc(tmp_path: Path) -> None:
    """Orthanc stores, finds, and reports commitment on an association that it opens; it has what was written."""
    port = free_port()
    with orthanc.orthanc(tmp_path, known={CALLING: Address(CALLING, port)}) as peer:
        found = examine(peer, writes=True, report_port=port)
        there = {each["MainDicomTags"]["SOPInstanceUID"] for each in peer.rest.get("/instances?expand").json()}
    assert found.facts["commitment_route"] == "new"
    assert (list_names(found), found.problems) == ([], 0)
    assert {each.uid for each in found.written if each.kind == "instance"} == there
    assert set(matching(found, "query").values()) == {"honoured"}
    assert "automatic_commitment = true" in found.advice


def test_a_worklist_that_ignores_keys() -> None:
    """What pynetdicom answers is what the doctor says: no key counts, and a final response with an identifier."""
    items = [objects.worklist_item(PatientID=str(number), PatientName=f"N{number}^X") for number in range(3)]

    def answer(event: evt.Event) -> Any:
        for item in items:
            yield 0xFF01, Dataset(item)

    handlers = [(evt.EVT_C_FIND, answer)]
    with pynetdicom_ae.serving([Verification, ModalityWorklistInformationFind], handlers) as peer:
        found = examine(peer)
    assert set(matching(found, "worklist").values()) == {"ignored"}
    assert list_names(found) == ["worklist-ff01"]


def test_an_archive_that_fails_in_the_middle() -> None:
    """A peer that aborts at one SOP class and refuses another has a verdict for each, and the query is still probed."""

    def store(event: evt.Event) -> int:
        if event.request.AffectedSOPClassUID == MRImageStorage:
            event.assoc.abort()
        return 0xA700

    def find(event: evt.Event) -> Any:
        yield 0xC000, None

    contexts = [Verification, MRImageStorage, CTImageStorage, StudyRootQueryRetrieveInformationModelFind]
    with pynetdicom_ae.serving(contexts, [(evt.EVT_C_STORE, store), (evt.EVT_C_FIND, find)]) as peer:
        found = examine(peer, writes=True)
    assert list_names(found) == ["a700", "abort-mid-transfer"]
    assert any("a query for everything fails: status C000" in text for text in list_texts(found, "query, level STUDY"))
    assert found.problems >= 3


def test_a_performed_step_and_a_printer() -> None:
    ris = Ris()
    with serving_ris(ris) as peer:
        found = examine(peer, writes=True)
    assert (list_names(found), found.problems) == ([], 0)
    assert [operation for operation, _, _ in ris.requests][:2] == ["N-CREATE", "N-SET"]
    assert str(ris.requests[0][2].PatientName).startswith("TEST^")
    printer = PynetdicomPrinter()
    with printing(printer, BasicGrayscalePrintManagementMeta, Verification) as peer:
        found = examine(peer, writes=True)
    assert (list_names(found), found.problems) == ([], 0)
    assert HOST in found.advice[2]
