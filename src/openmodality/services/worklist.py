"""Modality worklist: what is scheduled for this device? PS3.4 Annex K; RF-4.2.3, MR-5.

The SCU sends one C-FIND whose identifier holds the matching keys with their values and the return keys without. Each
pending response is one scheduled procedure step. What an SCP returns is not to be trusted: :func:`find_defects` names
what is wrong with an item, and a caller shows it rather than failing on it. The SCP asks a :class:`WorklistSource` for
candidates and matches them itself.

A judge (:mod:`openmodality.dimse.verdict`) says what a status means, by default that of the standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol

from pydicom import Dataset
from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.valuerep import IS, DSfloat, PersonName

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.channel import Channel, Message, read_data_set
from openmodality.dimse.mending import is_code_sequence, list_missing_in_code, list_written, mend_copied
from openmodality.dimse.reading import is_filled, read_elements, values_of
from openmodality.dimse.request_response import SecondsLeft
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.dimse.verdict import Judge, find_advice, standard_judge
from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.query.finding import IDENTIFIER_DOES_NOT_MATCH, FindAnswer, Taking, answer_matches, send_find
from openmodality.query.matching import Supported
from openmodality.standard.character_sets import find_unknown, spell
from openmodality.standard.dimse import CommandField
from openmodality.standard.life import JUDGED, judge_patient_value
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.standard.tags import (
    MODALITY,
    PATIENT_ID,
    PATIENT_NAME,
    REQUESTED_PROCEDURE_ID,
    SCHEDULED_PROCEDURE_STEP_ID,
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    SCHEDULED_PROCEDURE_STEP_START_DATE,
    SCHEDULED_PROCEDURE_STEP_START_TIME,
    SCHEDULED_STATION_AE_TITLE,
    SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID,
)
from openmodality.standard.text_rules import REPLACEMENT
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.standard.value_rules import ENUMERATED, is_plain_value
from openmodality.standard.vr_groups import WHOLE_NUMBER_VRS
from openmodality.value_class import dataclass

UNABLE_TO_PROCESS: Final = 0xC001

_LEFT_OUT: Final = ", left out of images and performed step"
_MENDED: Final = ", mended in images and performed step"
_AS_IT_IS: Final = ", kept as it is, since another would name something else"
_NOT_CHANGED: Final = ", taken as it is"
"""What happens with a value, as ``device.mapping`` does it."""

ReadElements = Mapping[int, DataElement | None]
"""The elements of an item by their tags; ``None`` for one that cannot be read."""

WORKLIST_JUDGE: Final = standard_judge("worklist", "C-FIND")
"""What a C-FIND status means where there is no device with a table of its own."""

NEEDED: Final = (PATIENT_NAME, PATIENT_ID, STUDY_INSTANCE_UID, REQUESTED_PROCEDURE_ID)
"""Patient's Name, Patient ID, Study Instance UID and Requested Procedure ID, type 1 in Table K.6-1."""

NEEDED_IN_STEP: Final = (
    SCHEDULED_STATION_AE_TITLE,
    SCHEDULED_PROCEDURE_STEP_START_DATE,
    SCHEDULED_PROCEDURE_STEP_START_TIME,
    MODALITY,
    SCHEDULED_PROCEDURE_STEP_ID,
)
"""Scheduled Station AE Title, start date and time, Modality, Scheduled Procedure Step ID, type 1 in Table K.6-1."""


class WorklistFailed(OpenModalityError):
    """The SCP answered with a failure ``status``: the worklist is empty.

    ``must_abort`` says that the association is to be aborted, as nearly every device does.
    """

    def __init__(self, status: int, comment: str = "", *, must_abort: bool = True) -> None:
        super().__init__(
            f"the worklist was refused: {WORKLIST_JUDGE(status).describe(comment)}",
            advice=find_advice("worklist", "C-FIND", status),
        )
        self.status, self.comment, self.must_abort = status, comment, must_abort


def query_items(
    channel: Channel,
    identifier: Dataset,
    *,
    judge: Judge = WORKLIST_JUDGE,
    limit: int | None = None,
    left_s: SecondsLeft | None = None,
) -> FindAnswer:
    """Ask for the worklist. Raises :class:`WorklistFailed` where ``judge`` calls the status a failure.

    Where there are more than ``limit`` items C-CANCEL is sent and ``more_available`` is set; ``must_abort`` is
    set where the SCP ignored it. ``left_s`` as in :func:`openmodality.query.finding.send_find`.
    """
    answer = send_find(channel, MODALITY_WORKLIST_FIND, identifier, judge=judge, taking=Taking(limit), left_s=left_s)
    if not answer.is_usable:
        raise WorklistFailed(answer.status, answer.comment, must_abort=answer.must_abort)
    return answer


