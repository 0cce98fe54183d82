"""The question to a RIS what is scheduled, and what its answer lacks (PS3.4 Annex K, C-FIND; RF-4.2.3, MR-2.3).

What a device asks for, and how it keeps the answer, is in ``activities.worklist``.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

from pydicom import Dataset

from openmodality.activities.asking import put_query
from openmodality.activities.ends import Ends
from openmodality.device.paths import parse_path
from openmodality.errors import OpenModalityError
from openmodality.query.finding import FindAnswer
from openmodality.services.worklist import WORKLIST_JUDGE, WorklistFailed, query_items
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND

_log = logging.getLogger(__name__)

_STEP: Final = "ScheduledProcedureStepSequence"
_IN_STEP: Final = (
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "Modality",
    "ScheduledPerformingPhysicianName",
    "ScheduledProcedureStepDescription",
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
    "ScheduledProtocolCodeSequence",
    "PreMedication",
    "ScheduledProcedureStepID",
    "RequestedContrastAgent",
)
_ABOVE: Final = (
    "AccessionNumber",
    "ReferringPhysicianName",
    "ReferencedStudySequence",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientWeight",
    "MedicalAlerts",
    "Allergies",
    "PregnancyStatus",
    "StudyInstanceUID",
    "RequestingPhysician",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
    "AdmissionID",
    "CurrentPatientLocation",
    "PatientState",
    "RequestedProcedureID",
    "RequestedProcedurePriority",
    "PatientTransportArrangements",
)
RETURN_KEYS: Final = tuple(
    parse_path(name) for name in (*_ABOVE, _STEP, *(f"{_STEP}>{keyword}" for keyword in _IN_STEP))
)
"""What is asked for without a profile: the return keys of type 1 and 2, and some more, of PS3.4 Table K.6-1."""


class _CountDown:
    """Tells what is left of ``timeout_s`` seconds, which begin when it is first asked: when a request has gone."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._end: float | None = None

    def __call__(self) -> float:
        """The seconds left, below 0 once they are over."""
        if self._end is None:
            self._end = monotonic() + self._timeout_s
            return self._timeout_s
        return self._end - monotonic()


def ask_for_worklist(
    ends: Ends, identifier: Dataset, *, limit: int | None = None, timeout_s: float | None = None
) -> FindAnswer:
    """Ask a peer for the worklist.

    Where there are more than ``limit`` items the peer is told to stop. ``timeout_s`` is the time until the final
    response, whatever comes before it (RF-4.4.2-22). Raises :class:`WorklistFailed` where the peer refuses, and the
    errors of an association; why there is no answer is logged without the peer's own words (RF-4.2.3.3.1.3-02 to -07).
    """
    try:
        return _ask(ends, identifier, limit, timeout_s)
    except OpenModalityError as error:
        status = WORKLIST_JUDGE(error.status).describe() if isinstance(error, WorklistFailed) else ""
        _log.info("worklist.failed", extra={"peer": ends.name, "reason": status or error.message})
        raise


def _ask(ends: Ends, identifier: Dataset, limit: int | None, timeout_s: float | None) -> FindAnswer:
    with ends.open(MODALITY_WORKLIST_FIND) as association:
        ends.note_query(MODALITY_WORKLIST_FIND, identifier)
        left_s = None if timeout_s is None else _CountDown(timeout_s)
        judge = ends.judge_of("worklist", "C-FIND")
        return put_query(
            association, lambda: query_items(association, identifier, judge=judge, limit=limit, left_s=left_s)
        )


def describe_limits(answer: FindAnswer) -> list[str]:
    """What the operator is told of an answer that is not the whole worklist, or not as it was asked for."""
    notices = []
    if answer.more_available:
        notices.append("there are more items than are taken; narrow the query")
    if answer.unreadable:
        items = "1 item" if answer.unreadable == 1 else f"{answer.unreadable} items"
        notices.append(f"{items} could not be read")
    if answer.optional_keys_unsupported:
        notices.append("the peer does not support some of the keys")
    return notices
