"""What a profile takes, and what a file takes of a medium."""

from __future__ import annotations

import pytest

from openmodality.media.application_profile import USB, ApplicationProfile, count_medium_bytes


def test_a_profile_takes_its_sop_classes_alone() -> None:
    assert USB.takes("1.2.3")
    assert ApplicationProfile("P", 0, frozenset({"1.2.3"})).takes("1.2.3")
    assert not ApplicationProfile("P", 0, frozenset({"1.2.3"})).takes("1.2.4")


@pytest.mark.parametrize(("length", "taken"), [(0, 0), (1, 2048), (2048, 2048), (2049, 4096)])
def test_files_take_whole_sectors(length: int, taken: int) -> None:
    assert count_medium_bytes(length) == taken
