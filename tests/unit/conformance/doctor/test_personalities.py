"""Every personality of the virtual hospital that speaks DICOM can be told from the outside, and by one row."""

from __future__ import annotations

from collections import Counter

from openmodality.conformance.doctor.personalities import name_personalities
from openmodality.hospital.personalities import ALL_SERVERS, PERSONALITIES, Hook
from tests.examined import list_known_names

_OVER_WEB = (Hook.WEB_REQUEST, Hook.WEB_INSTANCE)


def test_each_personality_of_a_dicom_server_has_a_row() -> None:
    spoken = {
        name
        for name, each in PERSONALITIES.items()
        if set(each.servers) & set(ALL_SERVERS) and each.hook not in _OVER_WEB
    }
    assert set(list_known_names()) == spoken
    assert [name for name, count in Counter(list_known_names()).items() if count > 1] == []


def names(*observed: tuple[str, str]) -> list[str]:
    return [each.name for each in name_personalities(observed)]


def test_what_was_seen_is_named() -> None:
    assert names(("storage", "status A700"), ("storage", "status A700")) == ["a700"]
    assert names(("step", "other UID"), ("worklist", "pending FF01")) == ["mpps-other-uid", "worklist-ff01"]
    assert names(("storage", "status 1234"), ("nothing", "like this")) == []


def test_a_peer_that_does_it_to_an_echo_does_it_to_all() -> None:
    assert names(("echo", "silent"), ("storage", "silent"), ("worklist", "silent")) == ["hang"]
    assert names(("storage", "silent")) == ["store-hang"]
    assert names(("echo", "late"), ("storage", "status B000"), ("commitment result", "late")) == ["slow", "b000"]
