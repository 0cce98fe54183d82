"""Problems of instance files as an operator sees and settles them."""

from __future__ import annotations

from openmodality.app.view import ProblemView
from openmodality.store.listing.problems import Problem
from openmodality.store.local import LocalStore
from openmodality.store.mending import dismiss_problem, retry_problem


class Problems(ProblemView):
    """The instance files of this device that are not among the others."""

    def __init__(self, store: LocalStore) -> None:
        super().__init__(store)
        self._store = store

    def retry(self, problem_id: int) -> Problem:
        """Index a file that could not be indexed, or store one that was set aside; returns the problem that it was.

        As :func:`openmodality.store.mending.retry_problem`.
        """
        return retry_problem(self._store, problem_id)

    def dismiss(self, problem_id: int) -> Problem:
        """Show a problem no more; its file stays where it is."""
        return dismiss_problem(self._store, problem_id)
