from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

import pytest

from openmodality.console.live.feed import END, MOST_AT_ONCE, MOST_QUEUED, RESYNC, Feed, FeedItem
from openmodality.store.database import Database, open_database
from openmodality.store.listing.events import StoredEvent, read_events
from openmodality.store.states import Subject
from tests.peers.postgres import postgres

T = TypeVar("T")
_S = 20.0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, durability="os")
    yield opened
    opened.close()


def note(database: Database, *subjects: int) -> None:
    with database.write() as transaction:
        for subject in subjects:
            transaction.add_event(Subject.JOB, subject, "todo")


def ids(items: list[FeedItem]) -> list[str]:
    return [item.subject_id if isinstance(item, StoredEvent) else repr(item) for item in items]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(coroutine, _S))


def test_what_happens_reaches_everybody_once_and_in_order(database: Database) -> None:
    async def listen(feed: Feed) -> list[list[str]]:
        loop = asyncio.get_running_loop()
        both = [feed.subscribe(loop), feed.subscribe(loop)]
        for number in range(20):
            await asyncio.to_thread(note, database, 2 * number, 2 * number + 1)
        return [ids([await each.queue.get() for _ in range(40)]) for each in both]

    note(database, 99)
    with Feed(database) as feed:
        assert run(listen(feed)) == [[str(number) for number in range(40)]] * 2


def test_who_comes_back_gets_what_was_missed_and_nothing_twice(database: Database) -> None:
    async def come_back(feed: Feed, seen: int) -> list[str]:
        subscription = feed.subscribe(asyncio.get_running_loop())
        await asyncio.to_thread(note, database, 4)
        missed = await asyncio.to_thread(feed.read_missed, seen, subscription)
        return ids([*missed, await subscription.queue.get()])

    note(database, 1, 2, 3)
    with database.read() as snapshot:
        first = read_events(snapshot, 0, 1)[0]
    with Feed(database) as feed:
        assert run(come_back(feed, first.id)) == ["2", "3", "4"]


def test_what_another_process_does_is_seen(database: Database, database_url: str) -> None:
    async def listen(feed: Feed) -> list[str]:
        subscription = feed.subscribe(asyncio.get_running_loop())
        await asyncio.to_thread(note, other, 7)
        return ids([await subscription.queue.get()])

    other = open_database(database_url, durability="os")
    with Feed(database) as feed:
        assert run(listen(feed)) == ["7"]
    other.close()


def test_who_does_not_keep_up_is_told_to_look_again(database: Database) -> None:
    async def sleep_over(feed: Feed) -> tuple[list[str], int]:
        loop = asyncio.get_running_loop()
        slow, quick = feed.subscribe(loop), feed.subscribe(loop)
        seen = 0
        for number in range(3):
            await asyncio.to_thread(note, database, *range(MOST_QUEUED // 2))
            for _ in range(MOST_QUEUED // 2):
                await quick.queue.get()
            seen = number
        return ids([slow.queue.get_nowait()]), seen

    with Feed(database) as feed:
        assert run(sleep_over(feed)) == (["<resync>"], 2)


def test_who_was_away_for_too_long_or_comes_from_another_database_looks_again(database: Database) -> None:
    async def come_back(feed: Feed, seen: int) -> list[FeedItem]:
        return feed.read_missed(seen, feed.subscribe(asyncio.get_running_loop()))

    note(database, *range(MOST_AT_ONCE + 2))
    with Feed(database) as feed:
        assert run(come_back(feed, 0)) == [RESYNC]
        assert run(come_back(feed, 10_000_000)) == [RESYNC]


def test_the_end_is_told_to_those_who_listen_and_to_those_who_come_later(database: Database) -> None:
    async def listen(feed: Feed) -> list[FeedItem]:
        loop = asyncio.get_running_loop()
        before = feed.subscribe(loop)
        await asyncio.to_thread(feed.close)
        after = feed.subscribe(loop)
        return [await before.queue.get(), await after.queue.get()]

    with Feed(database) as feed:
        assert run(listen(feed)) == [END, END]


def test_numbers_follow_the_commits_where_several_processes_write() -> None:
    """A reader that has seen an event has seen all with lower numbers, though another transaction began earlier."""
    with postgres() as url:
        first, second = open_database(url), open_database(url)
        noted, seen = Event(), Event()

        def write_slowly() -> None:
            with first.write() as transaction:
                transaction.add_event(Subject.JOB, 1, "begun first")
                noted.set()
                seen.wait(_S)

        with ThreadPoolExecutor() as pool:
            slow = pool.submit(write_slowly)
            noted.wait(_S)
            note(second, 2)
            with second.read() as snapshot:
                early = read_events(snapshot, 0, 10)
            seen.set()
            slow.result(_S)
        with second.read() as snapshot:
            late = read_events(snapshot, early[-1].id, 10)
        assert [event.subject_id for event in early] == ["2"]
        assert [event.subject_id for event in late] == ["1"], "it came after, and is not missed"
        first.close()
        second.close()
