"""Retrieve: an archive sends instances to this device or to another one (PS3.4 Annex C, C-MOVE; RF-4.2.5, MR-3.2.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from pydicom import Dataset

from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, choose_model
from openmodality.dimse.service import Service
from openmodality.errors import OpenModalityError, UsageError
from openmodality.network.association import Association
from openmodality.network.entity import normalize_ae_title
from openmodality.query.identifier import identifier
from openmodality.query.moving import Counts, MoveResult, get, move
from openmodality.standard.dimse import Status
from openmodality.standard.query_retrieve import UNIQUE_KEYS, Level
from openmodality.standard.sop_classes import PATIENT_ROOT_GET, PATIENT_ROOT_MOVE, STUDY_ROOT_GET, STUDY_ROOT_MOVE
from openmodality.standard.tags import QUERY_RETRIEVE_LEVEL
from openmodality.value_class import value_class

_log = logging.getLogger(__name__)

_MOVE: Final[Mapping[Model, str]] = {"study": STUDY_ROOT_MOVE, "patient": PATIENT_ROOT_MOVE}
_GET: Final[Mapping[Model, str]] = {"study": STUDY_ROOT_GET, "patient": PATIENT_ROOT_GET}

GoOn = Callable[[Counts], bool]
"""Asked at each report of progress; when it says no, the peer is told to stop (C-CANCEL)."""


@value_class
class Wanted:
    """What is to be retrieved: a study, one series of it, or one instance of the series. The patient root needs
    ``patient_id``.

    Raises :class:`UsageError` for no study, and for an instance without its series.
    """

    study: str
    series: str = ""
    instance: str = ""
    patient_id: str = ""

    def __post_init__(self) -> None:
        if not self.study.strip():  # an archive could take it for all that it has
            raise UsageError("a study is retrieved by its UID", advice="a query at level STUDY shows them")
        if self.instance and not self.series:
            raise UsageError(
                "an instance is retrieved by its own UID and that of its series",
                advice="a query at level SERIES shows the series of a study",
            )

    @property
    def uids(self) -> dict[str, str]:
        """The UIDs by attribute, empty where all of a study or of a series is wanted."""
        return {"StudyInstanceUID": self.study, "SeriesInstanceUID": self.series, "SOPInstanceUID": self.instance}

    def keys(self, model: Model) -> dict[Level, str]:
        """The unique keys by level, down to the level that is retrieved.

        Raises :class:`UsageError` where the patient root has no Patient ID.
        """
        if model == "patient" and not self.patient_id:
            raise UsageError("the patient root model needs the Patient ID")
        patient_id = self.patient_id if model == "patient" else ""
        uids = (patient_id, self.study, self.series, self.instance)
        return {level: uid for level, uid in zip(Level, uids, strict=True) if uid}


class RetrievePart(NamedTuple):
    """What one request names: the level, and by their tags the unique keys down to it; one request may name several
    images.
    """

    level: Level
    values: Mapping[tuple[int, ...], object]

    @classmethod
    def of(cls, keys: Mapping[Level, str], images: Sequence[str] = ()) -> RetrievePart:
        """By unique keys by their levels, and SOP Instance UIDs of the lowest."""
        named = {**keys, Level.IMAGE: "\\".join(images)} if images else keys
        return cls(list(named)[-1], {(UNIQUE_KEYS[level],): uid for level, uid in named.items()})


def retrieve_from_peer(
    ends: Ends,
    wanted: Wanted,
    *,
    destination: str = "",
    model: Model | None = None,
    go_on: GoOn | None = None,
    parts: Sequence[RetrievePart] | None = None,
) -> MoveResult:
    """Let a peer send what is wanted to the AE title ``destination``, by default our own; the peer knows its address.

    ``parts`` are what is to be asked for of it, one after the other on one association; by default all in one. Raises
    :class:`UsageError` for what the model cannot name, :class:`ConfigurationError` for what is no AE title, and the
    errors of an association. A failure status is a result; why there is none, or a failed one, is logged.
    """
    chosen = choose_model(model, ends, Level.STUDY)
    title = normalize_ae_title(destination) if destination else ends.local.ae_title
    asked = [RetrievePart.of(wanted.keys(chosen))] if parts is None else parts
    judge = ends.judge_of("retrieve", "C-MOVE")

    def ask(association: Association, part: RetrievePart, go_on: GoOn | None) -> MoveResult:
        return move(association, _MOVE[chosen], _name(part), title, judge=judge, go_on=go_on)

    with _log_failure(ends):
        if not asked:
            return MoveResult(judge(Status.SUCCESS), Counts())
        with ends.take_turn(), ends.open(_MOVE[chosen]) as association:
            result = _ask_in_parts(association, asked, ask, go_on)
            if result.verdict.must_abort:  # RF-4.2.5.3.1.4-03
                association.abort()
    if result.verdict.is_failure:
        _log.info("retrieve.failed", extra={"peer": ends.name, "reason": result.verdict.describe()})
    return result


def get_from_peer(
    ends: Ends,
    wanted: Wanted,
    storage: Service,
    *,
    model: Model | None = None,
    go_on: GoOn | None = None,
    parts: Sequence[RetrievePart] | None = None,
) -> MoveResult:
    """As :func:`retrieve_from_peer`, but the instances come on our own association, to the service ``storage``.

    A device takes the SOP Classes that its profile stores, ``ends.stored``; without one those that are met most.
    """
    chosen = choose_model(model, ends, Level.STUDY)
    asked = [RetrievePart.of(wanted.keys(chosen))] if parts is None else parts
    judge = ends.judge_of("retrieve", "C-MOVE")

    def ask(association: Association, part: RetrievePart, go_on: GoOn | None) -> MoveResult:
        return get(association, _GET[chosen], _name(part), judge=judge, go_on=go_on)

    with _log_failure(ends):
        if not asked:
            return MoveResult(judge(Status.SUCCESS), Counts())
        with ends.take_turn(), ends.open_to_get(_GET[chosen], storage) as association:
            result = _ask_in_parts(association, asked, ask, go_on)
            if result.verdict.must_abort:
                association.abort()
    return result


Ask = Callable[[Association, RetrievePart, GoOn | None], MoveResult]


def _ask_in_parts(association: Association, parts: Sequence[RetrievePart], ask: Ask, go_on: GoOn | None) -> MoveResult:
    """One request after the other, until one is not done; their counts together."""
    before: list[MoveResult] = []
    for part in parts:
        done = _add_up(before)

        def tell(counts: Counts, done: Counts = done) -> bool:
            return go_on is None or go_on(done + counts)

        before.append(ask(association, part, tell))
        if before[-1].verdict.is_failure or before[-1].status == Status.CANCEL:
            break
    worst = max(before, key=lambda result: (result.verdict.is_failure, not result.verdict.is_done))
    failed = tuple(uid for result in before for uid in result.failed_uids)
    return MoveResult(worst.verdict, _add_up(before), failed, worst.comment)


def _add_up(results: Sequence[MoveResult]) -> Counts:
    return sum((result.counts for result in results), Counts())


def _name(part: RetrievePart) -> Dataset:
    return identifier([], {**part.values, (QUERY_RETRIEVE_LEVEL,): part.level})


@contextmanager
def _log_failure(ends: Ends) -> Iterator[None]:
    try:
        yield
    except OpenModalityError as error:
        _log.info("retrieve.failed", extra={"peer": ends.name, "reason": error.message})
        raise
