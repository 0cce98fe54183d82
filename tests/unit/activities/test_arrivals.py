from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from openmodality.activities.arrivals import Arrivals, watch_contexts, watch_storage
from openmodality.dimse.channel import Message
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.network.entity import LocalAE
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE, VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.negotiation import ContextProposal, propose
from openmodality.upper_layer.rejections import STANDARD_REJECTIONS


def ask(service: Service, uid: str) -> Any:
    message = SimpleNamespace(command=SimpleNamespace(AffectedSOPInstanceUID=uid))
    return service.handlers[CommandField.C_STORE_RQ](cast("Message", message))


def test_what_comes_is_told_from_what_this_side_refuses() -> None:
    def store(message: Message) -> Response:
        uid = message.command.AffectedSOPInstanceUID
        if uid == "1.3":
            raise Refuse(0xA900, "SOP Instance UID of data set and command differ")
        return Response(0xA700, comment="the disk is full") if uid == "1.2" else Response(0)

    arrivals = Arrivals()
    watched = watch_storage(Service("Storage", ("1.1",), {CommandField.C_STORE_RQ: store}), lambda: arrivals)
    assert ask(watched, "1.1").status == 0
    assert arrivals.describe_refusals() == ""
    assert [ask(watched, "1.2").status for _ in range(2)] == [0xA700] * 2
    with pytest.raises(Refuse):
        ask(watched, "1.3")
    assert arrivals.stored == ["1.1"]
    said = arrivals.describe_refusals()
    assert said.startswith("this side refused it: A700")
    assert "the disk is full" in said
    assert said.endswith("(2 times), and 1 times something else")


def test_nobody_needs_to_watch() -> None:
    service = Service("Storage", ("1.1",), {CommandField.C_STORE_RQ: lambda message: Response(0)})
    assert ask(watch_storage(service, lambda: None), "1.1").status == 0


def test_a_rejected_association_is_a_refusal() -> None:
    arrivals = Arrivals()
    arrivals.note_rejected("PACS", STANDARD_REJECTIONS["calling_ae_title"])
    assert "an association of PACS: " in arrivals.describe_refusals()
    assert "calling-AE-title-not-recognized" in arrivals.describe_refusals()


def test_kinds_that_this_side_does_not_take_are_named_where_not_all_came() -> None:
    arrivals = Arrivals()
    proposals = [
        ContextProposal(uid, (IMPLICIT_VR_LITTLE_ENDIAN,)) for uid in (VERIFICATION, "1.2.840.10008.5.1.4.1.1.2")
    ]
    local = LocalAE("HERE")
    (request,) = propose(local.side, "PACS", "HERE", proposals)
    only = PeerPolicy({MR_IMAGE_STORAGE: SyntaxPolicy((IMPLICIT_VR_LITTLE_ENDIAN,))})
    policy = AcceptorPolicy(local.side, lambda title: only)
    watch_contexts(lambda asked, load: decide_answer(asked, policy, load), lambda: arrivals)(request, Load())
    assert "takes no CT Image Storage: abstract-syntax-not-supported" in arrivals.describe_refusals()
    assert arrivals.describe_refusals(is_whole=True) == ""
    arrivals.note_answer("1.2", 0xA700, "")
    assert "A700" in arrivals.describe_refusals(is_whole=True)


def test_a_process_that_listens_for_another_tells_it_and_keeps_nothing() -> None:
    told: list[str] = []
    arrivals = Arrivals(tell=told.append)
    arrivals.note_answer("1.1", 0, "")
    arrivals.note_answer("1.2", 0xA700, "full")
    assert (arrivals.stored, arrivals.refused, len(told)) == ([], {}, 1)
