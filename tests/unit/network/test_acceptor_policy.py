"""What a storage SCP without a site file takes."""

from __future__ import annotations

import pytest
from pydicom._uid_dict import UID_dictionary

from openmodality.network.acceptor_policy import StorageClasses
from openmodality.standard.sop_classes import NOT_STORAGE, STORAGE_ELSEWHERE, VERIFICATION

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
INVENTORY_STORAGE = "1.2.840.10008.5.1.4.1.1.201.1"
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"  # a file's, which no association carries
PRIVATE = "1.3.12.2.1107.5.9.1"
REGISTERED = {uid: name for uid, (name, kind, *_) in UID_dictionary.items() if kind == "SOP Class"}


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


def test_registered_classes_are_storage_where_their_name_says_so() -> None:
    classes = StorageClasses()
    wrong = {
        uid: name
        for uid, name in REGISTERED.items()
        if name and (uid in classes) != name.partition(" - ")[0].endswith("Storage")  # nameless: retired early
    }
    assert wrong.keys() == {VERIFICATION, MEDIA_STORAGE_DIRECTORY}, wrong


def test_exceptions_are_registered() -> None:
    assert REGISTERED.keys() >= NOT_STORAGE | STORAGE_ELSEWHERE


@pytest.mark.parametrize("uid", ["38.2", "38.3", "38.10", "34.70", "34.100"])
def test_neighbours_of_storage_classes_are_none(uid: str) -> None:
    assert f"1.2.840.10008.5.1.4.{uid}" not in StorageClasses()
