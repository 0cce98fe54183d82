"""The next instance goes out between the arrival of a response and its reading, over a connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.dimse import assembler
from openmodality.dimse import command as command_sets
from openmodality.dimse.command import Command
from openmodality.network.storage.follow_up import FollowUp
from tests.interop import ours
from tests.peers.objects import mr_series
from tests.unit.network.storage.test_follow_up import request


def test_the_next_instance_goes_out_before_the_response_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not before it is here: the peer has no asynchronous operations window."""
    order: list[str] = []
    look, decode_command = FollowUp.look_at, command_sets.decode_command

    def looking(self: FollowUp, received: memoryview, *, begins: bool) -> None:
        look(self, received, begins=begins)
        order.append("waits" if self.is_planned else "begun")

    def decoding(raw: bytes) -> Command:
        command = decode_command(raw)
        if command.is_response:
            order.append("read")
        return command

    monkeypatch.setattr(FollowUp, "look_at", looking)
    monkeypatch.setattr(assembler, "decode_command", decoding)
    with ours.archive(tmp_path / "received") as peer:
        sent = ours.send_files(peer, mr_series(tmp_path / "sent", 3))
        assert len(peer.folder.files()) == 3
    assert all(one.is_stored for one in sent)
    assert order == ["begun", "read", "begun", "read", "read"]


def test_what_waits_is_forgotten_at_the_release(tmp_path: Path) -> None:
    with ours.archive(tmp_path) as peer, ours.associated(peer) as association:
        association.follow_up(request(8), 7)
        association.release()
        assert not association.is_open
        assert not association._link.follow_up.is_planned
