"""Matches as lines: each is there before the next one has come, and the archive is told when nobody reads any more."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from pydicom import Dataset

from openmodality.console.api.match_stream import MatchStream
from openmodality.dimse.verdict import standard_judge
from openmodality.errors import PeerTimeout
from openmodality.query.finding import FindAnswer, HandOver

END = FindAnswer((), standard_judge("query", "C-FIND")(0))
WITHIN_S = 20.0


def make_match(number: int) -> Dataset:
    match = Dataset()
    match.PatientID = f"P{number}"
    return match


class ScriptedArchive:
    """Sends the next match only when it is told to; ``ended`` is set when nobody waits for it any more."""

    def __init__(self, *script: Dataset | Exception) -> None:
        self.script = script
        self.turns = threading.Semaphore(1)
        self.ended = threading.Event()

    def ask(self, hand_over: HandOver) -> FindAnswer:
        for each in self.script:
            assert self.turns.acquire(timeout=WITHIN_S)
            if isinstance(each, Exception):
                raise each
            if not hand_over(each):
                break
        self.ended.set()
        return END

    def open(self) -> MatchStream:
        return MatchStream("pacs", self.ask, lambda _: {"notices": []})


def test_a_line_is_there_before_the_next_match_has_come() -> None:
    archive = ScriptedArchive(make_match(1), make_match(2))

    async def read() -> list[Any]:
        lines = []
        async for line in archive.open().read_lines():
            lines.append(json.loads(line))
            archive.turns.release()
        return lines

    first, second, end = asyncio.run(read())
    assert [first, second] == [{"event": "match", "attributes": {"PatientID": f"P{number}"}} for number in (1, 2)]
    assert end == {"event": "end", "matches": 2, "notices": []}


def test_an_archive_stops_when_nobody_reads_any_more() -> None:
    archive = ScriptedArchive(*map(make_match, range(1000)))
    archive.turns = threading.Semaphore(1000)

    async def read_one() -> None:
        lines = archive.open().read_lines()
        await anext(lines)
        await lines.aclose()  # type: ignore[attr-defined]

    asyncio.run(read_one())
    assert archive.ended.wait(WITHIN_S)
    assert archive.turns.acquire(blocking=False), "it did not send all that it had"


def test_what_goes_wrong_is_an_error_before_the_first_match_and_a_line_after_it() -> None:
    error = PeerTimeout("no final response", waiting_for="the final response to C-FIND-RQ", advice="ask for less")
    with pytest.raises(PeerTimeout):
        ScriptedArchive(error).open()
    archive = ScriptedArchive(make_match(1), error)

    async def read() -> list[Any]:
        archive.turns.release()
        return [json.loads(line) async for line in archive.open().read_lines()]

    _, said = asyncio.run(read())
    assert (said["event"], said["problem"]["status"], said["problem"]["peer"]) == ("error", 504, "pacs")
