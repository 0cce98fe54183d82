"""What a storage SCP without a site file takes."""

from __future__ import annotations

import pytest

from openmodality.network.entity import RemoteAE
from openmodality.network.policy import StorageClasses

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
INVENTORY_STORAGE = "1.2.840.10008.5.1.4.1.1.201.1"
PRIVATE = "1.3.12.2.1107.5.9.1"


@pytest.mark.parametrize("uid", [MR_IMAGE, MR_IMAGE + ".99", INVENTORY_STORAGE, PRIVATE, "1.2.840.10008.1.1"])
def test_storage_classes_known_or_not(uid: str) -> None:
    assert uid in StorageClasses()


@pytest.mark.parametrize(
    "uid",
    ["", "hello world", "1", MR_IMAGE + ".x", "1.2." + "3" * 61, "1.2.840.10008.5.1.4.1.2.2.1"]
    + [f"1.2.840.10008.5.1.4.1.1.201.{number}" for number in (2, 3, 4, 5, 6)],
)
def test_what_is_no_storage_class(uid: str) -> None:
    assert uid not in StorageClasses()


@pytest.mark.parametrize("text", ["A@host:104", "A@[::1]:104"])
def test_a_peer_is_written_as_it_is_read(text: str) -> None:
    assert str(RemoteAE.parse(text)) == text
