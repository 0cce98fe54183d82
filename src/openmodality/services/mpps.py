"""Modality performed procedure step: tells the hospital what this device does. PS3.4 Annex F.7; RF-4.2.4, MR-6.

The SCU creates the step with N-CREATE as IN PROGRESS and ends it with N-SET as COMPLETED or DISCONTINUED. The SCP
keeps to one state machine:

=============  ====================================  ========================================================
state          request                               answer
=============  ====================================  ========================================================
none           N-CREATE, IN PROGRESS                 0000, the step is in progress
none           N-CREATE, another status              0106
any            N-CREATE                              0111
none           N-SET                                 0112
in progress    N-SET, IN PROGRESS or without status  0000, still in progress
in progress    N-SET, COMPLETED or DISCONTINUED      0000, final; 0120, 0121 where the final state needs more
final          N-SET                                 0110 with Error ID A710, may no longer be updated
=============  ====================================  ========================================================

Which attributes each needs is a table, by default that of PS3.4; what is missing is 0120, what is empty 0121, what
N-SET may not change 0105.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from pydicom import Dataset

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.channel import Channel, Message, context_for, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.normalized import NormalizedAnswer, ask_normalized
from openmodality.dimse.reading import has_value, read_items_at, read_text, read_texts
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.encoding.uid import is_valid_uid, new_uid
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.performed_step import NOT_ALLOWED, PERFORMED_STEP_RULES, StepRule, StepStatus
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP
from openmodality.standard.tags import PERFORMED_PROCEDURE_STEP_STATUS, SPECIFIC_CHARACTER_SET

_FINAL: Final = frozenset({StepStatus.COMPLETED, StepStatus.DISCONTINUED})

NO_LONGER_UPDATABLE: Final = 0xA710
"""Error ID (0000,0903) beside Processing failure (PS3.4 F.7.2.2.4)."""

NO_LONGER_UPDATABLE_COMMENT: Final = "Performed Procedure Step Object may no longer be updated"


# SCU


def create_step(
    channel: Channel,
    sop_instance_uid: str,
    attributes: Dataset,
    *,
    timeout_s: float | None = None,
) -> NormalizedAnswer:
    """N-CREATE a step."""
    command = Command(
        CommandField=CommandField.N_CREATE_RQ,
        AffectedSOPClassUID=MODALITY_PERFORMED_PROCEDURE_STEP,
        AffectedSOPInstanceUID=sop_instance_uid or None,
    )
    context = context_for(channel, MODALITY_PERFORMED_PROCEDURE_STEP)
    return ask_normalized(channel, context, command, attributes, timeout_s=timeout_s)


def update_step(
    channel: Channel,
    sop_instance_uid: str,
    attributes: Dataset,
    *,
    timeout_s: float | None = None,
) -> NormalizedAnswer:
    """N-SET a step."""
    command = Command(
        CommandField=CommandField.N_SET_RQ,
        RequestedSOPClassUID=MODALITY_PERFORMED_PROCEDURE_STEP,
        RequestedSOPInstanceUID=sop_instance_uid,
    )
    context = context_for(channel, MODALITY_PERFORMED_PROCEDURE_STEP)
    return ask_normalized(channel, context, command, attributes, timeout_s=timeout_s)


def is_final_already(answer: NormalizedAnswer) -> bool:
    """Whether the SCP has refused because the step has ended before; some say it in the Error Comment only."""
    says_so = "no longer be updated" in answer.comment.lower()
    return answer.status == Status.PROCESSING_FAILURE and (answer.error_id == NO_LONGER_UPDATABLE or says_so)


# SCP


class StepStore(Protocol):
    """Where an SCP keeps the steps."""

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        """Keep a new step; ``False`` where there is one already."""
        ...

    def update(self, sop_instance_uid: str, change: Callable[[Dataset], Dataset]) -> bool:
        """Replace a step by what ``change`` makes of it, as one transaction; ``False`` where there is none.

        What ``change`` raises goes through, and the step stays as it was.
        """
        ...


class _Final(Exception):
    """The step is in a final state."""


def mpps_service(store: StepStore, rules: Sequence[StepRule] = PERFORMED_STEP_RULES) -> Service:
    """The SCP, strict by ``rules``."""

    def answer_create(message: Message) -> Response:
        return _create(message, store, rules)

    def answer_set(message: Message) -> Response:
        return _set(message, store, rules)

    handlers = {CommandField.N_CREATE_RQ: answer_create, CommandField.N_SET_RQ: answer_set}
    return Service("Modality Performed Procedure Step", frozenset({MODALITY_PERFORMED_PROCEDURE_STEP}), handlers)


def _create(message: Message, store: StepStore, rules: Sequence[StepRule]) -> Response:
    command = message.command
    _check_class(command.AffectedSOPClassUID)
    sop_instance_uid = command.AffectedSOPInstanceUID or new_uid()
    if not is_valid_uid(sop_instance_uid, strict=False):
        raise Refuse(Status.INVALID_SOP_INSTANCE, "Affected SOP Instance UID is no UID")
    attributes = read_data_set(message)
    _check_present(attributes, {rule.path: rule.n_create for rule in rules})
    if read_text(attributes, PERFORMED_PROCEDURE_STEP_STATUS) != StepStatus.IN_PROGRESS:
        raise Refuse(
            Status.INVALID_ATTRIBUTE_VALUE,
            "a step is created with Performed Procedure Step Status IN PROGRESS",
            (PERFORMED_PROCEDURE_STEP_STATUS,),
        )
    if not store.create(sop_instance_uid, attributes):
        raise Refuse(Status.DUPLICATE_SOP_INSTANCE)
    return Response(Status.SUCCESS, fields={"AffectedSOPInstanceUID": sop_instance_uid})


def _set(message: Message, store: StepStore, rules: Sequence[StepRule]) -> Response:
    command = message.command
    _check_class(command.RequestedSOPClassUID)
    changes = read_data_set(message)

    def change(step: Dataset) -> Dataset:
        return change_step(step, changes, rules)

    try:
        is_known = store.update(command.RequestedSOPInstanceUID or "", change)
    except _Final:
        fields = {"ErrorID": NO_LONGER_UPDATABLE}
        return Response(Status.PROCESSING_FAILURE, comment=NO_LONGER_UPDATABLE_COMMENT, fields=fields)
    if not is_known:
        raise Refuse(Status.NO_SUCH_SOP_INSTANCE)
    return Response(Status.SUCCESS)


def _check_class(sop_class_uid: str | None) -> None:
    if sop_class_uid != MODALITY_PERFORMED_PROCEDURE_STEP:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "SOP Class is not Modality Performed Procedure Step")


def change_step(step: Dataset, changes: Dataset, rules: Sequence[StepRule]) -> Dataset:
    """The step after an N-SET; ``step`` itself is not changed. Raises :class:`Refuse` where a change is not allowed."""
    if read_text(step, PERFORMED_PROCEDURE_STEP_STATUS) in _FINAL:
        raise _Final
    fixed = tuple(rule.path[0] for rule in rules if rule.n_set == NOT_ALLOWED and rule.path[0] in changes)
    if fixed:
        tags = tuple(dict.fromkeys(fixed))
        raise Refuse(Status.NO_SUCH_ATTRIBUTE, f"N-SET may not change {_join_names(tags)}", tags)
    _check_present(changes, {rule.path: rule.n_set for rule in rules if len(rule.path) > 1})
    status = read_text(changes, PERFORMED_PROCEDURE_STEP_STATUS)
    if PERFORMED_PROCEDURE_STEP_STATUS in changes and status not in set(StepStatus):
        tags = (PERFORMED_PROCEDURE_STEP_STATUS,)
        raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, "Performed Procedure Step Status has no such value", tags)
    result = _merge(step, changes)
    if status in _FINAL:
        _check_present(result, {rule.path: rule.final for rule in rules})
    return result


def _merge(step: Dataset, changes: Dataset) -> Dataset:
    """Merge both; the later value counts. Text in two character sets is kept in Unicode (PS3.4 F.7.2.2.3)."""
    result = Dataset()
    result.update(step)
    result.update(changes)
    sets = {read_texts(each, SPECIFIC_CHARACTER_SET) for each in (step, changes) if SPECIFIC_CHARACTER_SET in each}
    if len(sets) > 1:
        result.SpecificCharacterSet = UTF_8
    return result


def _check_present(attributes: Dataset, types: dict[tuple[int, ...], str]) -> None:
    """Refuse with 0120 where a type 1 or 2 attribute is missing and with 0121 where a type 1 attribute is empty."""
    missing = tuple(dict.fromkeys(_find_failing(attributes, types, lambda item, tag: tag in item, "12")))
    if missing:
        raise Refuse(Status.MISSING_ATTRIBUTE, f"missing: {_join_names(missing)}", missing)
    empty = tuple(dict.fromkeys(_find_failing(attributes, types, has_value, "1")))
    if empty:
        raise Refuse(Status.MISSING_ATTRIBUTE_VALUE, f"no value: {_join_names(empty)}", empty)


def _find_failing(
    attributes: Dataset, types: dict[tuple[int, ...], str], is_there: Callable[[Dataset, int], bool], checked: str
) -> Iterator[int]:
    for path, type_ in types.items():
        if type_ and type_ in checked:
            for item in read_items_at(attributes, path[:-1]):
                if not is_there(item, path[-1]):
                    yield path[-1]


def _join_names(tags: Sequence[int]) -> str:
    first = name_of(tags[0])
    return first if len(tags) == 1 else f"{first} and {len(tags) - 1} more"
