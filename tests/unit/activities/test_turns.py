"""One association at a time: two of them stand for two processes, since the lock of a file knows none."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openmodality.activities.turns import Turns
from openmodality.errors import StoreError

ONE = {"device": 1}


def test_one_has_the_turn_whoever_asks(tmp_path: Path) -> None:
    serving, command = Turns(tmp_path, ONE), Turns(tmp_path, ONE)
    with serving.wait("device") as first:
        assert first
        for other in (serving, command):
            with other.wait("device", 0.1) as second:
                assert not second
    with command.wait("device", 0.1) as after:
        assert after


def test_roles_do_not_wait_for_one_another(tmp_path: Path) -> None:
    serving, command = (Turns(tmp_path, {"query": 1, "store": 1}) for _ in range(2))
    with serving.wait("query"), command.wait("store", 0.1) as free:
        assert free


def test_several_may_have_turns_where_the_device_says_so(tmp_path: Path) -> None:
    turns, other = Turns(tmp_path, {"device": 2}), Turns(tmp_path, {"device": 2})
    with turns.wait("device"), turns.wait("device", 0.1) as second, turns.wait("device", 0.1) as third:
        assert (second, third) == (True, False)
        with other.wait("device", 0.1) as of_another:
            assert of_another


def test_nobody_waits_for_a_device_that_is_closed(tmp_path: Path) -> None:
    serving, command = Turns(tmp_path, ONE), Turns(tmp_path, ONE)
    ended: list[Exception] = []

    def wait() -> None:
        try:
            with command.wait("device"):
                raise AssertionError("the turn is not free")
        except StoreError as error:
            ended.append(error)

    with serving.wait("device"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        command.close()
        waiting.join(10)
    assert len(ended) == 1


def test_a_device_that_has_no_data_yet_makes_no_folder(tmp_path: Path) -> None:
    with Turns(tmp_path / "none", ONE).wait("device") as free:
        assert free
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "turns").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot use"), Turns(tmp_path, ONE).wait("device"):
        pass
