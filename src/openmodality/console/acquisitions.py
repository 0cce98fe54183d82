"""Makes images for the console, in a thread for each exam, and says how far each acquisition is.

A source makes images until it has no more, or until a user stops it; the image in work is finished first.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from openmodality.errors import OpenModalityError, WrongState, describe_fault
from openmodality.store.transaction import Clock
from openmodality.value_class import dataclass

_JOIN_S: Final = 20.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AcquisitionState:
    """How an acquisition goes: ``said`` is what it does now, or what became of it."""

    source: str
    said: str
    is_running: bool = True
    is_failed: bool = False
    arrived: int = 0
    last_at: float | None = None
    advice: str = ""


class Stopped(Exception):
    """Somebody asks for no more images."""


class Acquisition:
    """One acquisition: its source reports progress here, and asks here whether it is to stop."""

    def __init__(self, source: str, clock: Clock) -> None:
        self.stopping = threading.Event()
        self._clock = clock
        self._state = AcquisitionState(source, "connecting")
        self._lock = threading.Lock()

    @property
    def state(self) -> AcquisitionState:
        """How it goes now."""
        with self._lock:
            return self._state

    def tell(self, said: str, **changes: object) -> None:
        """Say what is done now."""
        with self._lock:
            self._state = replace(self._state, said=said, **changes)  # type: ignore[arg-type]

    def note_arrival(self, said: str) -> None:
        """Say that something has come: an image, or a file with images."""
        with self._lock:
            self._state = replace(self._state, said=said, arrived=self._state.arrived + 1, last_at=self._clock())

    def check_wanted(self) -> None:
        """Raises :class:`Stopped` where what has come is to be the last."""
        if self.stopping.is_set():
            raise Stopped


AcquisitionWork: TypeAlias = Callable[[Acquisition], None]


class Acquisitions:
    """The acquisitions of a console, one for each exam at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[int, Acquisition] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def start(self, exam_id: int, source: str, work: AcquisitionWork) -> None:
        """Begin one. Raises :class:`WrongState` where this exam has one that goes on."""
        with self._lock:
            known = self._known.get(exam_id)
            if self._is_closed or (known is not None and known.state.is_running):
                raise WrongState("images are being made for this exam already", advice="stop that first, or wait")
            begun = self._known[exam_id] = Acquisition(source, self._clock)
            thread = threading.Thread(target=_run, args=(begun, work), name=f"acquisition {exam_id}", daemon=True)
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()

    def find(self, exam_id: int) -> AcquisitionState | None:
        """How the acquisition of an exam goes, or went; ``None`` where there was none."""
        with self._lock:
            known = self._known.get(exam_id)
        return known.state if known is not None else None

    def stop(self, exam_id: int) -> None:
        """Ask for no more images."""
        with self._lock:
            known = self._known.get(exam_id)
        if known is not None and known.state.is_running:
            known.stopping.set()

    def check_ended(self, exam_id: int) -> None:
        """Raises :class:`WrongState` while images are being made for an exam, which cannot end then."""
        state = self.find(exam_id)
        if state is not None and state.is_running:
            raise WrongState(f"{state.source} still makes images for this exam", advice="stop it, or wait")

    def close(self) -> None:
        """Stop all, each after its image."""
        with self._lock:
            self._is_closed = True
            threads, known = self._threads, list(self._known.values())
        for each in known:
            each.stopping.set()
        for thread in threads:
            thread.join(_JOIN_S)


def _run(acquisition: Acquisition, work: AcquisitionWork) -> None:
    try:
        work(acquisition)
        acquisition.tell("all images are there" if acquisition.state.arrived else "nothing came", is_running=False)
    except Stopped:
        acquisition.tell("stopped", is_running=False)
    except OpenModalityError as error:
        acquisition.tell(error.message, is_running=False, is_failed=True, advice=error.advice)
    except Exception as error:  # noqa: BLE001 - the end of the thread, which says what went wrong
        _log.error("console.acquisition_ended", extra=describe_fault(error))
        acquisition.tell("the device made a mistake", is_running=False, is_failed=True, advice="the log says more")
