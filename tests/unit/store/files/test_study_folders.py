"""Files sorted by study: an instance is stored once, wherever it lies."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Refuse
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.services.storage import InstanceIdentity, StoreRequest
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.folder import FolderSink, Identity, ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.files.study_folders import StudyFolders

SOP_INSTANCE = "1.2.3"
STUDY, OTHER_STUDY = "1.2.840.1", "1.2.840.2"


class Receiver:
    """A sink over a folder, with what it has told of; ``by_study`` sorts its files."""

    def __init__(self, folder: Path, *, by_study: bool = True) -> None:
        self.arrivals: list[ReceivedFile] = []
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        files = InstanceFiles(folder, durability="os", fan_out=False)
        folders = StudyFolders(files) if by_study else None
        self.sink = FolderSink(files, Identity("1.2", "TEST"), self.arrivals.append, folders=folders)

    def store(self, study: str | None, patient: bytes = b"AA") -> ReceivedFile:
        """Receive an instance of this study; what the sink has told of it."""
        request = StoreRequest(
            InstanceIdentity(MR_IMAGE_STORAGE, SOP_INSTANCE),
            EXPLICIT_VR_LITTLE_ENDIAN,
            PeerInfo("SCU", "SCP"),
            DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN),
        )
        writer = self.sink.open(request)
        data = data_set(study, patient)
        try:
            request.walk.feed(memoryview(data))
            writer.write(memoryview(data))
            request.walk.finish()
        except BaseException:
            writer.abort()
            raise
        writer.commit()
        return self.arrivals[-1]

    def names(self) -> list[str]:
        """All files below the folder, those in the making too."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


def data_set(study: str | None, patient: bytes) -> bytes:
    data = b"\x10\0\x20\0LO" + len(patient).to_bytes(2, "little") + patient
    if study is not None:
        value = study.encode() + b"\0" * (len(study) % 2)
        data += b"\x20\0\x0d\0UI" + len(value).to_bytes(2, "little") + value
    return data


def test_a_file_goes_to_the_folder_of_its_study(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path)
    arrival = receiver.store(STUDY)
    assert receiver.names() == [f"{STUDY}/{SOP_INSTANCE}.dcm"]
    assert arrival.path == tmp_path / STUDY / f"{SOP_INSTANCE}.dcm"
    assert (arrival.stored, arrival.study_instance_uid, arrival.is_elsewhere) == (Stored.NEW, STUDY, False)


def test_in_its_folder_the_same_again_is_kept_once_and_other_content_is_refused(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path)
    receiver.store(STUDY)
    assert receiver.store(STUDY).stored is Stored.SAME
    with pytest.raises(Refuse, match="other content"):
        receiver.store(STUDY, b"BB")
    assert receiver.names() == [f"{STUDY}/{SOP_INSTANCE}.dcm"]


def test_what_lies_flat_from_before_stays_there_and_is_not_doubled(tmp_path: Path) -> None:
    Receiver(tmp_path, by_study=False).store(STUDY)
    receiver = Receiver(tmp_path)
    arrival = receiver.store(STUDY)
    assert (arrival.stored, arrival.is_elsewhere) == (Stored.SAME, True)
    assert arrival.path == tmp_path / f"{SOP_INSTANCE}.dcm"
    with pytest.raises(Refuse, match="other content"):
        receiver.store(STUDY, b"BB")
    assert receiver.names() == [f"{SOP_INSTANCE}.dcm"]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_lies_in_another_study_is_kept_and_the_second_refused(tmp_path: Path, is_restarted: bool) -> None:
    receiver = Receiver(tmp_path)
    receiver.store(STUDY)
    receiver = Receiver(tmp_path) if is_restarted else receiver
    with pytest.raises(Refuse, match="other content"):
        receiver.store(OTHER_STUDY)
    assert receiver.arrivals[-1].stored is Stored.DIFFERENT
    assert receiver.arrivals[-1].path == tmp_path / STUDY / f"{SOP_INSTANCE}.dcm"
    assert receiver.names() == [f"{STUDY}/{SOP_INSTANCE}.dcm"]


def test_what_has_been_taken_away_is_stored_again(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path)
    receiver.store(STUDY).path.unlink()
    assert receiver.store(OTHER_STUDY).stored is Stored.NEW
    (tmp_path / OTHER_STUDY / f"{SOP_INSTANCE}.dcm").unlink()
    (tmp_path / OTHER_STUDY).rmdir()
    assert receiver.store(OTHER_STUDY).stored is Stored.NEW


@pytest.mark.parametrize("study", [None, "", "..", "../x", "/etc", "1", "1.2/3.4", "1." * 40, "1.2.x"])
def test_what_is_no_uid_becomes_no_folder(tmp_path: Path, study: str | None) -> None:
    receiver = Receiver(tmp_path / "received")
    with pytest.raises(ObjectInvalid, match="Study Instance UID is missing or is no UID"):
        receiver.store(study)
    assert receiver.names() == []
    assert [path.name for path in tmp_path.iterdir()] == ["received"]


def test_a_file_in_the_place_of_a_study_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / STUDY).touch()
    receiver = Receiver(tmp_path)
    with pytest.raises(StoreError):
        receiver.store(STUDY)
    assert receiver.names() == [STUDY]


def test_of_many_at_once_in_two_studies_one_is_kept(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path)
    refused: list[str] = []

    def store(study: str) -> None:
        try:
            receiver.store(study)
        except Refuse:
            refused.append(study)

    threads = [threading.Thread(target=store, args=(study,)) for study in (STUDY, OTHER_STUDY) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [name] = receiver.names()
    kept = name.partition("/")[0]
    assert kept in {STUDY, OTHER_STUDY}
    assert len(refused) == 8
    assert kept not in refused
