"""The doctor hears results of commitment where the peer reports them: under TLS, where the device takes TLS."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from openmodality.app.peer_check import find_checked_peer
from openmodality.conformance.doctor.reports import ReportWatch
from openmodality.device.site.site_loader import load_site
from openmodality.errors import AssociationAborted, TransportError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.commitment import CommitmentResult, Reference, send_report
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE, STORAGE_COMMITMENT_PUSH_MODEL
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from tests.interop.certificates import KeyPair
from tests.peers.process import HOST, free_port

IMAGE = Reference(MR_IMAGE_STORAGE, "1.2.3")
REPORTING = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, (IMPLICIT_VR_LITTLE_ENDIAN,), scu_role=False, scp_role=True)


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_result_comes_in_as_the_local_ae_takes_it(tmp_path: Path, keys: KeyPair, is_secure: bool) -> None:
    (tmp_path / "site.toml").write_text(
        f"""profile = "mr"
[application_entities.device]
tls = {str(is_secure).lower()}
[tls]
certificate = "{keys.certificate}"
private_key = "{keys.key}"
ca_certificates = "{keys.authority}"
[peers.pacs]
ae_title = "PACS"
host = "{HOST}"
port = 104
services = ["storage", "storage_commitment"]
""",
        "utf-8",
    )
    checked = find_checked_peer(load_site(tmp_path), "pacs", lambda service: {})
    watch, port = ReportWatch("1.2.9", frozenset({IMAGE})), free_port()
    here, caller = RemoteAE("OM_MR", HOST, port), LocalAE("PACS")
    with closing(watch), watch.listen(LocalAE("OM_MR"), port, checked.make_report_context()):
        secured = RemoteAE("OM_MR", HOST, port, keys.client())
        with associate(secured if is_secure else here, caller, [REPORTING]) as association:
            assert send_report(association, CommitmentResult("1.2.9", (IMAGE,))).status == 0
        assert watch.wait_for(1, 10)
        with pytest.raises((TransportError, AssociationAborted)):
            associate(here if is_secure else secured, caller, [REPORTING])
    (report,) = watch.reports
    assert (report.route, report.has_role, report.result) == ("new", True, CommitmentResult("1.2.9", (IMAGE,)))
