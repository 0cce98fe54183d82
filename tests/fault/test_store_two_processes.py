"""Two processes on one store: the device serves while the command line imports."""

from __future__ import annotations

from pathlib import Path

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import count
from openmodality.store.local import open_store
from tests.peers.forked import STDERR, fork
from tests.peers.objects import mr_series


def test_each_instance_is_new_to_one_of_them_only(tmp_path: Path) -> None:
    mr_series(tmp_path / "source", 60, rows=16, columns=16)
    data = tmp_path / "data"
    both = [fork("tests.fault.adding_process", data, tmp_path / "source", stderr=STDERR) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [sorted(pair) for pair in zip(*said, strict=True)] == [["NEW", "SAME"]] * 60
    with open_store(data) as store, store.read() as connection:
        assert count(connection, Level.IMAGE) == 60
        assert store.recover().indexed == 0


def test_two_devices_store_queue_and_delete_side_by_side(tmp_path: Path) -> None:
    both = [fork("tests.fault.store_process", tmp_path, 6, stderr=STDERR) for _ in range(2)]
    lines = [line.split() for process in both for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in both] == [0, 0]
    stored = {words[1] for words in lines if words[0] == "stored"}
    deleted = {words[1] for words in lines if words[0] == "deleted"}
    queued = {words[1] for words in lines if words[0] == "queued"}
    assert (len(stored), len(deleted), len(queued)) == (2 * 6 * 9, 2 * 6, 2 * 6)
    with open_store(tmp_path) as store:
        assert store.recover().indexed == 0
        with store.read() as connection:
            assert count(connection, Level.IMAGE) == len(stored - deleted)
