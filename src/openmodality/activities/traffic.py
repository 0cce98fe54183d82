"""Counts what goes over the associations that this device opens, for monitoring: in memory, since its start.

Answers are counted as they come, each once; bytes are those of data sets that a peer has stored.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from functools import partial
from weakref import ref

from openmodality.dimse.command import Command
from openmodality.dimse.status import categorize
from openmodality.errors import AssociationRejected, OpenModalityError
from openmodality.network.association import Association
from openmodality.network.storage.sent import Sent
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """The counts: associations by peer and outcome, those that are open by service, answers, and bytes by peer.

    An answer is counted by service, peer and category of its status.
    """

    associations: dict[tuple[str, str], int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    sent_bytes: dict[str, int] = field(default_factory=dict)


class Traffic:
    """Counts for one device; its associations are in several threads."""

    def __init__(self) -> None:
        self._associations: Counter[tuple[str, str]] = Counter()
        self._answers: Counter[tuple[str, str, str]] = Counter()
        self._sent_bytes: Counter[str] = Counter()
        self._open: list[tuple[ref[Association], str]] = []
        self._lock = threading.Lock()

    def note_opened(self, service: str, peer: str, association: Association) -> None:
        """An association stands; answers that come over it are counted."""
        association.on_answer = partial(self._note_command, service, peer)
        with self._lock:
            self._associations[peer, "accepted"] += 1
            self._open = [each for each in self._open if each[0]() is not None]
            self._open.append((ref(association), service))

    def note_failed(self, peer: str, error: OpenModalityError) -> None:
        """An association did not come about."""
        with self._lock:
            self._associations[peer, "rejected" if isinstance(error, AssociationRejected) else "failed"] += 1

    def _note_command(self, service: str, peer: str, command: Command) -> None:
        if command.Status is not None:
            self.note_answer(service, peer, command.Status)

    def note_answer(self, service: str, peer: str, status: int) -> None:
        """A peer has answered with a status."""
        category = categorize(status).value.lower()
        with self._lock:
            self._answers[service, peer, category] += 1

    def watch(self, peer: str, results: Iterator[Sent]) -> Iterator[Sent]:
        """The same results; the bytes of what was stored are counted."""
        for sent in results:
            if sent.is_stored:
                self.note_sent(peer, sent.instance.length_bytes)
            yield sent

    def note_sent(self, peer: str, length_bytes: int) -> None:
        """A peer has stored a data set of this length."""
        with self._lock:
            self._sent_bytes[peer] += length_bytes

    def read(self) -> TrafficCounts:
        """The counts so far."""
        with self._lock:
            open_ones = [(each(), service) for each, service in self._open]
            is_open = Counter(service for each, service in open_ones if each is not None and each.is_open)
            return TrafficCounts(dict(self._associations), dict(is_open), dict(self._answers), dict(self._sent_bytes))
