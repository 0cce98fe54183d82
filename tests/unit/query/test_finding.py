"""What a C-FIND brings, read in a character set that the site assumes."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.dimse.channel import Message, PresentationContext
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.service import Response, Service
from openmodality.query.finding import FindAnswer
from openmodality.services.worklist import query_items
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from tests.loopback import loopback_pair

NAMES = {"ISO_IR 192": "Müller^Zoë=山田", "GB18030": "王^小东", "ISO_IR 13": "ﾔﾏﾀﾞ", "ISO_IR 144": "Иванов"}


def _ask(*raw_items: bytes) -> FindAnswer:
    def answer(message: Message) -> list[Response]:
        return [*(Response(0xFF00, raw) for raw in raw_items), Response(0)]

    service = Service("RIS", frozenset({MODALITY_WORKLIST_FIND}), {CommandField.C_FIND_RQ: answer})
    context = PresentationContext(1, MODALITY_WORKLIST_FIND, ExplicitVRLittleEndian)
    return query_items(loopback_pair([context], [service])[0], Dataset())


def _encode(name: str, terms: str, *, declared: bool) -> bytes:
    data_set = Dataset()
    data_set.SpecificCharacterSet, data_set.PatientName = terms, name
    raw = encode_data_set(data_set, ExplicitVRLittleEndian)
    return raw if declared else raw[raw.index(b"\x10\x00\x10\x00") :]


@pytest.mark.parametrize("terms", NAMES)
def test_what_declares_nothing_is_read_as_assumed(terms: str) -> None:
    declared = _encode("Buc^Jérôme", "ISO_IR 100", declared=True)
    answer = _ask(_encode(NAMES[terms], terms, declared=False), declared, _encode("Doe", "ISO_IR 6", declared=False))
    first, second, third = answer.read_assuming((terms,))
    assert (first.PatientName, first.SpecificCharacterSet) == (NAMES[terms], terms)
    assert (second.PatientName, second.SpecificCharacterSet) == ("Buc^Jérôme", "ISO_IR 100")
    assert third.PatientName == "Doe"
    assert "SpecificCharacterSet" not in third


def test_one_odd_match_does_not_spoil_the_others() -> None:
    odd = _encode("Zoë", "ISO_IR 192", declared=True).replace(b"ISO_IR 192", b"utf-7     ")
    answer = _ask(odd, _encode("Doe", "ISO_IR 100", declared=True))
    assert [str(each.PatientName) for each in answer.items] == ["Zo\ufffd\ufffd", "Doe"]
    assert answer.unreadable == 0
