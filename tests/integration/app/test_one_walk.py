"""A received instance is walked over once, whoever needs something of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

import openmodality
from openmodality.app.receiving import StoreSink
from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.data_set import encode_data_set
from openmodality.encoding.walk import DataSetWalk
from openmodality.services.storage import InstanceIdentity, InstanceSink, storage_service, store
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from openmodality.store.files.folder import FolderSink, Identity
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.local import LocalStore, open_store
from openmodality.store.schema import instances
from openmodality.store.validated import ValidatedSink
from tests.loopback import loopback_pair
from tests.peers.objects import mr_image

SOURCE = Path(openmodality.__file__).parent


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[DataSetWalk]:
    """Every walk that is begun while the test runs."""
    begun: list[DataSetWalk] = []
    begin = DataSetWalk._begin

    def note(walk: DataSetWalk) -> None:
        if not any(walk is other for other in begun):
            begun.append(walk)
        begin(walk)

    monkeypatch.setattr(DataSetWalk, "_begin", note)
    return begun


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalStore]:
    with open_store(tmp_path / "data", durability="os") as store_:
        yield store_


def send_ten(sink: InstanceSink, transfer_syntax: str) -> None:
    context = PresentationContext(1, MR_IMAGE_STORAGE, transfer_syntax)
    channel = loopback_pair([context], [storage_service(sink, {MR_IMAGE_STORAGE})])[0]
    for number in range(10):
        data_set = Dataset(mr_image())
        data_set.SOPInstanceUID = f"1.2.3.{number}"
        data_set.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
        identity = InstanceIdentity(MR_IMAGE_STORAGE, data_set.SOPInstanceUID)
        assert store(channel, context, identity, [encode_data_set(data_set, transfer_syntax)]).status == 0


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_the_device_walks_once_over_each_instance_the_index_included(
    local: LocalStore, walks: list[DataSetWalk], transfer_syntax: str
) -> None:
    send_ten(ValidatedSink(StoreSink(local, ("1.2", "X")), frozenset()), transfer_syntax)
    with local.read() as connection:
        rows = connection.execute(instances.select()).all()
    assert len(walks) == 10
    assert {row.SOPInstanceUID for row in rows} == {f"1.2.3.{number}" for number in range(10)}
    assert all(row.length_bytes == local.files.path(row.SOPInstanceUID).stat().st_size for row in rows)


def test_receiving_to_a_folder_walks_once_over_each_instance(tmp_path: Path, walks: list[DataSetWalk]) -> None:
    files = InstanceFiles(tmp_path, durability="os", fan_out=False)
    send_ten(FolderSink(files, Identity("1.2", "X"), lambda arrival: None), EXPLICIT_VR_LITTLE_ENDIAN)
    files.close()
    assert len(walks) == len(list(tmp_path.glob("*.dcm"))) == 10


def test_only_the_walk_makes_tokens() -> None:
    """What walks over a data set on its own would be counted by no test."""
    making = {path.name for path in SOURCE.rglob("*.py") if re.search(r"\bTokenizer\(", path.read_text())}
    assert making == {"walk.py"}
