"""What kind of instances a SOP Class has, against PS3.6 as pydicom has it and the modality of the profiles' objects."""

from __future__ import annotations

import pytest
from pydicom._uid_dict import UID_dictionary

from openmodality.device.profile.loader import load_profile
from openmodality.standard.sop_classes import (
    STORAGE_ROOT,
    describe_storage,
    is_document,
    is_image,
    is_presentation_state,
)

STORED = {
    uid: entry[0] for uid, entry in UID_dictionary.items() if uid.startswith(STORAGE_ROOT) and entry[1] == "SOP Class"
}


@pytest.mark.parametrize("uid", STORED, ids=STORED.get)
def test_documents_and_presentation_states_are_those_of_the_dictionary(uid: str) -> None:
    name = STORED[uid]
    if is_document(uid):
        assert any(word in name for word in ("SR", "Key Object Selection", "Report", "Log", "Patient Record", "Plan"))
    assert is_presentation_state(uid) is ("Presentation State" in name)
    assert is_image(uid) is not (is_document(uid) or is_presentation_state(uid))


@pytest.mark.parametrize("name", ["mr", "rf"])
def test_the_objects_of_a_device_have_the_modality_of_their_kind(name: str) -> None:
    for made in load_profile(name).objects:
        assert is_image(made.sop_class_uid) is (made.modality not in ("SR", "PR", "KO"))


def test_names_of_sop_classes_are_those_of_the_dictionary() -> None:
    named = {uid: describe_storage(uid) for uid in STORED if describe_storage(uid) != uid}
    assert len(named) > 25
    assert named == {uid: f"{STORED[uid]} ({uid})" for uid in named}
    assert describe_storage("1.2.3") == "1.2.3"
