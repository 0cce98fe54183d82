"""A query that is watched: a peer cannot make it last, or fill the memory, by what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from pydicom import Dataset

from openmodality.conformance.doctor import find_probe
from openmodality.conformance.doctor.find_probe import FoundItems, ask
from openmodality.dimse.channel import Message, PresentationContext
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.service import Handler, Response, Service
from openmodality.query.identifier import Key, identifier
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.loopback import loopback_pair

PATIENT_ID = 0x00100020
ASKED = identifier([Key((PATIENT_ID,))])


def make_item(patient_id: str) -> bytes:
    item = Dataset()
    item.PatientID = patient_id
    return encode_data_set(item, EXPLICIT_VR_LITTLE_ENDIAN)


def ask_peer(handler: Handler) -> FoundItems:
    service = Service("peer", frozenset({MODALITY_WORKLIST_FIND}), {CommandField.C_FIND_RQ: handler})
    channel, _ = loopback_pair([PresentationContext(1, MODALITY_WORKLIST_FIND, EXPLICIT_VR_LITTLE_ENDIAN)], [service])
    return ask(channel, MODALITY_WORKLIST_FIND, ASKED, limit_s=5.0)


def test_who_sends_a_match_now_and_then_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(step=4.0)  # seconds that go by from one look at it to the next
    monkeypatch.setattr(find_probe, "monotonic", lambda: next(clock))

    def trickle(message: Message) -> Iterator[Response]:
        for number in range(90):
            if message.cancelled():
                yield Response(0xFE00)
                return
            yield Response(0xFF00, make_item(str(number)))
        yield Response(0)

    found = ask_peer(trickle)
    assert (found.outcome, found.was_cancelled) == ("done", True)
    assert len(found.items) == 2


def test_a_match_without_end_is_not_collected() -> None:
    def flood(message: Message) -> Iterator[Response]:
        yield Response(0xFF00, make_item("1"))
        yield Response(0xFF00, bytes(2 * 1024 * 1024))
        yield Response(0)

    found = ask_peer(flood)
    assert (found.outcome, len(found.items)) == ("protocol broken", 1)
    assert found.reason.endswith("the data set is longer than 1048576 bytes")
