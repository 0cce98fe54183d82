"""Probes of the worklist: how many items come, their form, which keys count, and whether character sets are right.

PS3.4 Annex K. Items are looked at and forgotten: no finding has a value of a patient.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final

from pydicom import Dataset

from openmodality.activities.worklist_query import RETURN_KEYS
from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.find_probe import FoundItems, ask
from openmodality.conformance.doctor.findings import ENDLESS, NO_ANSWER, KeyAnswer, KeyMatching, Severity
from openmodality.conformance.doctor.key_probe import KeyQuery, Matching, TriedKey, judge_returned, note_keys, try_keys
from openmodality.counted import format_count
from openmodality.device.paths import TagPath, format_keywords
from openmodality.dimse.reading import has_value, iterate_elements, read_items, read_texts, values_of
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.query.identifier import Key, identifier
from openmodality.services.worklist import find_defects
from openmodality.standard.character_sets import find_unknown
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.standard.tags import (
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID,
)
from openmodality.standard.text_rules import REPLACEMENT

_AREA: Final = "worklist"
_STEP: Final = "ScheduledProcedureStepSequence>"
_TRIED: Final = (
    TriedKey.of(f"{_STEP}ScheduledProcedureStepStartDate", Matching.RANGE),
    TriedKey.of(f"{_STEP}Modality"),
    TriedKey.of(f"{_STEP}ScheduledStationAETitle"),
    TriedKey.of("PatientID"),
    TriedKey.of("PatientName", Matching.WILDCARD),
    TriedKey.of("AccessionNumber"),
    TriedKey.of("RequestedProcedureID"),
)
"""What devices narrow the worklist by, the most important first."""
_TRIED_OF_SLOW: Final = 3
_MOST_DEFECTS: Final = 5
_ESCAPES: Final = (b"\x1b$", b"\x1b(", b"\x1b)", b"\x1b-")
"""How ISO 2022 begins another character set (PS3.5 6.1.2.5)."""


def probe_worklist(examination: Examination) -> None:
    """Ask for everything that is scheduled, then narrow key by key."""
    if not examination.accepts(MODALITY_WORKLIST_FIND):
        return
    try:
        with examination.talk("worklist", MODALITY_WORKLIST_FIND) as association:
            found = _put(examination, association, {})
            _judge_answer(examination, found)
            if found.items:
                _judge_items(examination, found)
            if found.is_done:
                _probe_keys(examination, association, found)
            elif found.outcome == ENDLESS:
                association.abort()
    except OpenModalityError as error:
        examination.note_failure(_AREA, "query", "worklist", error)


def _put(examination: Examination, association: Association, values: dict[TagPath, object]) -> FoundItems:
    asked = identifier([Key(path) for path in RETURN_KEYS], values)
    examination.ends("worklist").note_query(MODALITY_WORKLIST_FIND, asked)
    return ask(association, MODALITY_WORKLIST_FIND, asked, limit_s=examination.limit_s())


def _judge_answer(examination: Examination, found: FoundItems) -> None:
    """Note findings on the query as a whole."""
    count = len(found.items)
    if not found.is_done:
        stalled = found.outcome == NO_ANSWER and count > 0
        examination.observe("worklist", "stalled" if stalled else found.outcome)
        after = f" after {format_count(len(found.items), 'item')}" if count else ""
        text = f"a query for everything fails{after}: {found.describe_failure()}"
        examination.note(_AREA, "query", text, Severity.PROBLEM)
    else:
        more = ", and there are more: C-CANCEL stopped them" if found.was_cancelled else ""
        text = (
            f"a query for everything brings {format_count(len(found.items), 'item')}{more}"
            if count
            else "nothing is scheduled, so keys are not tried"
        )
        examination.note(_AREA, "query", text, Severity.FACT if count else Severity.UNTRIED)
    if 0xFF01 in found.statuses:
        examination.observe("worklist", "pending FF01")
        text = "items come with FF01: it ignores some of the optional keys"
        examination.note(_AREA, "status", text, Severity.NOTE)
    if found.has_leftover:
        examination.observe("worklist", "leftover")
        text = "the final response carries an identifier, which is no item"
        examination.note(_AREA, "final response", text, Severity.NOTE)
    if found.unreadable:
        text = f"{found.unreadable} items are no data sets"
        examination.note(_AREA, "items", text, Severity.PROBLEM)


def _judge_items(examination: Examination, found: FoundItems) -> None:
    items = found.items
    steps = [len(read_items(item, SCHEDULED_PROCEDURE_STEP_SEQUENCE)) for item in items]
    if not any(steps):
        examination.observe("worklist", "no step")
    elif min(steps) > 1:
        examination.observe("worklist", "several steps")
    if not any(has_value(item, STUDY_INSTANCE_UID) for item in items):
        examination.observe("worklist", "no study UID")
    defects = Counter(str(defect) for item in items for defect in find_defects(item))
    for text, count in defects.most_common(_MOST_DEFECTS):
        examination.note(_AREA, "items", f"{count} of {len(items)}: {text}", Severity.NOTE)
    if len(defects) > _MOST_DEFECTS:
        examination.note(_AREA, "items", f"{len(defects) - _MOST_DEFECTS} other defects", Severity.NOTE)
    judge_character_sets(examination, _AREA, _AREA, found)


def judge_character_sets(examination: Examination, operation: str, area: str, found: FoundItems) -> None:
    """Whether the text of items is in the character set that they declare (PS3.5 6.1.2)."""
    declared = sorted({term for item in found.items for term in read_texts(item, SPECIFIC_CHARACTER_SET) if term})
    undeclared = sum(map(_is_undeclared, found.items, found.raw))
    untrue = sum(_has_replacement(item) for item in found.items if has_value(item, SPECIFIC_CHARACTER_SET))
    examination.facts[f"{operation}_character_sets"] = declared
    if declared:
        examination.note(area, "character sets", f"it declares {', '.join(declared)}")
    if unknown := find_unknown(declared):
        text = f"none of DICOM's character sets: {', '.join(unknown)}"
        examination.note(area, "character sets", text, Severity.PROBLEM)
    if undeclared:
        examination.observe(operation, "no character set")
        examination.facts[f"{operation}_undeclared"] = undeclared
        text = f"{undeclared} items have more than ASCII and declare no character set"
        examination.note(area, "character sets", text, Severity.PROBLEM)
    if untrue:
        text = f"{untrue} items have text that is not of the character set which they declare"
        examination.note(area, "character sets", text, Severity.PROBLEM)
    if declared and not undeclared and not untrue:
        examination.note(area, "character sets", "all text is of the character set that is declared")


def _is_undeclared(item: Dataset, raw: bytes) -> bool:
    if has_value(item, SPECIFIC_CHARACTER_SET):
        return False
    return any(escape in raw for escape in _ESCAPES) or any(not text.isascii() for text in _list_texts(item))


def _has_replacement(item: Dataset) -> bool:
    return any(REPLACEMENT in text for text in _list_texts(item))


def _list_texts(item: Dataset) -> list[str]:
    return [
        str(value)
        for each in iterate_elements(item)
        if each.VR not in ("SQ", "OB", "OW", "UN")
        for value in values_of(each)
    ]


def _probe_keys(examination: Examination, association: Association, everything: FoundItems) -> None:
    """Which keys are returned, and which are honoured."""
    keys = _TRIED[:_TRIED_OF_SLOW] if examination.is_slow else _TRIED
    query = KeyQuery(partial(_put, examination, association), lambda: association.is_open)
    tried = try_keys(examination, _AREA, keys, everything.items, query)
    answers = []
    for path in RETURN_KEYS:
        returned = judge_returned(path, everything.items)
        name = format_keywords(path)
        answers.append(KeyAnswer("worklist", "", name, returned, tried.get(path, KeyMatching.UNTRIED)))
    examination.keys += answers
    note_keys(examination, _AREA, answers)