# What is wrong with an item


@dataclass(frozen=True, slots=True)
class Defect:
    """One attribute of a worklist item that breaks the standard, and what a device does with it, if anything.

    ``problem`` never quotes the value.
    """

    tag: int
    problem: str
    treatment: str = ""

    def __str__(self) -> str:
        return f"{name_of(self.tag)}: {self.problem}{self.treatment}"


def find_defects(item: Dataset, today: date | None = None) -> tuple[Defect, ...]:
    """Everything that breaks the standard in a worklist item, and what no patient is; empty where nothing does.

    A birth date is compared with ``today`` where that is given. Never raises.
    """
    elements = read_elements(item)
    sequence = elements.get(SCHEDULED_PROCEDURE_STEP_SEQUENCE)
    steps = [read_elements(step) for step in sequence.value] if sequence is not None and sequence.VR == "SQ" else []
    found = [*_find_step_defects(elements, steps), *_find_missing(elements, NEEDED)]
    found += _find_value_defects(elements, steps)
    found += _find_mistakes(elements, today)
    return tuple(dict.fromkeys(found))


def _find_step_defects(elements: ReadElements, steps: Sequence[ReadElements]) -> Iterator[Defect]:
    tag = SCHEDULED_PROCEDURE_STEP_SEQUENCE
    if tag not in elements:
        yield Defect(tag, "missing")
    elif not steps:
        yield Defect(tag, "no item")
    elif len(steps) > 1:
        yield Defect(tag, f"{len(steps)} items where one is allowed")
    for step in steps:
        yield from _find_missing(step, NEEDED_IN_STEP)


def _find_missing(elements: ReadElements, tags: Iterable[int]) -> Iterator[Defect]:
    for tag in tags:
        element = elements.get(tag)
        is_unreadable = element is None and tag in elements  # which is a defect of its value
        if not is_unreadable and (element is None or not is_filled(element)):
            yield Defect(tag, "missing")


def _find_mistakes(elements: ReadElements, today: date | None) -> Iterator[Defect]:
    for tag in JUDGED:
        if (element := elements.get(tag)) is not None:
            mistakes = (judge_patient_value(tag, text, today) for text in list_written(element))
            yield from (Defect(tag, each[0], _NOT_CHANGED) for each in mistakes if each)


def _find_value_defects(elements: ReadElements, steps: Sequence[ReadElements]) -> Iterator[Defect]:
    terms = elements.get(SPECIFIC_CHARACTER_SET)
    if terms is not None and not _are_known(*map(str, list_written(terms))):
        yield Defect(SPECIFIC_CHARACTER_SET, "not one of DICOM's", "; text beyond ASCII is shown as U+FFFD")
    is_declared = terms is not None and bool(terms.value if terms.VR == "SQ" else values_of(terms))
    read = {SCHEDULED_PROCEDURE_STEP_SEQUENCE: steps}
    yield from _find_element_defects(elements, is_declared, read)


@lru_cache(maxsize=64)  # terms come from peers: bounded
def _are_known(*terms: str) -> bool:
    return not find_unknown([spell(term) for term in terms])


_NOTHING_READ: Final[Mapping[int, Sequence[ReadElements]]] = MappingProxyType({})


def _find_element_defects(
    elements: ReadElements, is_declared: bool, read: Mapping[int, Sequence[ReadElements]] = _NOTHING_READ
) -> Iterator[Defect]:
    """Of all elements, those in items included. ``read`` are the items of sequences that have been read already."""
    for tag, element in elements.items():
        if element is None:
            yield Defect(tag, "cannot be read", _LEFT_OUT)
        elif element.VR == "SQ":
            yield from _find_code_defects(element)
            for inner in read[tag] if tag in read else map(read_elements, element.value):
                yield from _find_element_defects(inner, is_declared)
        elif not _is_plain(tag, element, is_declared) and tag != SPECIFIC_CHARACTER_SET:
            yield from _find_text_defects(element, is_declared=is_declared)


