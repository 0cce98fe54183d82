"""What a listener keeps of the values that it is given."""

from __future__ import annotations

import pytest

from openmodality.encoding.listening import KeptValues, Listener, Tokens, check_length
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import PATIENT_ID, SOP_CLASS_UID, SOP_INSTANCE_UID


def test_a_listener_asks_for_nothing_unless_it_says_so() -> None:
    listener = Listener()
    assert (listener.tags, listener.vrs, listener.tokens) == (frozenset(), frozenset(), Tokens.NONE)


def test_only_the_values_that_were_asked_for_are_kept() -> None:
    kept = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID)))
    kept.take_values({SOP_CLASS_UID: b"1.2\0", PATIENT_ID: b"P1"})
    assert kept.values == {SOP_CLASS_UID: b"1.2\0"}


def test_a_value_that_was_too_long_to_be_given_is_an_error() -> None:
    kept = KeptValues(frozenset((SOP_CLASS_UID,)))
    with pytest.raises(ObjectInvalid, match=r"^\(0008,0016\) is too long to be checked$"):
        kept.take_values({SOP_CLASS_UID: None})


def test_a_value_of_others_may_be_too_long() -> None:
    kept = KeptValues(frozenset((SOP_CLASS_UID,)))
    kept.take_values({SOP_CLASS_UID: b"", PATIENT_ID: None})
    assert kept.values == {SOP_CLASS_UID: b""}


def test_the_length_of_a_value_is_checked() -> None:
    assert check_length(PATIENT_ID, b"P1") == b"P1"
    with pytest.raises(ObjectInvalid):
        check_length(PATIENT_ID, None)
