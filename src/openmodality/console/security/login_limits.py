"""Limits attempts to log in: each account and each address has a few, then has to wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

FREE_ATTEMPTS: Final = 5
LONGEST_WAIT_S: Final = 300.0
FORGOTTEN_AFTER_S: Final = 900.0
_MOST_KEPT: Final = 10_000


class LoginLimits:
    """Counts failures; each beyond the first few doubles the time to wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @contextmanager
    def take_turn(self) -> Iterator[None]:
        """One password is tried after the other.

        Many that come at once would all be tried before the first is counted, each with the memory of a hash.
        """
        with self._turn:
            yield

    def find_wait_s(self, account: str, address: str) -> float:
        """How long this account or this address has to wait; 0 where it need not."""
        with self._lock:
            return max(self._wait_s(key) for key in _make_keys(account, address))

    def note_failure(self, account: str, address: str) -> None:
        """Count an attempt that failed."""
        with self._lock:
            for key in _make_keys(account, address):
                count, last = self._failures.pop(key, (0, 0.0))
                is_old = self._clock() - last > FORGOTTEN_AFTER_S
                self._failures[key] = (1 if is_old else count + 1, self._clock())
            while len(self._failures) > _MOST_KEPT:
                self._failures.popitem(last=False)

    def note_success(self, account: str, address: str) -> None:
        """Forget the failures of an account; those of its address stay, as others may try from there."""
        with self._lock:
            self._failures.pop(_make_keys(account, address)[0], None)

    def _wait_s(self, key: str) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        if count < FREE_ATTEMPTS:
            return 0.0
        wait_s = min(2.0 ** (count - FREE_ATTEMPTS), LONGEST_WAIT_S)
        return max(last + wait_s - self._clock(), 0.0)


def _make_keys(account: str, address: str) -> tuple[str, str]:
    return f"account {account.casefold()[:64]}", f"address {address}"
