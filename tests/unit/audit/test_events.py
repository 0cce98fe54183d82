from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from openmodality.audit.codes import EventKind
from openmodality.audit.message_check import check_audit_message
from tests.audit_messages import HOSTILE_SUBJECT, all_messages, encode, find_schema_faults

NAMES = list(all_messages())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("person", ["alice", ""])
def test_each_message_fits_the_schema_and_its_own_rules(name: str, person: str) -> None:
    xml = encode(all_messages(person)[name])
    assert find_schema_faults(xml) == []
    assert check_audit_message(xml.encode()).faults == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_breaks_no_message(name: str) -> None:
    xml = encode(all_messages("<b>\x07", HOSTILE_SUBJECT)[name])
    assert find_schema_faults(xml) == []
    assert check_audit_message(xml.encode()).faults == ()
    assert "<img" not in xml


def test_a_message_of_each_kind_is_there() -> None:
    assert {message.kind for message in all_messages().values()} == set(EventKind)


def test_the_person_is_the_requestor_and_else_the_process() -> None:
    def requestors(person: str) -> list[str | None]:
        root = fromstring(encode(all_messages(person)["deleted"]))
        return [
            each.get("UserID") for each in root.findall("ActiveParticipant") if each.get("UserIsRequestor") == "true"
        ]

    assert (requestors("alice"), requestors("")) == (["alice"], ["4711"])


def test_the_sender_of_what_comes_is_the_peer() -> None:
    roles = {
        name: [
            (each.get("UserID"), role.get("csd-code"))
            for each in fromstring(encode(all_messages("")[name])).findall("ActiveParticipant")
            if (role := each.find("RoleIDCode")) is not None
        ]
        for name in ("sent", "received")
    }
    assert roles["sent"] == [("4711", "110153"), ("OM_PACS", "110152")]
    assert roles["received"] == [("OM_PACS", "110153"), ("4711", "110152")]


def test_a_transfer_of_which_a_part_failed_says_how_much() -> None:
    event = fromstring(encode(all_messages()["sent in part"])).find("EventIdentification")
    assert event is not None
    assert event.get("EventOutcomeIndicator") == "4"
    assert event.findtext("EventOutcomeDescription") == "3 of 13 instances were not transferred"


def test_users_and_patients_are_found_by_what_people_know_them_by() -> None:
    message = all_messages()["sent"]
    assert message.users == ("OM_MR", "OM_PACS", "alice")
    assert message.patients == ("P-1",)
