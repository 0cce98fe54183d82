"""Queries of archives that run while the page is used: the page asks, gets a reply at once, and looks again for the
answer.

An archive may take a minute to answer. Each query has a thread. Its answer is kept for the session that asked, until
the session asks for another list; a page that is loaded again finds it.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final

from openmodality.errors import OpenModalityError, WrongState, describe_fault
from openmodality.value_class import dataclass

_log = logging.getLogger(__name__)

_MOST_SESSIONS: Final = 100
_MOST_AT_ONCE: Final = 4
"""So many questions of one session are open at a time; the archive answers one after the other."""


@dataclass(frozen=True, slots=True)
class InquiryAnswer:
    """What an archive has: ``rows`` are values of the page. ``has_more``: there are others that were not asked for."""

    rows: Sequence[object] = ()
    has_more: bool = False
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question and what came of it; ``failed`` says why nothing did, ``advice`` what to do."""

    at: float
    is_running: bool = True
    found: InquiryAnswer = InquiryAnswer()
    failed: str = ""
    advice: str = ""


@dataclass(slots=True)
class Looking:
    """The list that one session has asked for, by its ``number``, and the rows of it that are open.

    ``source`` and ``keys`` say what the list was asked for with.
    """

    number: int
    source: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    inquiries: dict[str, Inquiry] = field(default_factory=dict)


LIST: Final = ""
"""The key of the list itself; what is opened of it has the UID as its key."""


class Inquiries:
    """The questions of all sessions."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looking: OrderedDict[str, Looking] = OrderedDict()
        self._lock = threading.Lock()
        self._number = 0

    def look(self, session: str) -> Looking:
        """The list of a session as it is now; number 0 where it has asked for none."""
        with self._lock:
            looking = self._looking.get(session)
            if looking is None:
                return Looking(0)
            return Looking(looking.number, looking.source, dict(looking.keys), dict(looking.inquiries))

    def begin(self, session: str, source: str, keys: dict[str, str], ask: Callable[[], InquiryAnswer]) -> None:
        """Ask for another list; what was asked before is forgotten."""
        with self._lock:
            self._number += 1
            looking = Looking(self._number, source, keys)
            self._looking[session] = looking
            self._looking.move_to_end(session)
            while len(self._looking) > _MOST_SESSIONS:
                self._looking.popitem(last=False)
            self._start(looking, LIST, ask)

    def open(self, session: str, key: str, ask: Callable[[], InquiryAnswer]) -> None:
        """Ask what is below one row of the list, unless that is being asked.

        Raises :class:`WrongState` where the session has no list, or too many questions are open.
        """
        with self._lock:
            looking = self._looking.get(session)
            if looking is None:
                raise WrongState("there is no list any more", advice="ask again with Query")
            known = looking.inquiries.get(key)
            if known is not None and known.is_running:
                return
            if sum(each.is_running for each in looking.inquiries.values()) >= _MOST_AT_ONCE:
                raise WrongState(f"{_MOST_AT_ONCE} questions wait for their answers", advice="wait for one of them")
            self._start(looking, key, ask)

    def _start(self, looking: Looking, key: str, ask: Callable[[], InquiryAnswer]) -> None:
        inquiry = Inquiry(self._clock())
        looking.inquiries[key] = inquiry
        threading.Thread(
            target=self._run, args=(looking, key, inquiry.at, ask), name="console-inquiry", daemon=True
        ).start()

    def _run(self, looking: Looking, key: str, at: float, ask: Callable[[], InquiryAnswer]) -> None:
        try:
            ended = Inquiry(at, is_running=False, found=ask())
        except OpenModalityError as error:
            ended = Inquiry(at, is_running=False, failed=error.message, advice=error.advice)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and shown as a failure
            _log.error("console.fault", extra=describe_fault(error))
            ended = Inquiry(at, is_running=False, failed="the console made a mistake", advice="the log says more")
        with self._lock:
            looking.inquiries[key] = ended
