"""The patient and the study that an event is about, as the local database has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class StudySubject:
    """A study and its patient; ``classes`` are numbers of instances by SOP Class UID."""

    study_instance_uid: str = ""
    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    classes: Mapping[str, int] = field(default_factory=dict)

    @property
    def instances(self) -> int:
        """How many instances it is about."""
        return sum(self.classes.values())
