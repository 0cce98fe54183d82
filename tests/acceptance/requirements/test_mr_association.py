"""MR 2.1, 3.1, 3.2, 5.1, 6.1: who opens which association for what, and how it ends; looked at on the wire."""

from __future__ import annotations

import pytest

from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    MR_IMAGE_STORAGE,
    STORAGE_COMMITMENT_PUSH_MODEL,
    VERIFICATION,
)
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from tests.acceptance.requirements.story import Story

ALL = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"

PROPOSED = {
    "C-ECHO": (VERIFICATION, ALL),
    "C-FIND": (MODALITY_WORKLIST_FIND, ALL),
    "N-CREATE": (MODALITY_PERFORMED_PROCEDURE_STEP, ALL),
    "N-SET": (MODALITY_PERFORMED_PROCEDURE_STEP, ALL),
    "C-STORE": (MR_IMAGE_STORAGE, (EXPLICIT_VR_LITTLE_ENDIAN,)),
    "N-ACTION": (STORAGE_COMMITMENT_PUSH_MODEL, ALL),
}
"""What an association for a command proposes: one presentation context, by default with these transfer syntaxes."""

ACTIVITIES = {
    "nothing": [],
    "echo": ["C-ECHO"],
    "worklist": ["C-FIND"],
    "start exam": ["C-FIND", "N-CREATE"],
    "acquire": ["C-STORE", "N-ACTION", "N-EVENT-REPORT"],
    "complete exam": ["N-SET"],
    "send by hand": ["C-STORE", "N-ACTION", "N-EVENT-REPORT"],
    "commit by hand": ["N-ACTION", "N-EVENT-REPORT"],
    "register": [],
    "first image": ["N-CREATE"],
    "discontinue exam": ["C-STORE", "N-SET", "N-ACTION", "N-EVENT-REPORT"],
}
"""What the user does, and the commands of the associations that follow."""


@pytest.mark.requirement(
    "MR-2.4.1-01", "MR-2.4.1-02", "MR-2.4.1-03", "MR-3-04", "MR-3.2-01", "MR-5.1.1-01", "MR-5.2-01", "MR-5.2.1.1-01",
    "MR-6.1.1-01", "MR-6.2-01", "MR-6.2.1.1-01", "MR-6.2.1.1-02", "MR-6.2.1.1-03",
)  # fmt: skip
@pytest.mark.parametrize("activity", ACTIVITIES)
def test_associations_follow_from_what_the_user_does(mr_story: Story, activity: str) -> None:
    assert sorted(mr_story.commands(activity)) == sorted(ACTIVITIES[activity])


@pytest.mark.requirement(
    "MR-3.2.3.2-01", "MR-3.2.4.2-01", "MR-3.2.4.3.1-04", "MR-5.2.1.2-01", "MR-6.2.1.2-01", "MR-6.2.1.2-02",
)  # fmt: skip
@pytest.mark.parametrize("command", PROPOSED)
def test_what_is_proposed_and_in_which_role(mr_story: Story, command: str) -> None:
    talks = [talk for talk in mr_story.initiated if talk.asked(command)]
    assert talks
    for talk in talks:
        assert talk.proposed == [PROPOSED[command]]
        assert talk.roles == {}  # none selected: the default, the requestor is SCU (PS3.7 D.3.3.4)
        assert not talk.has_extended_negotiation
        assert {each.name for each in talk.asked()} == {command}
        assert all(each.by_requestor for each in talk.asked())


@pytest.mark.requirement("MR-2.1-01", "MR-3-01", "MR-3-02", "MR-3.1.3-01", "MR-3.1.4-01", "MR-9.2-01")
def test_one_application_entity_with_one_identity(mr_story: Story) -> None:
    device = mr_story.at.modality.site.application_entities["device"].ae_title
    assert {talk.calling for talk in mr_story.initiated} == {talk.called for talk in mr_story.notified} == {device}
    (identity,) = {talk.implementation for talk in mr_story.initiated}
    assert identity[0].startswith("2.25.")
    for talk in mr_story.initiated:
        assert talk.request.application_context_name == APPLICATION_CONTEXT
        assert not talk.has_asynchronous_window


@pytest.mark.requirement(
    "MR-2.3.2-12", "MR-2.4.2-07", "MR-2.4.2-08", "MR-5.1.2-02", "MR-5.1.3-01", "MR-6.1.1-02", "MR-6.1.3-01",
)  # fmt: skip
@pytest.mark.parametrize("command", ["C-FIND", "N-CREATE", "N-SET"])
def test_one_request_then_the_device_releases(mr_story: Story, command: str) -> None:
    for talk in mr_story.at.tap.with_command(command):
        assert len(talk.asked()) == talk.most_outstanding == 1
        last = talk.messages[-1]
        assert not last.by_requestor
        assert last.command.Status == 0
        assert (talk.end, talk.release_by_requestor) == ("released", True)


@pytest.mark.requirement("MR-3.1.2-01", "MR-5.1.2-01", "MR-6.1.2-01")
def test_one_association_at_a_time(mr_story: Story) -> None:
    assert mr_story.at.tap.most_at_once(lambda talk: talk in mr_story.initiated) == 1


@pytest.mark.requirement("MR-5.1.1-02")
def test_longest_pdu(mr_story: Story) -> None:
    assert {talk.maximum_length for talk in mr_story.at.tap.with_command("C-FIND")} == {16384}
    assert {talk.maximum_length for talk in mr_story.at.tap.with_command("N-CREATE")} == {32768}
