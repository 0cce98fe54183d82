"""Verification, SCU joined to SCP in memory (PS3.4 Annex A)."""

import pytest

from openmodality.dimse.channel import PresentationContext
from openmodality.errors import NoPresentationContext
from openmodality.services.verification import VERIFICATION_SERVICE, echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from tests.loopback import loopback_pair


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_every_echo_gets_one_success(transfer_syntax: str) -> None:
    requestor, acceptor = loopback_pair([PresentationContext(1, VERIFICATION, transfer_syntax)], [VERIFICATION_SERVICE])
    assert [echo(requestor) for _ in range(3)] == [0, 0, 0]
    assert [command.name for command in acceptor.sent] == ["C-ECHO-RSP"] * 3


def test_echo_needs_its_presentation_context() -> None:
    requestor, _ = loopback_pair([PresentationContext(1, "1.2.3", "1.2.840.10008.1.2")], [])
    with pytest.raises(NoPresentationContext, match="ACCEPTOR accepted no presentation context"):
        echo(requestor)
