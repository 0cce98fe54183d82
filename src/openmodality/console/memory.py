"""What only the console needs, and remembers while it runs: the last answers of the RIS and of each peer, and notes.

Nothing here is lost that matters: what was asked can be asked again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Final

from openmodality.console.inquiries import Inquiries
from openmodality.console.trays import Trays
from openmodality.store.rows.worklist import NO_LINES, Lines, WorklistLine
from openmodality.value_class import dataclass

_MOST_SESSIONS: Final = 1000
_MOST_NOTES: Final = 5


@dataclass(frozen=True, slots=True)
class PageNote:
    """A note that the next page shows once: ``kind`` is ``done`` or ``failed``."""

    kind: str
    text: str
    advice: str = ""


class Notes:
    """Notes by the secret of the session that they are for."""

    def __init__(self) -> None:
        self._notes: OrderedDict[str, deque[PageNote]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, session: str, note: PageNote) -> None:
        """Keep a note for the next page."""
        with self._lock:
            self._notes.setdefault(session, deque(maxlen=_MOST_NOTES)).append(note)
            while len(self._notes) > _MOST_SESSIONS:
                self._notes.popitem(last=False)

    def take(self, session: str) -> list[PageNote]:
        """The notes for a page, which are shown once."""
        with self._lock:
            return list(self._notes.pop(session, ()))


@dataclass(frozen=True, slots=True)
class Asked:
    """How a query of the worklist went. ``items`` are the numbers of what it brought, in its order.

    ``failed`` says why it brought nothing, ``advice`` what to do.
    """

    at: float
    peer: str
    keys: Mapping[str, str]
    items: Sequence[int] = ()
    notices: Sequence[str] = ()
    failed: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """What a peer said when it was asked last by this console."""

    at: float
    is_success: bool
    said: str
    advice: str = ""


class Memory:
    """The last answers."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.trays = Trays()
        self.discs = Inquiries(time.time)
        self.inquiries = Inquiries(time.time)
        self._asked: Asked | None = None
        self._contacts: dict[str, Contact] = {}
        self._lines: Lines = NO_LINES
        self._lock = threading.Lock()

    @property
    def asked(self) -> Asked | None:
        """The last query of the worklist; ``None`` where there was none since the console started."""
        with self._lock:
            return self._asked

    def note_asked(self, asked: Asked) -> None:
        """Remember a query of the worklist, which is a contact with its peer too."""
        said = asked.failed or "answered the worklist query"
        with self._lock:
            self._asked = asked
            self._contacts[asked.peer] = Contact(asked.at, not asked.failed, said, asked.advice)

    @property
    def lines(self) -> Lines:
        """The lines of the last list, by their numbers, as they were read last: reading thousands takes its time."""
        with self._lock:
            return self._lines

    def note_lines(self, lines: Sequence[WorklistLine]) -> None:
        """Remember the lines of the last list."""
        kept = {line.id: line for line in lines}
        with self._lock:
            self._lines = kept

    def find_contact(self, peer: str) -> Contact | None:
        """The last contact with a peer."""
        with self._lock:
            return self._contacts.get(peer)

    def note_contact(self, peer: str, contact: Contact) -> None:
        """Remember what a peer said."""
        with self._lock:
            self._contacts[peer] = contact
