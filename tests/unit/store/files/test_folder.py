"""A folder as the sink of a storage SCP: what is answered for an instance that is there already."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Refuse
from openmodality.encoding.walk import DataSetWalk
from openmodality.services.storage import InstanceIdentity, StoreRequest
from openmodality.standard.dimse import Status
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.folder import FolderSink, Identity, ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles

ELEMENT = b"\x10\0\x20\0LO\2\0"
REQUEST = StoreRequest(
    InstanceIdentity(MR_IMAGE_STORAGE, "1.2.3"),
    EXPLICIT_VR_LITTLE_ENDIAN,
    PeerInfo("SCU", "SCP"),
    DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN),
)


def store(folder: Path, value: bytes, arrived: Callable[[ReceivedFile], object]) -> None:
    files = InstanceFiles(folder, durability="os", fan_out=False)
    writer = FolderSink(files, Identity("1.2", "TEST"), arrived).open(REQUEST)
    writer.write(memoryview(ELEMENT + value))
    writer.commit()
    files.close()


def test_the_same_again_is_success_and_other_content_is_refused(tmp_path: Path) -> None:
    arrivals: list[ReceivedFile] = []
    store(tmp_path, b"AA", arrivals.append)
    store(tmp_path, b"AA", arrivals.append)
    with pytest.raises(Refuse) as refused:
        store(tmp_path, b"BB", arrivals.append)
    assert refused.value.status == Status.PROCESSING_FAILURE
    assert str(refused.value) == "other content is stored under this UID, and is kept"
    assert [arrival.stored for arrival in arrivals] == [Stored.NEW, Stored.SAME, Stored.DIFFERENT]
    assert (tmp_path / "1.2.3.dcm").read_bytes().endswith(b"AA")


def test_a_listener_that_fails_does_not_undo_what_is_safe(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: ReceivedFile) -> None:
        raise BrokenPipeError

    with caplog.at_level(logging.ERROR):
        store(tmp_path, b"AA", fail)
    assert caplog.messages == ["storage.listener_failed"]
    assert (tmp_path / "1.2.3.dcm").exists()
