"""Keeps the events of the hospital, for people and programs, and complaints about what a device did wrong.

Events name UIDs, AE titles, tags and counts, never patients. Complaints are kept on disk, one JSON line each.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final

from openmodality.store.files.instance_file import store_error
from openmodality.store.private_files import open_private
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

COMPLAINT: Final = "complaint"
KEPT_EVENTS: Final = 1000
KEPT_COMPLAINTS: Final = 10_000

WallClock = Callable[[], datetime]
Field = str | int | float


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Something that happened at one of the systems; ``kind`` is a constant name, ``text`` one line for people."""

    time: datetime
    place: str
    kind: str
    text: str
    fields: Mapping[str, Field] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Field]:
        """For JSON, its time with the zone."""
        time = self.time.astimezone().isoformat(timespec="milliseconds")
        return {"time": time, "place": self.place, "event": self.kind, "text": self.text, **self.fields}


class Journal:
    """Takes events from all threads; whoever waits for something is woken by each."""

    def __init__(
        self, complaints_file: Path, clock: WallClock, listener: Callable[[JournalEntry], object] | None = None
    ) -> None:
        self._file = complaints_file
        self._clock = clock
        self._listener = listener
        self._changed = threading.Condition()
        self._count = 0
        self._events: deque[JournalEntry] = deque(maxlen=KEPT_EVENTS)
        self._complaints: deque[JournalEntry] = deque(_read(complaints_file), maxlen=KEPT_COMPLAINTS)

    @property
    def events(self) -> list[JournalEntry]:
        """The last events, oldest first."""
        with self._changed:
            return list(self._events)

    @property
    def complaints(self) -> list[JournalEntry]:
        """What devices did wrong, those before a restart included."""
        with self._changed:
            return list(self._complaints)

    def note(self, place: str, kind: str, text: str, **fields: Field) -> None:
        """Something happened."""
        self._take(JournalEntry(self._clock(), place, kind, text, fields))

    def complain(self, place: str, text: str, **fields: Field) -> None:
        """A device did something wrong that is no reason to refuse."""
        event = JournalEntry(self._clock(), place, COMPLAINT, text, fields)
        _append(self._file, json.dumps(event.as_dict()))
        self._take(event)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until the condition holds, looking again after each event; whether it came to that."""
        deadline = monotonic() + timeout_s
        while True:
            with self._changed:
                seen = self._count
            if condition():  # asked without the lock: it looks into systems that write here
                return True
            with self._changed:
                if not self._changed.wait_for(lambda before=seen: self._count != before, deadline - monotonic()):  # type: ignore[misc]
                    return False

    def _take(self, event: JournalEntry) -> None:
        log.info("hospital.event", extra={"place": event.place, "kind": event.kind})
        with self._changed:
            self._events.append(event)
            if event.kind == COMPLAINT:
                self._complaints.append(event)
            self._count += 1
            self._changed.notify_all()
        if self._listener is not None:
            self._listener(event)


def _append(file: Path, line: str) -> None:
    try:
        with open(file, "ab", opener=open_private) as stream:
            stream.write(f"{line}\n".encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise store_error(error, f"write {file.name}") from error


def _read(file: Path) -> list[JournalEntry]:
    if not file.exists():
        return []
    events = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            said = json.loads(line)
            time, place, text = datetime.fromisoformat(said.pop("time")), said.pop("place"), said.pop("text")
            events.append(JournalEntry(time, place, said.pop("event"), text, said))
        except (ValueError, KeyError, AttributeError, TypeError):
            continue  # the last line before a crash may be cut
    return events
