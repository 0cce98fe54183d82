"""The virtual RIS: the worklist, and the performed steps that close its items."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset

from openmodality.errors import ConfigurationError, UsageError
from openmodality.hospital.checks import check_listing, check_step
from openmodality.hospital.items import ItemKey, ItemState, PerformedStep, ScheduledItem, key_of, state_of
from openmodality.hospital.journal import Journal
from openmodality.hospital.json_documents import Documents
from openmodality.hospital.schedule import check_item, complete, step_of

_PLACE: Final = "RIS"
_STAYS: Final = "refused, the patient stays as before"

_STEP_STATUS: Final = {ItemState.SCHEDULED: "SCHEDULED", ItemState.IN_PROGRESS: "STARTED"}
"""(0040,0020) Scheduled Procedure Step Status of what the worklist still shows (PS3.3 C.4.10)."""


class VirtualRIS:
    """Fulfils :class:`openmodality.services.worklist.WorklistSource` and :class:`openmodality.services.mpps.StepStore`.

    ``stored`` gives the headers of what the archive has, to compare with what a step lists.
    """

    def __init__(
        self, folder: Path, schedule: Iterable[Dataset], journal: Journal, stored: Callable[[], Sequence[Dataset]]
    ) -> None:
        self._journal = journal
        self._stored = stored
        self._lock = threading.RLock()
        self._item_files, self._step_files = Documents(folder / "items"), Documents(folder / "steps")
        self._items = {key_of(item): item for item in schedule}
        for document in self._item_files.load().values():
            item = Dataset.from_json(document)
            self._items[key_of(item)] = item
        steps = sorted(self._step_files.load().items(), key=lambda named: int(named[1].get("number", 0)))
        self._steps = {uid: Dataset.from_json(document["attributes"]) for uid, document in steps}

    @property
    def items(self) -> list[ScheduledItem]:
        """The whole schedule, closed items too."""
        with self._lock:
            steps = self.steps
            return [ScheduledItem(item, state_of(key, steps)) for key, item in self._items.items()]

    @property
    def steps(self) -> list[PerformedStep]:
        """All performed steps, in the order in which they were created."""
        with self._lock:
            return [PerformedStep(uid, attributes) for uid, attributes in self._steps.items()]

    def item(self, step_id: str, study_instance_uid: str = "") -> ScheduledItem:
        """The item with this Scheduled Procedure Step ID (of this study). Raises :class:`UsageError` where none is."""
        for item in self.items:
            if item.step_id == step_id and study_instance_uid in ("", item.study_instance_uid):
                return item
        raise UsageError("the worklist has no item with this Scheduled Procedure Step ID")

    def step(self, sop_instance_uid: str) -> PerformedStep | None:
        """A performed step by its SOP Instance UID."""
        with self._lock:
            attributes = self._steps.get(sop_instance_uid)
        return None if attributes is None else PerformedStep(sop_instance_uid, attributes)

    # Changes by people and by tests

    def schedule(self, item: Dataset) -> ScheduledItem:
        """Add an item, or replace the one with the same key.

        Raises :class:`ConfigurationError` where the item is defective.

        A Study Instance UID that is missing is made from the identifiers.
        """
        new = deepcopy(item)
        new.pop("file_meta", None)
        if not key_of(new).study_instance_uid:
            complete(new, "scheduled")
        check_item(new, "worklist item")
        self._keep(new)
        self._journal.note(_PLACE, "item.scheduled", f"scheduled {key_of(new).step_id}", step_id=key_of(new).step_id)
        return ScheduledItem(new, state_of(key_of(new), self.steps))

    def change_patient(self, patient_id: str, **values: Any) -> int:
        """Change attributes, by keyword, in all items of a patient, as an ADT update does; returns how many.

        Raises :class:`ConfigurationError` where an item would be defective or another one, and changes none then: the
        Study Instance UID and the step ID name an item, and one of a new name would stand beside the old.
        """
        with self._lock:
            changed = [deepcopy(item.data_set) for item in self.items if item.patient_id == patient_id]
            for new in changed:
                key = key_of(new)
                for keyword, value in values.items():
                    setattr(new, keyword, value)
                if key_of(new) != key:
                    raise ConfigurationError(
                        f"{_STAYS}: Study Instance UID and Scheduled Procedure Step ID name a worklist item",
                        advice="change what belongs to the patient; for other items edit schedule.json",
                    )
                check_item(new, _STAYS)
            for new in changed:
                self._keep(new)
        self._journal.note(_PLACE, "patient.changed", f"changed a patient in {len(changed)} items", count=len(changed))
        return len(changed)

    def _keep(self, item: Dataset) -> None:
        key = key_of(item)
        with self._lock:
            self._item_files.save(_file_name(key), item.to_json_dict())
            self._items[key] = item

    # WorklistSource

    def find(self, identifier: Dataset) -> list[Dataset]:
        """All open items; the service matches them."""
        found = [item for item in self.items if item.state.is_open]
        self._journal.note(_PLACE, "worklist.query", f"worklist query, {len(found)} open items", open_items=len(found))
        return [_show(item) for item in found]

    # StepStore

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        """Keep a new step."""
        with self._lock:
            if sop_instance_uid in self._steps:
                return False
            self._save(sop_instance_uid, attributes)
        self._tell("step.created", sop_instance_uid)
        return True

    def update(self, sop_instance_uid: str, change: Callable[[Dataset], Dataset]) -> bool:
        """Replace a step by what ``change`` makes of it."""
        with self._lock:
            step = self._steps.get(sop_instance_uid)
            if step is None:
                return False
            self._save(sop_instance_uid, change(step))
        self._tell("step.updated", sop_instance_uid)
        return True

    def _save(self, sop_instance_uid: str, attributes: Dataset) -> None:
        number = list(self._steps).index(sop_instance_uid) if sop_instance_uid in self._steps else len(self._steps)
        self._step_files.save(sop_instance_uid, {"number": number, "attributes": attributes.to_json_dict()})
        self._steps[sop_instance_uid] = attributes

    def _tell(self, kind: str, sop_instance_uid: str) -> None:
        step = self.step(sop_instance_uid)
        if step is None:
            return
        count = len(step.instances)
        listed = f", {count} instances listed" if count else ""
        what = f"performed step of {step.station_ae_title} {step.status}{listed}"
        self._journal.note(_PLACE, kind, what, step=sop_instance_uid, status=step.status, instances=count)
        findings = list(check_step(step, self.items)) if kind == "step.created" else []
        if step.status == ItemState.COMPLETED.value:
            findings += check_listing(step, self._stored())
        for finding in findings:
            self._journal.complain(_PLACE, f"{step.station_ae_title}: {finding}", step=sop_instance_uid)


def _show(item: ScheduledItem) -> Dataset:
    shown = deepcopy(item.data_set)
    step_of(shown).ScheduledProcedureStepStatus = _STEP_STATUS[item.state]
    return shown


def _file_name(key: ItemKey) -> str:
    return hashlib.sha256("\\".join(key).encode()).hexdigest()[:32]
