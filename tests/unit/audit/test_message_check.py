from __future__ import annotations

import pytest

from openmodality.audit.message_check import check_audit_message
from tests.audit_messages import all_messages, encode, find_schema_faults

SENT = encode(all_messages()["sent"])


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("EventActionCode=\"R\"", "EventActionCode=\"E\"", "EventActionCode is not one of C, R, U"),
        ('csd-code="110104"', 'csd-code="4711"', "EventID is not one"),
        ('csd-code="110153"', 'csd-code="110150"', "no participant is Source Role ID"),
        ('csd-code="110180"', 'csd-code="110181"', "no Study Instance UID"),
        ('UserIsRequestor="true"', 'UserIsRequestor="yes"', "UserIsRequestor"),
        ('EventOutcomeIndicator="0"', 'EventOutcomeIndicator="1"', "EventOutcomeIndicator"),
        ("2026-11-30T00:53:20.250Z", "2026-11-30T00:53:20.250", "no date and time with a zone"),
        ("ActiveParticipant", "Active", "an element that the schema does not have"),
        (' UserID="', ' Name="', "ActiveParticipant has no UserID"),
        ("<ParticipantObjectName />", "", "needs one of name and query"),
        ('<SOPClass UID="1.2.5"', '<MPPS UID="1.2.5"/><SOPClass UID="1.2.5"', "in another order"),
        ("AuditSourceIdentification", "Source", "has 0 AuditSourceIdentification"),
        ("<AuditMessage>", "<Message>", "no XML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_named(old: str, new: str, fault: str) -> None:
    assert old in SENT
    changed = SENT.replace(old, new)
    assert any(fault in each for each in check_audit_message(changed.encode()).faults)


@pytest.mark.parametrize("name", list(all_messages()))
def test_it_finds_what_the_schema_finds(name: str) -> None:
    """Each attribute and element that is left out of a message is missed by both, or by neither."""
    xml = encode(all_messages()[name])
    from lxml import etree  # noqa: PLC0415 - of this test alone

    places = len(list(etree.fromstring(xml.encode()).iter()))
    for place in range(1, places):
        root = etree.fromstring(xml.encode())
        element = list(root.iter())[place]
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
        changed = etree.tostring(root).decode()
        if find_schema_faults(changed):
            assert check_audit_message(changed.encode()).faults, (name, element.tag)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"<AuditMessage",
        b'<!DOCTYPE a [<!ENTITY b "c">]><AuditMessage>&b;</AuditMessage>',
        b"<Other/>",
    ],
)
def test_what_is_no_audit_message_is_refused(content: bytes) -> None:
    checked = check_audit_message(content)
    assert checked.kind is None
    assert checked.faults


def test_faults_name_no_patient() -> None:
    broken = SENT.replace("ParticipantObjectIDTypeCode", "Other").replace('UserID="', 'Name="')
    said = " ".join(check_audit_message(broken.encode()).faults)
    assert "DOE" not in said
    assert "P-1" not in said
