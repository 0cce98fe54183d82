"""Retrieve: an archive sends what it has, to this device or to another (PS3.4 Annex C, C-MOVE; RF-4.2.5, MR-3.2.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, choose_model
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError, UsageError
from openmodality.network.entity import normalize_ae_title
from openmodality.query.identifier import identifier
from openmodality.query.moving import Counts, MoveResult, move
from openmodality.standard.query_retrieve import UNIQUE_KEYS
from openmodality.standard.sop_classes import PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE
from openmodality.standard.tags import QUERY_RETRIEVE_LEVEL
from openmodality.value_class import value_class

_log = logging.getLogger(__name__)

_MOVE: Final[Mapping[Model, str]] = {"study": STUDY_ROOT_MOVE, "patient": PATIENT_ROOT_MOVE}

GoOn = Callable[[Counts], bool]
"""Asked at each report of progress; when it says no, the peer is told to stop (C-CANCEL)."""


@value_class
class Wanted:
    """What is to be retrieved: a study, one series of it or one instance of that; ``patient_id`` for the patient root.

    Raises :class:`UsageError` for an instance without its series.
    """

    study: str
    series: str = ""
    instance: str = ""
    patient_id: str = ""

    def __post_init__(self) -> None:
        if self.instance and not self.series:
            raise UsageError(
                "an instance is retrieved by its own UID and that of its series",
                advice="a query at level SERIES shows the series of a study",
            )

    @property
    def uids(self) -> dict[str, str]:
        """The UIDs by attribute, empty where all of a study or of a series is wanted."""
        return {"StudyInstanceUID": self.study, "SeriesInstanceUID": self.series, "SOPInstanceUID": self.instance}

    def keys(self, model: Model) -> dict[str, str]:
        """The unique keys by level, down to the level that is retrieved.

        Raises :class:`UsageError` where the patient root has no Patient ID.
        """
        if model == "patient" and not self.patient_id:
            raise UsageError("the patient root model needs the Patient ID")
        patient_id = self.patient_id if model == "patient" else ""
        uids = {"PATIENT": patient_id, "STUDY": self.study, "SERIES": self.series, "IMAGE": self.instance}
        return {level: uid for level, uid in uids.items() if uid}


def retrieve_from_peer(
    ends: Ends,
    wanted: Wanted,
    *,
    destination: str = "",
    model: Model | None = None,
    go_on: GoOn | None = None,
) -> MoveResult:
    """Let a peer send what is wanted to the AE title ``destination``, by default our own; the peer knows its address.

    Raises :class:`UsageError` for what the model cannot name, :class:`ConfigurationError` for what is no AE title, and
    the errors of an association. A failure status is a result; why there is none, or a failed one, is logged.
    """
    chosen = choose_model(model, ends, "STUDY")
    keys = wanted.keys(chosen)
    title = normalize_ae_title(destination) if destination else ends.local.ae_title
    values: dict[tuple[int, ...], object] = {(UNIQUE_KEYS[level],): uid for level, uid in keys.items()}
    asked = identifier([], {**values, (QUERY_RETRIEVE_LEVEL,): list(keys)[-1]})
    try:
        with ends.open(_MOVE[chosen]) as association:
            judge = ends.judge_of("retrieve", "C-MOVE")
            result = move(association, _MOVE[chosen], asked, title, judge=judge, go_on=go_on)
            if result.verdict.must_abort:  # RF-4.2.5.3.1.4-03
                association.abort()
    except OpenModalityError as error:
        _log.info("retrieve.failed", extra={"peer": ends.name, "reason": error.message})
        raise
    if result.verdict.is_failure:
        _log.info("retrieve.failed", extra={"peer": ends.name, "reason": describe(result.status)})
    return result
