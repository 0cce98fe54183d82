from __future__ import annotations

from pathlib import Path

from openmodality.console.serving import ServingLock, is_console_served


def test_a_console_is_served_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_console_served(tmp_path)
    lock = ServingLock(tmp_path).acquire()
    assert is_console_served(tmp_path)
    other = ServingLock(tmp_path).acquire()
    other.release()
    assert is_console_served(tmp_path)
    lock.release()
    lock.release()
    assert not is_console_served(tmp_path)
