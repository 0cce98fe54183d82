"""Queries of archives, and retrieves whose end the caller waits for.

Retrieves as jobs are queued by ``app.by_hand``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, TypedDict

from openmodality.activities.arrivals import Arrivals
from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, choose_model, make_key_values, query_peer
from openmodality.activities.retrieve import GoOn, RetrievePart, Wanted, get_from_peer, retrieve_from_peer
from openmodality.activities.retrieve_plan import plan_retrieve
from openmodality.app.runtime import Runtime
from openmodality.app.view import LocalView
from openmodality.app.waiting import Waiting
from openmodality.dimse.service import Service
from openmodality.errors import ConfigurationError, UsageError
from openmodality.query.finding import FindAnswer, HandOver
from openmodality.query.moving import Counts, MoveResult
from openmodality.standard.query_retrieve import Level

_LISTED_WITHIN_S: Final = 5.0


class RetrieveOptions(TypedDict, total=False):
    """How a retrieve is done: by which model, who hears the progress, whether only what is missing is asked for."""

    model: Model | None
    go_on: GoOn | None
    resume: bool


class Archives:
    """The archives of the site, by default the first one that has the service."""

    def __init__(self, runtime: Runtime, view: LocalView, waiting: Waiting) -> None:
        self._runtime = runtime
        self._site = runtime.site
        self._view = view
        self._waiting = waiting

    def query(
        self,
        level: str,
        peer: str | None,
        keys: dict[str, str],
        *,
        model: Model | None,
        limit: int | None,
        hand_over: HandOver | None,
    ) -> FindAnswer:
        """As :meth:`openmodality.app.modality.Modality.query`."""
        ends = self._runtime.connections.make_ends("query", self._site.choose_peer("query", peer))
        return query_peer(ends, level, make_key_values(keys), model=model, limit=limit, hand_over=hand_over)

    def move(
        self,
        wanted: Wanted | str,
        peer: str | None = None,
        *,
        destination: str = "",
        model: Model | None = None,
        go_on: GoOn | None = None,
        resume: bool = False,
    ) -> tuple[MoveResult, Arrivals | None]:
        """As :meth:`openmodality.app.modality.Modality.retrieve`; also what has come, where this device gets it."""
        chosen, ends = self._read_wanted(wanted), self._make_ends(peer)
        is_for_us = destination in ("", ends.local.ae_title)
        if resume and not is_for_us:
            raise UsageError("what another AE has already is not known here", advice="resume without a destination")
        parts = self._plan(ends, chosen, model, resume=resume)
        with self.receiving(chosen.study) if is_for_us else nullcontext() as arrivals:
            result = retrieve_from_peer(ends, chosen, destination=destination, model=model, go_on=go_on, parts=parts)
            if is_for_us:
                self.wait_until_listed(chosen, result.counts)
        return result, arrivals

    def get(
        self,
        wanted: Wanted | str,
        peer: str | None = None,
        *,
        model: Model | None = None,
        go_on: GoOn | None = None,
        resume: bool = False,
    ) -> tuple[MoveResult, Arrivals]:
        """As :meth:`move`, by C-GET: what comes does so on our own association.

        Raises :class:`ConfigurationError` unless the site has the extension ``c_get``.
        """
        chosen, ends = self._read_wanted(wanted), self._make_ends(peer)
        with self.storing(chosen.study) as (arrivals, storage):
            parts = self._plan(ends, chosen, model, resume=resume)
            return get_from_peer(ends, chosen, storage, model=model, go_on=go_on, parts=parts), arrivals

    @contextmanager
    def receiving(self, study_instance_uid: str) -> Iterator[Arrivals]:
        """As :meth:`openmodality.app.modality.Modality.receiving`."""
        if self._runtime.start_worker():
            self._runtime.serve()
        with self._runtime.window.retrieving(study_instance_uid), self._runtime.watch_arrivals() as arrivals:
            yield arrivals

    @contextmanager
    def storing(self, study_instance_uid: str) -> Iterator[tuple[Arrivals, Service]]:
        """Take the instances of a study on an association of our own, until the block ends; what has come.

        Raises :class:`ConfigurationError` unless the site has the extension ``c_get``.
        """
        if "c_get" not in self._site.settings.extensions:
            raise ConfigurationError(
                f"{self._site.path.name}: C-GET goes beyond the statement", advice='say so: extensions = ["c_get"]'
            )
        with self._runtime.window.retrieving(study_instance_uid), self._runtime.watch_arrivals() as arrivals:
            yield arrivals, self._runtime.make_storage_service()

    def wait_until_listed(self, wanted: Wanted, counts: Counts) -> None:
        """Wait until what an archive has sent of ``wanted`` is listed here, for some seconds at most.

        A process that serves the device answers an instance when it is safe and lists it a moment later.
        """
        count = counts.completed + counts.warning
        if count and not self._runtime.works:
            uids = {attribute: uid for attribute, uid in wanted.uids.items() if uid}
            self._waiting.wait_until(
                lambda: len(self._view.find(Level.IMAGE, uids, limit=count)) >= count, _LISTED_WITHIN_S
            )

    def _read_wanted(self, wanted: Wanted | str) -> Wanted:
        return Wanted(wanted) if isinstance(wanted, str) else wanted

    def _make_ends(self, peer: str | None) -> Ends:
        return self._runtime.connections.make_ends("retrieve", self._site.choose_peer("retrieve", peer))

    def _plan(self, ends: Ends, wanted: Wanted, model: Model | None, *, resume: bool) -> list[RetrievePart] | None:
        """The requests to make: with ``resume`` for what is missing here; ``None`` where no query comes before.

        Raises :class:`NothingToRetrieve` where the archive has no such images.
        """
        if not resume and not self._site.parameters.boolean("behaviour.query_before_retrieve"):
            return None
        query_ends = self._runtime.connections.make_ends("query", self._site.peer(ends.name))
        here = {each["SOPInstanceUID"] for each in self._view.find(Level.IMAGE, {"StudyInstanceUID": wanted.study})}
        return plan_retrieve(query_ends, wanted, choose_model(model, ends, Level.STUDY), here if resume else None)
