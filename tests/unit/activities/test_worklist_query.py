from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydicom import Dataset

from openmodality.activities.worklist_query import RETURN_KEYS, ask_for_worklist, describe_limits
from openmodality.dimse.service import Refuse
from openmodality.dimse.verdict import Verdict
from openmodality.errors import PeerTimeout
from openmodality.query.identifier import Key, identifier
from openmodality.services.worklist import WORKLIST_JUDGE, WorklistFailed, worklist_service
from tests.in_memory import InMemoryPeer
from tests.stand_in import scheduled

MakePeer = Callable[..., InMemoryPeer]
ASKED = identifier([Key(path) for path in RETURN_KEYS])


@dataclass
class Ris:
    """Has as many items as it is told to have."""

    count: int = 3
    error: Exception | None = None
    asked: list[Dataset] = field(default_factory=list)

    def find(self, asked: Dataset) -> Iterator[Dataset]:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        yield from (scheduled(number) for number in range(1, self.count + 1))


def test_all_items_come(in_memory_peer: MakePeer) -> None:
    peer = in_memory_peer(worklist_service(Ris()))
    answer = ask_for_worklist(peer.make_ends(), ASKED)
    assert (len(answer.items), answer.more_available, peer.opened[0].end) == (3, False, "released")
    assert describe_limits(answer) == []


def test_no_more_than_the_limit(in_memory_peer: MakePeer) -> None:
    answer = ask_for_worklist(in_memory_peer(worklist_service(Ris(5))).make_ends(), ASKED, limit=2)
    assert len(answer.items) == 2
    assert describe_limits(answer) == ["there are more items than are taken; narrow the query"]


@pytest.mark.parametrize(("aborts", "end"), [(True, "aborted"), (False, "released")])
def test_the_verdict_says_how_the_association_ends(in_memory_peer: MakePeer, aborts: bool, end: str) -> None:
    def judge(status: int) -> Verdict:
        return WORKLIST_JUDGE(status)._replace(must_abort=aborts)

    peer = in_memory_peer(worklist_service(Ris(error=Refuse(0xC001, "no"))))
    with pytest.raises(WorklistFailed):
        ask_for_worklist(peer.make_ends(judge_of=lambda *_: judge), ASKED)
    assert peer.opened[0].end == end


def test_the_whole_answer_has_one_time_out(in_memory_peer: MakePeer) -> None:
    peer = in_memory_peer(worklist_service(Ris()))
    with pytest.raises(PeerTimeout, match="final response"):
        ask_for_worklist(peer.make_ends(), ASKED, timeout_s=0.0)


def test_why_there_is_none_is_logged_without_the_words_of_the_peer(
    in_memory_peer: MakePeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer = in_memory_peer(worklist_service(Ris(error=Refuse(0xC001, "DOE^JANE"))))
    with caplog.at_level(logging.INFO), pytest.raises(WorklistFailed):
        ask_for_worklist(peer.make_ends(name="ris"), ASKED)
    (record,) = (each for each in caplog.records if each.message == "worklist.failed")
    assert record.__dict__["peer"] == "ris"
    assert "C001" in record.__dict__["reason"]
    assert "DOE" not in record.__dict__["reason"]


@pytest.mark.parametrize(
    ("changes", "notices"),
    [
        ({"unreadable": 1}, ["1 item could not be read"]),
        ({"unreadable": 2}, ["2 items could not be read"]),
        ({"optional_keys_unsupported": True}, ["the peer does not support some of the keys"]),
    ],
)
def test_what_the_operator_is_told(in_memory_peer: MakePeer, changes: dict[str, Any], notices: list[str]) -> None:
    answer = ask_for_worklist(in_memory_peer(worklist_service(Ris(0))).make_ends(), ASKED)
    assert describe_limits(replace(answer, **changes)) == notices
