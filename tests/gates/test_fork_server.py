"""The process that starts programs for tests serves all processes of a run, and ends when the last of them has gone."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.fork_server import Askers, receive
from tests.peers.forked import find_lock


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


def list_ready(selector: selectors.BaseSelector) -> list[object]:
    return [key.fileobj for key, _ in selector.select(0)]


def connect(place: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(place))
    return made


def test_it_ends_with_the_only_one_who_asks(selector: selectors.BaseSelector) -> None:
    ours, theirs = socket.socketpair()
    askers = Askers(theirs, selector)
    assert askers.find_ready(list_ready(selector)) == []
    ours.close()
    assert askers.find_ready(list_ready(selector)) == [theirs]
    assert receive(theirs) is None
    assert askers.lose(theirs)


def test_it_ends_with_the_last_who_asks_unless_another_one_has_come(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    place = tmp_path / "forks"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        askers = Askers(listener, selector)
        first = connect(place)
        assert askers.find_ready(list_ready(selector)) == []
        first.close()
        (gone,) = askers.find_ready(list_ready(selector))
        second = connect(place)
        assert not askers.lose(gone), "another one has come"
        assert place.exists()
        assert askers.find_ready(list_ready(selector)) == []
        second.close()
        (gone,) = askers.find_ready(list_ready(selector))
        assert askers.lose(gone)
    assert not place.exists()
    assert not find_lock(place).exists()
