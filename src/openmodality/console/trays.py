"""The instances that a user has chosen for a film or a disc and not ordered yet, kept as long as the session."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from openmodality.errors import UsageError
from openmodality.value_class import dataclass

_MOST_TRAYS: Final = 200


@dataclass(frozen=True, slots=True)
class TrayItem:
    """An instance that lies in a tray, and whose it is. ``frames`` are those that are meant; none: all of them."""

    uid: str
    sop_class_uid: str
    study: str
    series: str
    name: str
    patient_id: str
    title: str
    frames: tuple[int, ...] = ()

    @property
    def patient(self) -> tuple[str, str]:
        """The key of the patient: two patients may have one name, and two issuers one ID."""
        return self.patient_id, self.name


@dataclass(frozen=True, slots=True)
class Tray:
    """The instances in their order. ``version`` differs after each change; ``choices`` are fields of the page."""

    version: int = 0
    items: Sequence[TrayItem] = ()
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def patients(self) -> list[tuple[str, str]]:
        """Patient ID and name of those whose instances are there, in their order."""
        return list(dict.fromkeys(item.patient for item in self.items))


class Trays:
    """The trays of all sessions, by what they are for: ``film`` or ``media``."""

    def __init__(self) -> None:
        self._trays: OrderedDict[tuple[str, str], Tray] = OrderedDict()
        self._lock = threading.Lock()
        self._last = 0

    def look(self, session: str, purpose: str) -> Tray:
        """The tray as it is now."""
        with self._lock:
            return self._trays.get((session, purpose), Tray())

    def change(self, session: str, purpose: str, act: Callable[[Tray], Tray]) -> Tray:
        """Change a tray; what ``act`` raises leaves it as it was."""
        with self._lock:
            self._last += 1
            key = (session, purpose)
            tray = replace(act(self._trays.get(key, Tray())), version=self._last)
            self._trays[key] = tray
            self._trays.move_to_end(key)
            while len(self._trays) > _MOST_TRAYS:
                self._trays.popitem(last=False)
            return tray


def add_items(tray: Tray, items: Sequence[TrayItem], most: int) -> Tray:
    """The tray with more instances, each once. Raises :class:`UsageError` where it would hold more than ``most``."""
    new = {item.uid: item for item in items}
    known = {item.uid: item for item in tray.items}
    together = [*tray.items, *(item for uid, item in new.items() if uid not in known)]
    if len(together) > most:
        raise UsageError(f"{len(together):,} instances are more than the {most:,} that are put together here")
    return replace(tray, items=tuple(together))


def move_item(tray: Tray, uid: str, place: int) -> Tray:
    """The tray with an instance at another place, from 0; a place beyond the ends is the end."""
    moved = [item for item in tray.items if item.uid == uid]
    rest = [item for item in tray.items if item.uid != uid]
    if not moved:
        return tray
    place = min(max(place, 0), len(rest))
    return replace(tray, items=(*rest[:place], *moved, *rest[place:]))


def remove_items(tray: Tray, uids: Sequence[str]) -> Tray:
    """The tray without these instances."""
    gone = set(uids)
    return replace(tray, items=tuple(item for item in tray.items if item.uid not in gone))
