"""Matches as lines: each is there before the next one has come, and the archive is told when nobody reads any more."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from typing import Any

import pytest
from pydicom import Dataset
from starlette.requests import ClientDisconnect
from starlette.types import Message

from openmodality.console.api.match_stream import MatchResponse, MatchStream
from openmodality.dimse.verdict import standard_judge
from openmodality.errors import PeerTimeout
from openmodality.query.finding import FindAnswer, HandOver

END = FindAnswer((), standard_judge("query", "C-FIND")(0))
WITHIN_S = 20.0
SCOPE: dict[str, Any] = {"type": "http", "asgi": {"spec_version": "2.4"}}


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

    async def take(message: Message) -> None:
        if message.get("body"):
            raise OSError("the client went away")  # as servers tell it

    async def hear() -> Message:
        return await asyncio.Future[Message]()

    with suppress(ClientDisconnect):
        asyncio.run(MatchResponse(archive.open())(SCOPE, hear, take))
    assert archive.ended.wait(WITHIN_S)
    assert archive.turns.acquire(blocking=False), "it did not send all that it had"


def test_an_archive_stops_when_the_client_went_away_before_the_first_match() -> None:
    archive = ScriptedArchive(*map(make_match, range(1000)))
    archive.turns = threading.Semaphore(1000)

    async def take(message: Message) -> None:
        await asyncio.Future[None]()  # a server waits while nobody takes what it sends

    async def hear() -> Message:
        return {"type": "http.disconnect"}

    asyncio.run(MatchResponse(archive.open())({**SCOPE, "asgi": {"spec_version": "2.3"}}, hear, take))
    assert archive.ended.wait(WITHIN_S)


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
