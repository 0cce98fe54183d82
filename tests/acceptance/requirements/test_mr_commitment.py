"""MR 2.1.3, 3.2.4 and 3.3.5: storage commitment, both associations of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.network.entity import LocalAE
from openmodality.network.requestor import associate
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import (
    MODALITY_WORKLIST_FIND,
    MR_IMAGE_STORAGE,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STUDY_ROOT_FIND,
    VERIFICATION,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.states import InstanceResult, JobState
from openmodality.upper_layer.negotiation import ContextProposal
from tests.acceptance.requirements.recording import Recorded, recorded
from tests.acceptance.requirements.story import Story
from tests.acceptance.requirements.wiretap import Conversation, Message
from tests.peers.objects import mr_image, save

CLASSES = ["StorageCommitmentPushModel", "EnhancedMRImageStorage", STUDY_ROOT_FIND]
NO_RETRIES = ("# retries = 5", "retries = 0")


def references(talk: Conversation, command: str) -> set[str]:
    """The instances that a request names."""
    return {
        item.ReferencedSOPInstanceUID
        for message in talk.asked(command)
        if message.data is not None
        for item in message.data.ReferencedSOPSequence
    }


@pytest.mark.requirement("MR-3.2.4.3-01")
@pytest.mark.parametrize("activity", ["acquire", "send by hand", "discontinue exam"])
def test_what_is_asked_for_was_stored_before(mr_story: Story, activity: str) -> None:
    talks = mr_story.activities[activity]
    (store,) = (talk for talk in talks if talk.asked("C-STORE"))
    (action,) = (talk for talk in talks if talk.asked("N-ACTION"))
    assert store.number < action.number
    stored = {message.command.AffectedSOPInstanceUID for message in store.asked("C-STORE")}
    assert references(action, "N-ACTION") == stored != set()


@pytest.mark.requirement("MR-2.1.3-01", "MR-2.1.3-02", "MR-3.2.4.3.1-02")
def test_asked_for_by_hand_before_anything_was_sent(tmp_path: Path) -> None:
    with recorded(tmp_path, "mr", change=[NO_RETRIES]) as at:
        path = save(mr_image(), tmp_path / "images")
        at.modality.import_files([path])
        at.modality.commit(str(dcmread(path).StudyInstanceUID), "pacs")
        at.settle()
        assert at.tap.with_command("C-STORE") == []
        (action,) = at.tap.with_command("N-ACTION")
        assert references(action, "N-ACTION") == {dcmread(path).SOPInstanceUID}


@pytest.mark.requirement("MR-3.3.5.1-01", "MR-3.3.5.2-01", "MR-3.3.5.5-01")
def test_the_result_comes_on_an_association_of_the_archive(mr_story: Story) -> None:
    assert len(mr_story.notified) == 4
    for talk in mr_story.notified:
        assert talk.calling == "OM_PACS"
        assert talk.roles == talk.accepted_roles == {STORAGE_COMMITMENT_PUSH_MODEL: (False, True)}
        assert talk.accepted == {STORAGE_COMMITMENT_PUSH_MODEL: "1.2.840.10008.1.2"}
        assert [each.command.Status for each in talk.messages if not each.by_requestor] == [0]


@pytest.mark.requirement("MR-3.3.5.3.2-01")
def test_success_is_in_the_database_before_it_is_answered(mr_story: Story) -> None:
    assert mr_story.committed_when_answered[0] == (2, 2)
    assert mr_story.committed_when_answered[-1] == (1, 1)


@pytest.mark.requirement("MR-3.3.5.3.2-01")
def test_failure_is_in_the_database_before_it_is_answered(tmp_path: Path) -> None:
    with recorded(tmp_path, "mr", change=[NO_RETRIES]) as at:
        seen: list[bool] = []

        def look(talk: Conversation, message: Message) -> None:
            if message.name == "N-EVENT-REPORT" and not message.by_requestor:
                seen.append(_answered_as_failed(at))

        at.tap.before_passing = look
        path = save(mr_image(), tmp_path / "images")
        at.modality.import_files([path])
        job = at.modality.commit(str(dcmread(path).StudyInstanceUID), "pacs")
        at.settle()
        assert seen == [True]
        details = at.modality.jobs.show(job.id)
        assert details.job.state is JobState.FAILED
        assert [(each.result, each.status) for each in details.instances] == [(InstanceResult.FAILURE, 0x0112)]


def _answered_as_failed(at: Recorded) -> bool:
    """Whether the database, read past the device, says that the one transaction there is has failed."""
    with closing(sqlite3.connect(at.modality.site.data_folder / "openmodality.db")) as database:
        rows = database.execute("SELECT state, answered_at IS NOT NULL FROM commitments").fetchall()
    return rows == [("failed", 1)]


@pytest.mark.requirement(
    "MR-3.3.5.4-01", "MR-2.1-05", "MR-2.1.2-05", "MR-3.1.1-06", "MR-3.3.1.4-01", "MR-3.3.4.2-02", "MR-3.3.4.4-01",
    "MR-3.3.5.2-02",
)  # fmt: skip
@pytest.mark.parametrize(
    ("incoming", "accepted"),
    [
        ("", {VERIFICATION, STORAGE_COMMITMENT_PUSH_MODEL, MR_IMAGE_STORAGE}),
        ('incoming = ["storage_commitment"]', {VERIFICATION, STORAGE_COMMITMENT_PUSH_MODEL}),
        ('incoming = ["storage"]', {VERIFICATION, MR_IMAGE_STORAGE}),
        ("incoming = []", {VERIFICATION}),
        (f"sop_classes = {CLASSES}", {VERIFICATION, STORAGE_COMMITMENT_PUSH_MODEL}),
    ],
)
def test_contexts_are_accepted_as_the_site_file_says(tmp_path: Path, incoming: str, accepted: set[str]) -> None:
    """Of what an archive proposes; the two others of the site file may do less, or nothing at all."""
    change = [('ae_title = "OM_PACS"', f'ae_title = "OM_PACS"\n{incoming}')]
    with recorded(tmp_path, "mr", change=change) as at:
        device = at.hospital.peers.find("OM_MR")
        assert device is not None
        contexts = [VERIFICATION, STORAGE_COMMITMENT_PUSH_MODEL, MR_IMAGE_STORAGE, MODALITY_WORKLIST_FIND]
        proposals = [ContextProposal(uid, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)) for uid in contexts]
        with associate(device, LocalAE("OM_PACS"), proposals):
            pass
        at.settle()
        (talk,) = at.tap.conversations
        assert talk.accepted == dict.fromkeys(accepted, IMPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.requirement("MR-3.3.1.5-01")
@pytest.mark.parametrize(
    "offered", [(EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN), (IMPLICIT_VR_LITTLE_ENDIAN,)]
)
def test_verification_in_the_default_transfer_syntax(tmp_path: Path, offered: tuple[str, ...]) -> None:
    """It is chosen wherever it is offered, and a requestor must offer it (PS3.8 7.1, 9.3.2.2; PS3.5 10.1)."""
    with recorded(tmp_path, "mr") as at:
        device = at.hospital.peers.find("OM_MR")
        assert device is not None
        with associate(device, LocalAE("OM_PACS"), [ContextProposal(VERIFICATION, offered)]) as association:
            assert echo(association) == 0
        at.settle()
        (talk,) = at.tap.conversations
        assert talk.accepted == {VERIFICATION: IMPLICIT_VR_LITTLE_ENDIAN}


@pytest.mark.requirement("MR-3.2.4.3.1-05")
def test_data_sets_go_out_without_being_validated(tmp_path: Path) -> None:
    image = mr_image(PatientSex="Q", ImageType="", ContentDate="")
    del image.ScanningSequence, image.FrameOfReferenceUID  # both type 1
    with recorded(tmp_path, "mr") as at:
        at.modality.import_files([save(image, tmp_path / "images")])
        at.modality.send(str(image.StudyInstanceUID), "pacs")
        at.settle()
        (message,) = at.tap.with_command("C-STORE")[0].asked("C-STORE")
        assert message.data is not None
        sent = {element.tag: element.value for element in message.data}
        assert sent == {element.tag: element.value for element in image}
        (action,) = at.tap.with_command("N-ACTION")
        assert references(action, "N-ACTION") == {image.SOPInstanceUID}
