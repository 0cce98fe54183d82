"""Verification with real peers, both roles (PS3.4 Annex A)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pynetdicom import evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from openmodality.errors import AssociationAborted, AssociationRejected, PeerTimeout
from openmodality.network.acceptor_policy import decide_by
from openmodality.network.entity import LocalAE
from openmodality.network.timeouts import Timeouts
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy
from tests.interop import ours
from tests.peers import dcmtk, orthanc, pynetdicom_ae
from tests.peers.process import wait_until

UNCOMPRESSED = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]


@pytest.mark.needs("echoscu")
def test_dcmtk_gets_an_answer_to_each_echo(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as here:
        done = dcmtk.scu("echoscu", here, "--verbose", "--repeat", 5)
    assert done.status == 0
    assert done.output.count("Received Echo Response (Success)") == 5


@pytest.mark.needs("echoscu")
@pytest.mark.parametrize("proposed", [1, 2, 3])
def test_dcmtk_may_propose_any_uncompressed_transfer_syntax(tmp_path: Path, proposed: int) -> None:
    with ours.archive(tmp_path) as here:
        assert dcmtk.scu("echoscu", here, "--propose-ts", proposed, "--propose-pc", 10).status == 0


@pytest.mark.needs("echoscu")
def test_who_is_known_gets_verification_and_who_is_not_is_rejected(tmp_path: Path) -> None:
    policy = AcceptorPolicy(
        ours.LOCAL.side,
        lambda title: (
            PeerPolicy({VERIFICATION: SyntaxPolicy((IMPLICIT_VR_LITTLE_ENDIAN,))}) if title == "KNOWN" else None
        ),
    )
    with ours.archive(tmp_path, decide=decide_by(policy)) as here:
        assert dcmtk.scu("echoscu", here, calling="KNOWN").status == 0
        stranger = dcmtk.scu("echoscu", here, calling="STRANGER")
    assert stranger.status != 0
    assert "Calling AE Title Not Recognized" in stranger.output


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_pynetdicom_gets_an_answer(tmp_path: Path, transfer_syntax: str) -> None:
    with (
        ours.archive(tmp_path) as here,
        pynetdicom_ae.associated(here, [Verification], transfer_syntaxes=[transfer_syntax]) as association,
    ):
        assert association.accepted_contexts[0].transfer_syntax == [transfer_syntax]
        assert association.acceptor.sop_class_extended == {}
        assert [association.send_c_echo().Status for _ in range(3)] == [0, 0, 0]


@pytest.mark.needs("Orthanc")
def test_orthanc_gets_an_answer(tmp_path: Path) -> None:
    with ours.archive(tmp_path / "ours") as here, orthanc.orthanc(tmp_path / "pacs", known={"OURS": here}) as pacs:
        assert pacs.rest.post("/modalities/OURS/echo", content="{}").is_success


@pytest.mark.needs("storescp")
def test_dcmtk_answers_us(tmp_path: Path) -> None:
    with dcmtk.storescp(tmp_path / "received") as peer:
        with ours.associated(peer) as association:
            assert association.peer.implementation_version_name.startswith("OFFIS_DCMTK")
            assert echo(association) == 0
        assert "Received Echo Request" in peer.output
        assert "Association Release" in peer.output


@pytest.mark.needs("Orthanc")
def test_orthanc_answers_us(tmp_path: Path) -> None:
    with orthanc.orthanc(tmp_path) as pacs, ours.associated(pacs) as association:
        assert echo(association) == 0


def test_pynetdicom_answers_us_and_sees_what_we_propose() -> None:
    requests = []
    handlers = [(evt.EVT_REQUESTED, lambda event: requests.append(event.assoc.requestor.primitive))]
    with pynetdicom_ae.serving([Verification], handlers) as peer, ours.associated(peer) as association:
        assert echo(association) == 0
    [request] = requests
    [context] = request.presentation_context_definition_list
    assert context.abstract_syntax == VERIFICATION
    assert context.transfer_syntax == ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
    assert request.application_context_name == "1.2.840.10008.3.1.1.1"
    kinds = {type(item).__name__ for item in request.user_information}
    assert kinds == {
        "MaximumLengthNotification", "ImplementationClassUIDNotification", "ImplementationVersionNameNotification"
    }  # fmt: skip


@pytest.mark.parametrize("status", [0x0000, 0x0110, 0x0122, 0x0210, 0x0211, 0x0212])
def test_status_of_an_echo_is_handed_on(status: int) -> None:
    with (
        pynetdicom_ae.serving([Verification], [(evt.EVT_C_ECHO, lambda _: status)]) as peer,
        ours.associated(peer) as association,
    ):
        assert echo(association) == status


def test_peer_that_never_answers_an_echo() -> None:
    aborted: list[str] = []

    def answer(event: evt.Event) -> int:
        wait_until(lambda: bool(aborted), what="our abort")
        return 0

    local = LocalAE("OURS", timeouts=Timeouts(10, 10, 10, 0.2, 10, 10))
    handlers = [(evt.EVT_C_ECHO, answer), (evt.EVT_PDU_RECV, lambda e: _note_abort(e, aborted))]
    with pynetdicom_ae.serving([Verification], handlers) as peer:
        with pytest.raises(PeerTimeout) as caught, ours.associated(peer, local=local) as association:
            echo(association)
        wait_until(lambda: bool(aborted), what="the A-ABORT at the peer")
    assert caught.value.waiting_for == "the response to C-ECHO-RQ"
    assert "0.2 s" in str(caught.value)


def _note_abort(event: evt.Event, aborted: list[str]) -> None:
    if type(event.pdu).__name__ == "A_ABORT_RQ":
        aborted.append("A-ABORT")


def test_peer_that_aborts_instead_of_answering_is_told_with_its_source() -> None:
    def abort(event: evt.Event) -> int:
        event.assoc.abort()
        return 0

    with (
        pynetdicom_ae.serving([Verification], [(evt.EVT_C_ECHO, abort)]) as peer,
        pytest.raises(AssociationAborted) as caught,
        ours.associated(peer) as association,
    ):
        echo(association)
    assert caught.value.source == 0
    assert "PYNETDICOM aborted the association: DICOM UL service-user" in str(caught.value)


@pytest.mark.needs("storescp")
def test_dcmtk_that_refuses_the_association(tmp_path: Path) -> None:
    with dcmtk.storescp(tmp_path / "received", "--refuse") as peer, pytest.raises(AssociationRejected) as caught:
        ours.associated(peer)
    assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 1)
    assert not caught.value.transient


@pytest.mark.needs("wlmscpfs")
def test_dcmtk_that_wants_to_be_called_by_its_name(tmp_path: Path) -> None:
    with dcmtk.wlmscpfs(tmp_path, []) as peer:
        with ours.associated(peer) as association:
            assert echo(association) == 0
        wrong = ours.remote(peer)
        with pytest.raises(AssociationRejected) as caught:
            ours.associated(type(wrong)("NOBODY", wrong.host, wrong.port))
    assert caught.value.reason == 7
    assert caught.value.advice == "check the AE title that the peer is called by"
