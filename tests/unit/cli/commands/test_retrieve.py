from __future__ import annotations

import pytest

from openmodality.activities.arrivals import Arrivals
from openmodality.activities.ends import Ends
from openmodality.cli.commands.retrieve import _report
from openmodality.dimse.verdict import find_advice
from openmodality.errors import OpenModalityError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.query.moving import MOVE_JUDGE, Counts, MoveResult

ENDS = Ends(RemoteAE("PACS", "127.0.0.1", 104), LocalAE("HERE"))


def test_a_retrieve_that_failed_shows_its_counts_what_came_and_who_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arrivals = Arrivals()
    arrivals.note_answer("1.1", 0, "")
    arrivals.note_answer("1.2", 0xA700, "the disk is full")
    result = MoveResult(MOVE_JUDGE(0xA702), Counts(0, 9, 31, 0), ("1.2",))
    with pytest.raises(OpenModalityError) as caught:
        _report(result, ENDS, "HERE", arrivals, as_json=False)
    assert str(caught.value).startswith("PACS@127.0.0.1:104: 9 instances sent to HERE, 31 failed: A702")
    assert "this side refused it: A700" in caught.value.advice
    printed = capsys.readouterr()
    assert "came: 1.1" in printed.out
    assert "not sent: 1.2" in printed.err


def test_a_retrieve_that_moved_nothing_says_so() -> None:
    with pytest.raises(OpenModalityError, match="nothing sent to OTHER, 3 failed: A702") as caught:
        _report(MoveResult(MOVE_JUDGE(0xA702), Counts(0, 0, 3, 0)), ENDS, "OTHER", None, as_json=False)
    assert caught.value.advice == find_advice("retrieve", "C-MOVE", 0xA702)
