"""UIDs: valid under every root, never the same twice, and the same for the same key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from openmodality.errors import ConfigurationError
from openmodality.objects.identity import Uids

LONGEST_ROOT = "1.2.826.0.1.3680043.10.1234.567890"


@pytest.mark.parametrize("root", ["2.25", "1.2.3", LONGEST_ROOT])
def test_uids_are_valid_and_differ(root: str) -> None:
    uids = Uids(root)
    made = [uids() for _ in range(500)]
    assert len(set(made)) == 500
    assert all(UID(uid).is_valid and uid.startswith(root + ".") and len(uid) <= 64 for uid in made)


@given(st.text(), st.sampled_from(["2.25", "1.2.3", LONGEST_ROOT]))
def test_a_key_has_one_uid(key: str, root: str) -> None:
    uid = Uids(root).derived(key)
    assert uid == Uids(root).derived(key)
    assert UID(uid).is_valid
    assert uid != Uids(root).derived(key + "x")


@pytest.mark.parametrize("root", ["", "1", "1.", "1.02", "1.x", "1..2", "1.2 ", LONGEST_ROOT + "1", "1.²"])
def test_wrong_roots_are_refused(root: str) -> None:
    with pytest.raises(ConfigurationError, match="uid_root"):
        Uids(root)
