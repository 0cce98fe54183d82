"""MR 2.1.2: the DICOM server starts and ends with the device."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.errors import ConfigurationError, TransportError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from tests.acceptance.hospital_site import in_hospital
from tests.peers.process import HOST

PROPOSAL = ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))


def answers(port: int) -> bool:
    """Whether the device's server is there."""
    try:
        with associate(RemoteAE("OM_MR", HOST, port), LocalAE("OM_PACS"), [PROPOSAL]) as association:
            return echo(association) == 0
    except TransportError:
        return False


@pytest.mark.requirement("MR-2.1-02", "MR-2.1.2-01", "MR-2.1.2-02")
def test_the_server_is_there_from_start_to_shut_down(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        before = set(threading.enumerate())
        for _ in range(2):
            with Modality(place.site) as modality:
                port = modality.serve()["device"]
                assert answers(port)
            assert not answers(port)
            assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before


@pytest.mark.requirement("MR-2.1-02")
def test_no_server_without_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"site\.toml"):
        Modality(tmp_path / "site.toml")
