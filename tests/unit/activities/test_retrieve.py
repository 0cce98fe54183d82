from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from openmodality.activities.retrieve import Wanted, retrieve_from_peer
from openmodality.errors import ConfigurationError, UsageError
from openmodality.query.moving import Counts, SubOperation
from openmodality.services.query_retrieve import MoveRequest, move_service
from openmodality.standard.sop_classes import PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE
from tests.in_memory import InMemoryPeer

MakePeer = Callable[..., InMemoryPeer]


@dataclass
class Transfer:
    script: Sequence[SubOperation]
    reason: str = ""

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        return [f"1.2.{number}" for number in range(len(self.script))]

    def perform(self) -> Iterator[tuple[str, SubOperation]]:
        for number, ended in enumerate(self.script):
            yield f"1.2.{number}", ended


@dataclass
class Archive:
    """Sends what is scripted; keeps what it was asked."""

    script: Sequence[SubOperation] = (SubOperation.COMPLETED, SubOperation.COMPLETED)
    asked: list[MoveRequest] = field(default_factory=list)

    def open(self, request: MoveRequest) -> Transfer:
        self.asked.append(request)
        return Transfer(self.script)


@pytest.mark.parametrize(
    ("wanted", "level", "keys"),
    [
        (Wanted("1"), "STUDY", {0x0020000D: ("1",)}),
        (Wanted("1", "1.1"), "SERIES", {0x0020000D: ("1",), 0x0020000E: ("1.1",)}),
        (Wanted("1", "1.1", "1.1.1"), "IMAGE", {0x0020000D: ("1",), 0x0020000E: ("1.1",), 0x00080018: ("1.1.1",)}),
    ],
)
def test_what_is_asked_for(
    in_memory_peer: MakePeer, wanted: Wanted, level: str, keys: dict[int, tuple[str, ...]]
) -> None:
    archive = Archive()
    peer = in_memory_peer(move_service(archive))
    result = retrieve_from_peer(peer.make_ends(), wanted)
    assert (result.verdict.effect, result.counts.completed) == ("succeed", 2)
    (request,) = archive.asked
    assert (request.level, request.keys, request.destination) == (level, keys, "DEVICE")
    assert (peer.opened[0].proposals[0].abstract_syntax, peer.opened[0].end) == (STUDY_ROOT_MOVE, "released")


def test_the_patient_root_names_the_patient(in_memory_peer: MakePeer) -> None:
    archive = Archive()
    peer = in_memory_peer(move_service(archive))
    retrieve_from_peer(peer.make_ends(patient_root=True), Wanted("1", patient_id="P1"), destination="OTHER")
    assert archive.asked[0].keys == {0x00100020: ("P1",), 0x0020000D: ("1",)}
    assert archive.asked[0].destination == "OTHER"
    assert peer.opened[0].proposals[0].abstract_syntax == PATIENT_ROOT_MOVE
    with pytest.raises(UsageError, match="Patient ID"):
        retrieve_from_peer(peer.make_ends(patient_root=True), Wanted("1"))


def test_progress_is_told_and_may_end_it(in_memory_peer: MakePeer) -> None:
    peer = in_memory_peer(move_service(Archive([SubOperation.COMPLETED] * 5)))
    told: list[Counts] = []

    def go_on(counts: Counts) -> bool:
        told.append(counts)
        return len(told) < 2

    result = retrieve_from_peer(peer.make_ends(), Wanted("1"), go_on=go_on)
    assert result.verdict.effect == "partial"
    assert [each.completed for each in told] == [1, 2]


def test_a_failure_aborts_and_is_logged(in_memory_peer: MakePeer, caplog: pytest.LogCaptureFixture) -> None:
    peer = in_memory_peer(move_service(Archive([SubOperation.FAILED])))
    with caplog.at_level(logging.INFO):
        result = retrieve_from_peer(peer.make_ends(name="pacs"), Wanted("1"))
    assert (result.verdict.effect, result.failed_uids, peer.opened[0].end) == ("fail", ("1.2.0",), "aborted")
    (record,) = (each for each in caplog.records if each.message == "retrieve.failed")
    assert (record.__dict__["peer"], "A702" in record.__dict__["reason"]) == ("pacs", True)


def test_what_cannot_be_asked(in_memory_peer: MakePeer) -> None:
    with pytest.raises(UsageError, match="series"):
        Wanted("1", instance="1.1.1")
    with pytest.raises(ConfigurationError, match="AE title"):
        retrieve_from_peer(InMemoryPeer().make_ends(), Wanted("1"), destination="A TITLE THAT IS TOO LONG")


@pytest.mark.parametrize("study", ["", " "])
def test_nothing_is_not_what_is_retrieved(study: str) -> None:
    with pytest.raises(UsageError, match="a study is retrieved by its UID"):
        Wanted(study)
