"""Gives the figures of a device to a program that monitors many: its data, and the traffic of its associations."""

from __future__ import annotations

from openmodality.activities.traffic import TrafficCounts
from openmodality.app.figures import FigureReader, Figures
from openmodality.app.runtime import Runtime
from openmodality.store.local import LocalStore


class Supervision:
    """The figures of a device that runs."""

    def __init__(self, store: LocalStore, runtime: Runtime) -> None:
        self._figures = FigureReader(store)
        self._runtime = runtime

    def read_figures(self) -> Figures:
        """The figures that the database has."""
        return self._figures.read()

    def read_traffic(self) -> TrafficCounts:
        """What has gone over the associations that this process opened."""
        return self._runtime.connections.traffic.read()

    def read_asked(self) -> dict[tuple[str, str, str], int]:
        """The associations that peers asked this process for: by the peer, what came of it, why it was rejected."""
        return self._runtime.tally.read()

    def count_open(self) -> dict[str, int]:
        """How many associations of peers are open at each local AE that listens, by its role."""
        return {role: acceptor.open_associations for role, acceptor in self._runtime.acceptors.items()}
