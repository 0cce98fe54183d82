"""What a storage SCP without a site file takes."""

from __future__ import annotations

import pytest
from pydicom._uid_dict import UID_dictionary

from openmodality.network.policy import StorageClasses
from openmodality.standard.sop_classes import NOT_STORAGE, STORAGE_ROOTS, VERIFICATION

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
INVENTORY_STORAGE = "1.2.840.10008.5.1.4.1.1.201.1"
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
    for uid, name in REGISTERED.items():
        if not name:
            continue  # retired before it was ever named
        if uid.startswith(STORAGE_ROOTS):
            assert (uid in classes) == ("Storage" in name), name
        elif uid != VERIFICATION and uid.startswith("1.2.840.10008.5.1.4"):
            assert uid not in classes, name
    assert {uid for uid in REGISTERED if uid in NOT_STORAGE} == NOT_STORAGE
