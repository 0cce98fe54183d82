from __future__ import annotations

from collections.abc import Callable

from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.sop_classes import STUDY_ROOT_FIND, VERIFICATION
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.in_memory import InMemoryPeer


def test_what_is_proposed_to_an_address_and_to_a_peer_of_the_site() -> None:
    unknown = InMemoryPeer().make_ends()
    assert unknown.make_proposal(VERIFICATION).transfer_syntaxes == (
        EXPLICIT_VR_LITTLE_ENDIAN,
        IMPLICIT_VR_LITTLE_ENDIAN,
    )
    known = InMemoryPeer().make_ends(proposed={VERIFICATION: (IMPLICIT_VR_LITTLE_ENDIAN,)})
    assert known.make_proposal(VERIFICATION).transfer_syntaxes == (IMPLICIT_VR_LITTLE_ENDIAN,)
    assert known.make_proposal(STUDY_ROOT_FIND) == unknown.make_proposal(STUDY_ROOT_FIND)


def test_one_context_for_each_abstract_syntax(in_memory_peer: Callable[..., InMemoryPeer]) -> None:
    peer = in_memory_peer(VERIFICATION_SERVICE)
    with peer.make_ends().open(VERIFICATION, STUDY_ROOT_FIND):
        pass
    (opened,) = peer.opened
    assert [each.abstract_syntax for each in opened.proposals] == [VERIFICATION, STUDY_ROOT_FIND]
    assert opened.end == "released"