def _find_code_defects(sequence: DataElement) -> Iterator[Defect]:
    for code in sequence.value if is_code_sequence(int(sequence.tag)) else ():
        missing = list_missing_in_code(code) if len(code) else ()
        if missing:
            yield Defect(int(sequence.tag), f"a code without {' and '.join(map(name_of, missing))}", _LEFT_OUT)


def _find_text_defects(element: DataElement, *, is_declared: bool) -> Iterator[Defect]:
    tag, values = int(element.tag), values_of(element)
    if len(values) > 1 and _allows_one(tag):
        yield Defect(tag, f"{len(values)} values where one is allowed")
    mended = mend_copied(element)
    if mended.problem:
        kept = _AS_IT_IS if mended.element is element else _MENDED
        yield Defect(tag, mended.problem, _LEFT_OUT if mended.element is None else kept)
    if element.VR in MAX_CHARACTERS and not any(isinstance(value, bytes) for value in values):
        for text in list_written(element):
            yield from _judge_text(tag, element.VR, text, is_declared=is_declared)


def _is_plain(tag: int, element: DataElement, is_declared: bool) -> bool:
    """Whether an element has no defect, as most have none: told at a fraction of the cost."""
    value = element.value
    if type(value) is str:
        return _is_plain_text(tag, element.VR, value, is_declared)
    if isinstance(value, PersonName | DSfloat | IS):
        value = getattr(value, "original_string", None) or str(value)
    if not isinstance(value, str):
        return value is None or (type(value) is int and element.VR in WHOLE_NUMBER_VRS)
    return _is_plain_text(tag, element.VR, value, is_declared)


@lru_cache(maxsize=4096)
def _is_plain_text(tag: int, vr: str, value: str, is_declared: bool) -> bool:
    if not value or tag in ENUMERATED:
        return not value or value in ENUMERATED[tag]
    return (is_declared or value.isascii()) and is_plain_value(vr, value)


def _judge_text(tag: int, vr: str, text: str, *, is_declared: bool) -> Iterator[Defect]:
    if vr == "UI" and len(text) > MAX_CHARACTERS[vr]:
        yield Defect(tag, f"longer than {MAX_CHARACTERS[vr]} characters")
    if vr == "UI" and not is_valid_uid(text):
        yield Defect(tag, "no valid UID")
    if REPLACEMENT in text:
        yield Defect(tag, "characters that cannot be read", ", shown as U+FFFD")
    if not is_declared and not text.isascii():
        yield Defect(tag, "characters that no Specific Character Set declares")


def _allows_one(tag: int) -> bool:
    try:
        return dictionary_VM(tag) == "1"
    except KeyError:
        return False


# SCP


class WorklistSource(Protocol):
    """Where the scheduled procedure steps of an SCP come from."""

    def find(self, identifier: Dataset) -> Iterable[Dataset]:
        """Worklist items that may match, each with one Scheduled Procedure Step Sequence item.

        More than match may come: they are matched again. Raises :class:`Refuse` where it turns the query down,
        :class:`StoreError` where it is out of resources.
        """
        ...


def worklist_service(source: WorklistSource, supported: Supported = None) -> Service:
    """The SCP; a query with other keys than ``supported`` is answered with FF01."""

    def answer_find(message: Message) -> Iterable[Response]:
        identifier = _read_identifier(message)
        return answer_matches(message, identifier, _find_candidates(source, identifier), supported=supported)

    return Service("Modality Worklist", frozenset({MODALITY_WORKLIST_FIND}), {CommandField.C_FIND_RQ: answer_find})


def _find_candidates(source: WorklistSource, identifier: Dataset) -> Iterator[Dataset]:
    yield from source.find(identifier)


def _read_identifier(message: Message) -> Dataset:
    try:
        identifier = read_data_set(message)
    except ObjectInvalid as error:
        raise Refuse(UNABLE_TO_PROCESS, error.message) from error
    tag = SCHEDULED_PROCEDURE_STEP_SEQUENCE
    # an identifier without the sequence asks for no step in particular, as some toolkits do: every item matches
    if tag in identifier and (identifier[tag].VR != "SQ" or len(identifier[tag].value) > 1):
        raise Refuse(IDENTIFIER_DOES_NOT_MATCH, f"{name_of(tag)} has several items", (tag,))
    return identifier
