"""The peers talk to each other: so a failure of a later test is not the peers' or their start-up's fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityWorklistInformationFind,
    MRImageStorage,
    Verification,
)

from tests.peers import dcmtk, objects, orthanc, pynetdicom_ae
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import Address, accepts, free_port, own_ports, run, wait_until

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_a_free_port_is_given_once_and_to_nobody_else() -> None:
    ports = [free_port() for _ in range(300)]
    assert len(set(ports)) == 300
    assert not any(accepts(port) for port in ports)
    if EPHEMERAL.exists():
        assert max(ports) < int(EPHEMERAL.read_text().split()[0])


def test_processes_that_run_tests_side_by_side_share_no_port() -> None:
    environments = ({"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": "3"} for number in range(3))
    parts = [own_ports(range(100), environment) for environment in environments]
    assert sorted(port for part in parts for port in part) == list(range(100))
    assert own_ports(range(100), {}) == range(100)


@pytest.mark.needs("storescp", "storescu", "echoscu")
def test_storescu_sends_to_storescp(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path)
    with dcmtk.storescp(tmp_path / "received") as peer:
        assert dcmtk.scu("echoscu", peer).status == 0
        assert dcmtk.scu("storescu", peer, path).status == 0
        assert [file.name for file in peer.files()] == [f"MR.{path.stem}"]


@pytest.mark.needs("storescp", "storescu")
def test_storescp_takes_its_fault_switches(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(), tmp_path)
    with dcmtk.storescp(tmp_path / "received", "--refuse") as peer:
        assert dcmtk.scu("storescu", peer, path).status != 0
        assert not peer.files()


@pytest.mark.needs("wlmscpfs", "findscu")
def test_wlmscpfs_serves_items(tmp_path: Path) -> None:
    items = [objects.worklist_item(PatientID="W1"), objects.worklist_item(PatientID="W2")]
    with dcmtk.wlmscpfs(tmp_path, items) as peer:
        found = dcmtk.scu("findscu", peer, "--worklist", "--key", "PatientID=W2", "--key", "PatientName")
    assert found.status == 0
    assert found.output.count("W2") >= 1
    assert "W1" not in found.output


@pytest.mark.needs("dcmqrscp", "storescu", "findscu", "getscu")
def test_dcmqrscp_keeps_and_finds(tmp_path: Path) -> None:
    image = objects.ct_image(PatientID="Q1")
    path = objects.save(image, tmp_path)
    with dcmtk.dcmqrscp(tmp_path / "archive") as peer:
        assert dcmtk.scu("storescu", peer, path).status == 0
        keys = ("--key", "QueryRetrieveLevel=STUDY", "--key", "PatientID=Q1", "--key", "StudyInstanceUID")
        assert str(image.StudyInstanceUID) in dcmtk.scu("findscu", peer, "--study", *keys).output


@pytest.mark.needs("Orthanc", "storescu", "echoscu")
def test_orthanc_keeps_what_it_gets(tmp_path: Path) -> None:
    image = objects.mr_image()
    path = objects.save(image, tmp_path)
    with orthanc.orthanc(tmp_path / "pacs", known={"OURS": Address("OURS", 104)}) as pacs:
        assert dcmtk.scu("echoscu", pacs).status == 0
        assert dcmtk.scu("storescu", pacs, path).status == 0
        wait_until(lambda: pacs.instances() == [image.SOPInstanceUID], what="the instance in Orthanc")
        pacs.know("OTHER", Address("OTHER", 11112))
        assert set(pacs.rest.get("/modalities").json()) == {"OURS", "OTHER"}


@pytest.mark.needs("Orthanc", "findscu")
@pytest.mark.skipif(not orthanc.has_worklist(), reason="Orthanc's worklist plug-in is not installed")
def test_orthanc_serves_a_worklist(tmp_path: Path) -> None:
    caller = Address("TESTER", 104)
    with orthanc.orthanc(tmp_path, known={"TESTER": caller}, worklist=[objects.worklist_item(PatientID="W1")]) as ris:
        assert "W1" in dcmtk.scu("findscu", ris, "--worklist", "--key", "PatientID").output


def test_pynetdicom_both_roles() -> None:
    received: list[str] = []

    def keep(event: evt.Event) -> int:
        received.append(event.dataset.SOPInstanceUID)
        return 0x0000

    image = objects.mr_image()
    contexts = [Verification, MRImageStorage, ModalityWorklistInformationFind]
    with (
        pynetdicom_ae.serving(contexts, [(evt.EVT_C_STORE, keep)]) as peer,
        pynetdicom_ae.associated(peer, contexts) as association,
    ):
        assert association.send_c_echo().Status == 0
        assert association.send_c_store(image).Status == 0
    assert received == [image.SOPInstanceUID]


def test_a_quick_answer_reaches_the_caller_of_pynetdicom() -> None:
    """Not pynetdicom's own thread, which may look for a message once more after the caller has begun to send."""
    answer = (1, C_ECHO())
    with (
        pynetdicom_ae.serving([Verification]) as peer,
        pynetdicom_ae.associated(peer, [Verification]) as association,
    ):
        association._reactor_checkpoint.clear()
        association.dimse.msg_queue.put(answer)
        assert association.dimse.get_msg(block=False) == (None, None)
        assert association.dimse.get_msg(block=True) == answer
        association._reactor_checkpoint.set()
        assert association.send_c_echo().Status == 0


@pytest.mark.needs("dciodvfy")
def test_the_images_are_valid(tmp_path: Path) -> None:
    for image in (objects.mr_image(), objects.ct_image()):
        assert dciodvfy_errors(objects.save(image, tmp_path)) == []


@pytest.mark.needs("dcmdump")
@pytest.mark.parametrize("transfer_syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_images_come_in_every_uncompressed_transfer_syntax(tmp_path: Path, transfer_syntax: str) -> None:
    path = objects.save(objects.mr_image(transfer_syntax=transfer_syntax), tmp_path)
    assert run("dcmdump", path).status == 0


def test_a_series_counts_its_instances(tmp_path: Path) -> None:
    assert len(objects.mr_series(tmp_path, 3, PatientID="S1")) == 3
