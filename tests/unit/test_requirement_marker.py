"""The marker ``requirement``: only ids that exist may be carried."""

from __future__ import annotations

from tests.plugins.requirements import known_ids


def test_the_ids_of_both_devices_are_known() -> None:
    assert len(known_ids()) == 372 + 360
    assert {"MR-2.1-01", "RF-1-01"} <= known_ids()
