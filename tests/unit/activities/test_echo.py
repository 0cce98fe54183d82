from __future__ import annotations

from collections.abc import Callable

import pytest

from openmodality.activities.echo import echo_peer
from openmodality.dimse.channel import Message
from openmodality.dimse.service import Response, Service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from tests.in_memory import InMemoryPeer

MakePeer = Callable[..., InMemoryPeer]


def test_a_peer_that_is_there(in_memory_peer: MakePeer) -> None:
    peer = in_memory_peer(VERIFICATION_SERVICE)
    answer = echo_peer(peer.make_ends())
    assert (answer.status, answer.is_success) == (0, True)
    assert answer.duration_s >= 0
    assert [each.end for each in peer.opened] == ["released"]


def test_a_peer_that_refuses_is_no_error(in_memory_peer: MakePeer) -> None:
    def refuse(message: Message) -> Response:
        return Response(0x0122)

    peer = in_memory_peer(Service("refusing", frozenset({VERIFICATION}), {CommandField.C_ECHO_RQ: refuse}))
    answer = echo_peer(peer.make_ends())
    assert (answer.status, answer.is_success) == (0x0122, False)


@pytest.mark.parametrize("syntaxes", [None, ("1.2.840.10008.1.2",)])
def test_what_is_proposed(in_memory_peer: MakePeer, syntaxes: tuple[str, ...] | None) -> None:
    peer = in_memory_peer(VERIFICATION_SERVICE)
    echo_peer(peer.make_ends(proposed={VERIFICATION: syntaxes} if syntaxes else None))
    (proposal,) = peer.opened[0].proposals
    assert proposal.abstract_syntax == VERIFICATION
    assert proposal.transfer_syntaxes == (syntaxes or ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"))
