"""Asks an archive for patients, studies, series or images (PS3.4 Annex C, C-FIND; RF-4.2.5, MR-3.2.1)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from pydicom import Dataset

from openmodality.activities.asking import put_query
from openmodality.activities.ends import Ends
from openmodality.counted import format_count
from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.dimse.verdict import find_advice
from openmodality.errors import OpenModalityError, UsageError
from openmodality.query.finding import FindAnswer, HandOver, Taking
from openmodality.query.identifier import Key, identifier
from openmodality.services.query_retrieve import QUERY_JUDGE, QueryFailed, query_archive
from openmodality.standard.query_retrieve import LEVELS, UNIQUE_KEYS, Level
from openmodality.standard.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND
from openmodality.standard.tags import QUERY_RETRIEVE_LEVEL

_log = logging.getLogger(__name__)

Model = Literal["study", "patient"]

_FIND: Final[Mapping[Model, str]] = {"study": STUDY_ROOT_FIND, "patient": PATIENT_ROOT_FIND}
_PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_KEYWORDS: Final[Mapping[str, Sequence[str]]] = {
    Level.PATIENT: (*_PATIENT, "NumberOfPatientRelatedStudies"),
    Level.STUDY: (
        "StudyDate",
        "StudyTime",
        *_PATIENT,
        "AccessionNumber",
        "StudyID",
        "StudyDescription",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "StudyInstanceUID",
    ),
    Level.SERIES: (
        "Modality",
        "SeriesNumber",
        "SeriesDescription",
        "BodyPartExamined",
        "NumberOfSeriesRelatedInstances",
        "SeriesInstanceUID",
    ),
    Level.IMAGE: ("InstanceNumber", "SOPClassUID", "SOPInstanceUID"),
}
"""What a person who looks for something is shown; asked for at every peer, with the keys of the device's profile."""


def choose_model(model: Model | None, ends: Ends, level: str) -> Model:
    """The information model: the one asked for, else that of the site, else that which has the level.

    Raises :class:`UsageError` where the model has no such level.
    """
    is_patient = Level(level) is Level.PATIENT
    if model is None:
        return "patient" if ends.patient_root or is_patient else "study"
    if model == "study" and is_patient:
        raise UsageError("the study root model has no level PATIENT", advice="use --model patient")
    return model


def choose_return_keys(ends: Ends, model: Model, level: str) -> list[Key]:
    """The return keys of a level: those that a person is shown, and the profile's own (RF-4.2.5.3.1.3-06)."""
    of_device: Iterable[TagPath] = (ends.query_keys or {}).get((model, level), ())
    return [Key(path) for path in dict.fromkeys((*map(parse_path, _KEYWORDS[level]), *of_device))]


def query_peer(
    ends: Ends,
    level: str,
    values: Mapping[TagPath, object],
    *,
    model: Model | None = None,
    limit: int | None = None,
    hand_over: HandOver | None = None,
) -> FindAnswer:
    """Ask a peer for what matches ``values`` at a level: PATIENT, STUDY, SERIES or IMAGE.

    The unique keys of the levels above are required. Where there are more than ``limit`` matches, or ``hand_over``,
    which is given each match as it comes in place of the answer, says that no more are wanted, the peer is told to
    stop. Raises :class:`UsageError` for a level that the model does not have, :class:`QueryFailed` where the peer
    refuses, and the errors of an association; why there is no answer is logged without the peer's own words.
    """
    chosen = choose_model(model, ends, level)
    sop_class_uid = _FIND[chosen]
    asked = identifier(choose_return_keys(ends, chosen, level), {(QUERY_RETRIEVE_LEVEL,): level, **values})
    try:
        return _ask(ends, sop_class_uid, asked, Taking(limit, hand_over))
    except QueryFailed as error:
        _log.info("query.failed", extra={"peer": ends.name, "reason": QUERY_JUDGE(error.status).describe()})
        missing = [format_keywords((tag,)) for tag in find_missing_keys(chosen, level, values)]
        needs = f"level {level} of this model needs a value of {' and '.join(missing)}"
        advice = needs if missing else find_advice("query", "C-FIND", error.status)
        raise QueryFailed(
            error.status, error.comment, peer=str(ends.remote), advice=advice, must_abort=error.must_abort
        ) from error
    except OpenModalityError as error:
        _log.info("query.failed", extra={"peer": ends.name, "reason": error.message})
        raise


def _ask(ends: Ends, sop_class_uid: str, asked: Dataset, taking: Taking) -> FindAnswer:
    with ends.take_turn(), ends.open(sop_class_uid) as association:
        ends.note_query(sop_class_uid, asked)
        judge = ends.judge_of("query", "C-FIND")
        return put_query(
            association,
            lambda: query_archive(
                association, sop_class_uid, asked, judge=judge, limit=taking.limit, hand_over=taking.hand_over
            ),
        )


def describe_match_limits(answer: FindAnswer, peer: str, limit: str) -> list[str]:
    """What a person is told of an answer that is not whole, or not as it was asked for; ``limit`` names the option."""
    notices = [f"there are more matches; narrow the query or raise {limit}"] * answer.more_available
    if answer.unreadable:
        notices.append(f"{format_count(answer.unreadable, 'response')} could not be read")
    if answer.optional_keys_unsupported:
        notices.append(f"{peer} does not support some of the keys")
    return notices


def make_key_values(keys: Mapping[str, str]) -> dict[TagPath, object]:
    """Matching keys by path, from keywords. Raises :class:`UsageError` where PS3.6 has no such keyword."""
    values: dict[TagPath, object] = {}
    for keyword, value in keys.items():
        try:
            values[parse_path(keyword)] = value
        except ValueError as error:
            raise UsageError(str(error)) from error
    return values


def find_missing_keys(model: Model, level: str, values: Mapping[TagPath, object]) -> list[int]:
    """The unique keys of the levels above that have no value, without which a peer refuses (PS3.4 C.4.1.2.1)."""
    levels = LEVELS[_FIND[model]]
    above = [UNIQUE_KEYS[upper] for upper in levels[: levels.index(level)]]
    return [tag for tag in above if not values.get((tag,))]
