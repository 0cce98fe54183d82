"""Probes of query: which levels and keys count, and whether C-CANCEL is obeyed (PS3.4 Annex C)."""

from __future__ import annotations

from functools import partial
from typing import Final

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.find_probe import FoundItems, ask
from openmodality.conformance.doctor.findings import ENDLESS, KeyAnswer, KeyMatching, Severity
from openmodality.conformance.doctor.key_probe import (
    KeyQuery,
    Matching,
    TriedKey,
    collect_values,
    judge_returned,
    note_keys,
    try_keys,
)
from openmodality.conformance.doctor.made_data import TEST_PATIENT_ID
from openmodality.conformance.doctor.worklist_probe import judge_character_sets
from openmodality.counted import format_count
from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.query.identifier import Key, identifier
from openmodality.standard.query_retrieve import LEVELS, UNIQUE_KEYS, Level
from openmodality.standard.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND
from openmodality.standard.tags import QUERY_RETRIEVE_LEVEL

_AREA: Final = "query"
_RETURNED: Final = {
    Level.PATIENT: ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    Level.STUDY: (
        "StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
        "StudyID", "StudyInstanceUID", "StudyDescription", "ReferringPhysicianName", "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
    ),
    Level.SERIES: (
        "Modality", "SeriesNumber", "SeriesInstanceUID", "SeriesDescription", "NumberOfSeriesRelatedInstances",
    ),
    Level.IMAGE: ("InstanceNumber", "SOPInstanceUID", "SOPClassUID"),
}  # fmt: skip
"""What is asked for at each level: keys of type U and R of PS3.4 C.6.1 and C.6.2, and those that lists show."""
_TRIED: Final = (
    TriedKey.of("PatientID"),
    TriedKey.of("StudyDate", Matching.RANGE),
    TriedKey.of("PatientName", Matching.WILDCARD),
    TriedKey.of("AccessionNumber"),
    TriedKey.of("ModalitiesInStudy"),
    TriedKey.of("StudyInstanceUID"),
)
_TRIED_OF_SLOW: Final = 2


def probe_query(examination: Examination) -> None:
    """Ask for everything at the level of studies, narrow key by key, then go down to one image."""
    roots = [uid for uid in (STUDY_ROOT_FIND, PATIENT_ROOT_FIND) if examination.accepts(uid)]
    if not roots:
        return
    model = roots[0]
    try:
        with examination.talk("query", model) as association:
            found = _probe_level(examination, association, model, LEVELS[model][0], {})
            if found is not None and found.outcome == ENDLESS:
                association.abort()
    except OpenModalityError as error:
        examination.note_failure(_AREA, "query", "query", error)


def _probe_level(
    examination: Examination, association: Association, model: str, level: Level, above: dict[TagPath, object]
) -> FoundItems | None:
    """Ask for all entities of a level below one entity of each level above, then of the level below."""
    if not examination.has_time:
        return None
    found = _put(examination, association, model, level, above)
    _judge_answer(examination, level, found)
    if not found.is_done or not found.items:
        return found
    matching = _probe_keys(examination, association, model, found) if level == Level.STUDY else {}
    answers = []
    for keyword in _RETURNED[level]:
        path = parse_path(keyword)
        returned = judge_returned(path, found.items)
        answers.append(
            KeyAnswer("query", level, format_keywords(path), returned, matching.get(path, KeyMatching.UNTRIED))
        )
    examination.keys += answers
    note_keys(examination, f"{_AREA}, level {level}", answers)
    levels = LEVELS[model]
    below = levels[levels.index(level) + 1 :]
    unique = (UNIQUE_KEYS[level],)
    values = next((collect_values(item, unique) for item in found.items if collect_values(item, unique)), ())
    if below and values and association.is_open:
        _probe_level(examination, association, model, below[0], {**above, unique: values[0]})
    return found


def _put(
    examination: Examination, association: Association, model: str, level: Level, values: dict[TagPath, object]
) -> FoundItems:
    keys = [Key(parse_path(keyword)) for keyword in _RETURNED[level]]
    asked = identifier(keys, {(QUERY_RETRIEVE_LEVEL,): level, **values})
    examination.ends("query").note_query(model, asked)
    return ask(association, model, asked, limit_s=examination.limit_s())


def _judge_answer(examination: Examination, level: Level, found: FoundItems) -> None:
    area = f"{_AREA}, level {level}"
    if not found.is_done:
        examination.observe("query", found.outcome)
        text = f"a query for everything fails: {found.describe_failure()}"
        examination.note(area, "query", text, Severity.PROBLEM)
        return
    count = len(found.items)
    more = ", and there are more: C-CANCEL stopped them" if found.was_cancelled else ""
    brings = f"a query for everything brings {format_count(len(found.items), 'match')}{more}"
    text = brings if count else "it has nothing, so keys are not tried"
    examination.note(area, "query", text, Severity.FACT if count else Severity.UNTRIED)
    if 0xFF01 in found.statuses:
        text = "matches come with FF01: it ignores some of the optional keys"
        examination.note(area, "status", text, Severity.NOTE)
    if found.has_leftover:
        text = "the final response carries an identifier, which is no match"
        examination.note(area, "final response", text, Severity.NOTE)
    if level == Level.STUDY:
        judge_character_sets(examination, _AREA, area, found)


def _probe_keys(
    examination: Examination, association: Association, model: str, everything: FoundItems
) -> dict[TagPath, KeyMatching]:
    """Which matching keys of studies are honoured."""
    keys = _TRIED[:_TRIED_OF_SLOW] if examination.is_slow else _TRIED
    put = partial(_put, examination, association, model, Level.STUDY)
    return try_keys(examination, _AREA, keys, everything.items, KeyQuery(put, lambda: association.is_open))


def has_study(examination: Examination, study_instance_uid: str) -> bool | None:
    """Whether the peer has the study of the test patient; ``None`` where it cannot be asked."""
    model = next((uid for uid in (STUDY_ROOT_FIND, PATIENT_ROOT_FIND) if examination.accepts(uid)), None)
    if model is None:
        return None
    study, patient = parse_path("StudyInstanceUID"), parse_path("PatientID")
    try:
        with examination.talk("query", model) as association:
            asked: dict[TagPath, object] = {study: study_instance_uid, patient: TEST_PATIENT_ID}
            found = _put(examination, association, model, Level.STUDY, asked)
    except OpenModalityError:
        return None
    if not found.is_done:
        return None
    return any(study_instance_uid in collect_values(item, study) for item in found.items)
