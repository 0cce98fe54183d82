"""A device rejects associations as the table of its profile says (R/F Table 4.2-18)."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from openmodality.app.acceptors import build_acceptors
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.service import Service
from openmodality.errors import AssociationRejected
from openmodality.network.acceptor import Acceptor
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.retrieve_window import RetrieveWindow
from openmodality.upper_layer.negotiation import ContextProposal
from tests.peers.process import free_port

PROFILES = Path(__file__).parents[3] / "src" / "openmodality" / "profiles"
SERVICES: tuple[Service, ...] = (VERIFICATION_SERVICE,)
OWN = """\
situation,result,source,reason
limit_reached,1,3,1
busy,1,3,2
application_context,2,1,1
called_ae_title,2,1,7
calling_ae_title,2,1,1
unparsable,2,2,2
"""
BROKEN_REQUEST = b"\x01\x00\x00\x00\x00\x04\x00\x01\x00\x00"
"""PDU type 01H with four bytes where at least 68 must come (PS3.8 9.3.2)."""


@pytest.fixture(params=["the table of the statement", "a table of its own"])
def rejections(request: pytest.FixtureRequest, tmp_path: Path) -> bool:
    """Whether the profile, a copy of the MR one, has a table of its own."""
    shutil.copytree(PROFILES / "mr", tmp_path / "device")
    if request.param == "a table of its own":
        (tmp_path / "device" / "rejections.csv").write_text(OWN)
        return True
    return False


@pytest.fixture
def acceptor(tmp_path: Path, rejections: bool) -> Acceptor:
    text = f"""
profile = "device"
[network]
bind_address = "127.0.0.1"
[application_entities.device]
port = {free_port()}
[parameters.general]
max_accepted_associations = 1
[parameters.storage_commitment]
hold_s = 0
[peers.known]
ae_title = "KNOWN"
host = "127.0.0.1"
port = 104
services = ["verification"]
"""
    (tmp_path / "site.toml").write_text(text)
    site = load_site(tmp_path / "site.toml")
    (found,) = build_acceptors(site, SERVICES, RetrieveWindow(tmp_path, lambda: 0.0, 30.0)).values()
    return found


def reject(acceptor: Acceptor, calling: str, called: str) -> tuple[int, int, int]:
    """What a requestor is told."""
    remote = RemoteAE(called, "127.0.0.1", acceptor.port)
    proposals = [ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))]
    with pytest.raises(AssociationRejected) as caught:
        associate(remote, LocalAE(calling), proposals)
    return caught.value.result, caught.value.source, caught.value.reason


def test_rejections_are_those_of_the_profile(acceptor: Acceptor, rejections: bool) -> None:
    with acceptor:
        assert reject(acceptor, "KNOWN", "OTHER") == ((2, 1, 7) if rejections else (1, 1, 7))
        assert reject(acceptor, "STRANGER", "OM_MR") == ((2, 1, 1) if rejections else (1, 1, 3))
        with socket.create_connection(("127.0.0.1", acceptor.port), timeout=10) as connection:
            connection.sendall(BROKEN_REQUEST)
            answer = connection.recv(10)
        assert tuple(answer[7:]) == ((2, 2, 2) if rejections else (1, 2, 1))
        remote = RemoteAE("OM_MR", "127.0.0.1", acceptor.port)
        proposals = [ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))]
        with associate(remote, LocalAE("KNOWN"), proposals):
            assert reject(acceptor, "KNOWN", "OM_MR") == ((1, 3, 1) if rejections else (2, 3, 2))
