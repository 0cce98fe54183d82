"""One watcher for all browsers: it reads new events once, and puts them into a queue of each.

Each event reaches a browser once, in the order of commits. A browser that reconnects names the last number that it has
seen: it gets the later events from the database, and then those of the watcher. A browser that is too slow, or was away
for too long, is told to load everything again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import field
from typing import Final, Self

from openmodality.errors import StoreError
from openmodality.store.database import Database
from openmodality.store.listing.events import StoredEvent, read_events
from openmodality.value_class import dataclass

MOST_QUEUED: Final = 256
"""How many events wait for one browser."""
MOST_AT_ONCE: Final = 500
_LOOK_S: Final = 0.25
"""Other processes change the database without telling this one."""

_log = logging.getLogger(__name__)


class Signal:
    """What a queue holds beside events."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


RESYNC: Final = Signal("resync")
END: Final = Signal("end")
FeedItem = StoredEvent | Signal


@dataclass(slots=True)
class Subscription:
    """What waits for one browser; ``position`` is the number of the last event that it does not get by the queue."""

    loop: asyncio.AbstractEventLoop
    position: int
    queue: asyncio.Queue[FeedItem] = field(default_factory=lambda: asyncio.Queue(MOST_QUEUED + 1))

    def put(self, items: list[FeedItem]) -> None:
        """Let the browser's stream have these; called by the watcher."""
        try:
            self.loop.call_soon_threadsafe(self._put, items)
        except RuntimeError:
            return  # its loop is closed: the server has stopped

    def _put(self, items: list[FeedItem]) -> None:
        if END in items or self.queue.qsize() + len(items) > MOST_QUEUED:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(END if END in items else RESYNC)
            return
        for item in items:
            self.queue.put_nowait(item)


class Feed:
    """Watches the database while somebody listens; a context manager."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscriptions: list[Subscription] = []
        self._change = threading.Condition()
        self._position = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="console-feed", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.join()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the watcher has ended, after :meth:`close`."""
        if self._thread.is_alive():
            self._thread.join()

    @property
    def count(self) -> int:
        """How many browsers listen."""
        with self._change:
            return len(self._subscriptions)

    def subscribe(self, loop: asyncio.AbstractEventLoop) -> Subscription:
        """Begin to queue what happens from now on."""
        with self._change:
            if not self._subscriptions:
                self._position = self._database.last_event()
            subscription = Subscription(loop, self._position)
            if self._is_closed:
                subscription.put([END])
            else:
                self._subscriptions.append(subscription)
                self._change.notify_all()
            return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Queue no more."""
        with self._change:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def read_missed(self, after: int, subscription: Subscription) -> list[FeedItem]:
        """What happened between a number and the beginning of a subscription."""
        if after > subscription.position:
            return [RESYNC]  # of another database, or of one that was restored
        with self._database.read() as snapshot:
            missed = read_events(snapshot, after, MOST_AT_ONCE + 1)
        found = [event for event in missed if event.id <= subscription.position]
        return [*found] if len(missed) <= MOST_AT_ONCE else [RESYNC]

    def close(self) -> None:
        """End all streams; nobody can subscribe any more."""
        with self._change:
            self._is_closed = True
            for each in self._subscriptions:
                each.put([END])
            self._change.notify_all()

    def _run(self) -> None:
        seen, is_away = self._database.changed.count, False
        while self._wait_for_listeners():
            seen = self._database.changed.wait(seen, _LOOK_S)
            try:
                self._pass_on()
                is_away = False
            except StoreError as error:
                if not is_away:
                    _log.warning("console.events_away", extra={"reason": error.message})
                is_away = True

    def _wait_for_listeners(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._is_closed or self._subscriptions)
            return not self._is_closed

    def _pass_on(self) -> None:
        with self._change:
            with self._database.read() as snapshot:
                found: list[FeedItem] = [*read_events(snapshot, self._position, MOST_AT_ONCE)]
            if not found:
                return
            last = found[-1]
            self._position = last.id if isinstance(last, StoredEvent) else self._position
            for each in self._subscriptions:
                each.put(found)
