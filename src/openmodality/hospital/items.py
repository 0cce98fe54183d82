"""Worklist items and performed steps as values, and the state of an item by the steps that were performed for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from pydicom import Dataset

from openmodality.dimse.reading import read_items, read_items_at, read_text
from openmodality.hospital.schedule import step_of
from openmodality.standard.discontinuation_reasons import WRONG_WORKLIST_ENTRY
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.tags import (
    ACCESSION_NUMBER,
    CODE_VALUE,
    MODALITY,
    PATIENT_ID,
    PATIENT_NAME,
    PERFORMED_PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE,
    PERFORMED_PROCEDURE_STEP_STATUS,
    PERFORMED_SERIES_SEQUENCE,
    PERFORMED_STATION_AE_TITLE,
    REFERENCED_IMAGE_SEQUENCE,
    REFERENCED_NON_IMAGE_COMPOSITE_SOP_INSTANCE_SEQUENCE,
    REFERENCED_SOP_CLASS_UID,
    REFERENCED_SOP_INSTANCE_UID,
    REQUESTED_PROCEDURE_ID,
    SCHEDULED_PROCEDURE_STEP_ID,
    SCHEDULED_STATION_AE_TITLE,
    SCHEDULED_STEP_ATTRIBUTES_SEQUENCE,
    STUDY_INSTANCE_UID,
)
from openmodality.value_class import dataclass


class ItemKey(NamedTuple):
    """What names a scheduled procedure step: Study Instance UID and Scheduled Procedure Step ID."""

    study_instance_uid: str
    step_id: str


class ItemState(Enum):
    """Where a worklist item is on its way."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = StepStatus.IN_PROGRESS.value
    COMPLETED = StepStatus.COMPLETED.value
    DISCONTINUED = StepStatus.DISCONTINUED.value

    @property
    def is_open(self) -> bool:
        """Whether the worklist still shows the item."""
        return self in (ItemState.SCHEDULED, ItemState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class ScheduledItem:
    """One scheduled procedure step, with the state that performed steps gave it."""

    data_set: Dataset
    state: ItemState = ItemState.SCHEDULED

    @property
    def key(self) -> ItemKey:
        return key_of(self.data_set)

    @property
    def study_instance_uid(self) -> str:
        return self.key.study_instance_uid

    @property
    def step_id(self) -> str:
        return self.key.step_id

    @property
    def patient_id(self) -> str:
        return read_text(self.data_set, PATIENT_ID)

    @property
    def patient_name(self) -> str:
        return read_text(self.data_set, PATIENT_NAME)

    @property
    def accession_number(self) -> str:
        return read_text(self.data_set, ACCESSION_NUMBER)

    @property
    def requested_procedure_id(self) -> str:
        return read_text(self.data_set, REQUESTED_PROCEDURE_ID)

    @property
    def modality(self) -> str:
        return read_text(step_of(self.data_set), MODALITY)

    @property
    def station_ae_title(self) -> str:
        return read_text(step_of(self.data_set), SCHEDULED_STATION_AE_TITLE)


def key_of(item: Dataset) -> ItemKey:
    """The key of a worklist item."""
    return ItemKey(read_text(item, STUDY_INSTANCE_UID), read_text(step_of(item), SCHEDULED_PROCEDURE_STEP_ID))


class PerformedReference(NamedTuple):
    """An instance that a step says it made."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class PerformedStep:
    """A modality performed procedure step as the RIS has it."""

    sop_instance_uid: str
    attributes: Dataset

    @property
    def status(self) -> str:
        """(0040,0252) Performed Procedure Step Status."""
        return read_text(self.attributes, PERFORMED_PROCEDURE_STEP_STATUS)

    @property
    def station_ae_title(self) -> str:
        return read_text(self.attributes, PERFORMED_STATION_AE_TITLE)

    @property
    def scheduled(self) -> tuple[ItemKey, ...]:
        """The scheduled steps that it performs; a Scheduled Procedure Step ID is empty where it was not scheduled."""
        return tuple(
            ItemKey(read_text(item, STUDY_INSTANCE_UID), read_text(item, SCHEDULED_PROCEDURE_STEP_ID))
            for item in read_items(self.attributes, SCHEDULED_STEP_ATTRIBUTES_SEQUENCE)
        )

    @property
    def instances(self) -> tuple[PerformedReference, ...]:
        """All instances that Performed Series Sequence (0040,0340) lists."""
        return tuple(dict.fromkeys(self._references()))

    @property
    def is_wrong_entry(self) -> bool:
        """Whether it was discontinued because the wrong worklist item had been chosen."""
        codes = read_items(self.attributes, PERFORMED_PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE)
        return any(read_text(code, CODE_VALUE) == WRONG_WORKLIST_ENTRY for code in codes)

    def _references(self) -> Iterator[PerformedReference]:
        for sequence in (REFERENCED_IMAGE_SEQUENCE, REFERENCED_NON_IMAGE_COMPOSITE_SOP_INSTANCE_SEQUENCE):
            for item in read_items_at(self.attributes, (PERFORMED_SERIES_SEQUENCE, sequence)):
                yield PerformedReference(
                    read_text(item, REFERENCED_SOP_CLASS_UID), read_text(item, REFERENCED_SOP_INSTANCE_UID)
                )


def state_of(key: ItemKey, steps: Iterable[PerformedStep]) -> ItemState:
    """The state of an item by its performed steps: in progress as long as one is, completed when one was."""
    states = {step.status for step in steps if key in step.scheduled and not step.is_wrong_entry}
    for state in (ItemState.IN_PROGRESS, ItemState.COMPLETED, ItemState.DISCONTINUED):
        if state.value in states:
            return state
    return ItemState.SCHEDULED
