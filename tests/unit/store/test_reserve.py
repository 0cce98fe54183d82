from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openmodality.store.database_errors import DatabaseFailed
from openmodality.store.database_words import Trouble
from openmodality.store.files.instance_file import StorageFull
from openmodality.store.names import RESERVE_FILE
from openmodality.store.reserve import Reserve

FULL = DatabaseFailed(Trouble.FULL, "disk is full")


def fail_first(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def act() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return act


@pytest.mark.parametrize("error", [FULL, StorageFull("cannot write: No space left on device")])
def test_what_finds_no_room_is_done_once_more_with_the_room_that_was_kept(tmp_path: Path, error: Exception) -> None:
    reserve = Reserve(tmp_path)
    with pytest.raises(type(error)):
        reserve.run(fail_first(error))  # nothing was kept
    reserve.keep()
    assert (tmp_path / RESERVE_FILE).stat().st_blocks * 512 >= 4 << 20
    assert reserve.open(fail_first(error)) == "done"
    assert (tmp_path / RESERVE_FILE).stat().st_size == (4 << 20) - (1 << 18)
    assert reserve.run(fail_first(error)) == "done"
    with pytest.raises(type(error)):
        reserve.run(fail_first(error))


def test_another_trouble_leaves_the_room_alone(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    reserve.keep()
    with pytest.raises(DatabaseFailed):
        reserve.run(fail_first(DatabaseFailed(Trouble.LOCKED, "locked")))
    assert (tmp_path / RESERVE_FILE).stat().st_size == 4 << 20
