"""Asks the RIS what is scheduled: takes keys from the profile and keeps the answer in the database. RF-4.2.3, MR-2.3.

Without keys everything that is scheduled for this device today is asked for. The answer is stored after its last
response, demographics of patients with it; a query that fails changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.activities.connection import Connector, find_response_timeout_s
from openmodality.activities.worklist_query import ask_for_worklist, describe_limits
from openmodality.device.paths import TagPath, parse_path
from openmodality.device.profile.profile import WorklistKey
from openmodality.device.site.site import Peer
from openmodality.dimse.mending import mend_element
from openmodality.dimse.reading import read_element
from openmodality.errors import OpenModalityError, UsageError
from openmodality.query.finding import FindAnswer
from openmodality.query.identifier import Key, identifier
from openmodality.query.matching import matches
from openmodality.services import worklist
from openmodality.standard.character_sets import UTF_8
from openmodality.store.local import LocalStore
from openmodality.store.rows.served import Serving, find_exams_serving
from openmodality.store.rows.worklist import WorklistItem, keep_items
from openmodality.store.states import Subject
from openmodality.store.transaction import Snapshot
from openmodality.value_class import dataclass

_STATION: Final = parse_path("ScheduledProcedureStepSequence>ScheduledStationAETitle")
_MODALITY: Final = parse_path("ScheduledProcedureStepSequence>Modality")
_START_DATE: Final = parse_path("ScheduledProcedureStepSequence>ScheduledProcedureStepStartDate")
_COMPARED: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepDescription",
    "Modality",
)
_WITHOUT_UID: Final = ("PatientID", "AccessionNumber", "ScheduledProcedureStepStartDate")
_MAY_BE_IGNORED: Final = ("StudyInstanceUID", "AccessionNumber")


@dataclass(frozen=True, slots=True)
class WorklistAnswer:
    """The items that a query brought; ``notices`` is what the operator is to know of it."""

    items: tuple[WorklistItem, ...]
    notices: tuple[str, ...] = ()


class ItemStanding(StrEnum):
    """What the RIS says of an item when its exam starts, or says no more.

    ``UNKNOWN``: it did not answer; ``SERVED`` is what we know ourselves: an exam for the item has ended already.
    """

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"
    SERVED = "served"


@dataclass(frozen=True, slots=True)
class ItemCheck:
    """How an item stands. ``item`` is its newest state, ``differences`` are the keywords of what changed."""

    state: ItemStanding
    item: WorklistItem
    differences: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the item is still scheduled, and not as it was."""
        return self.state is ItemStanding.CHANGED

    @property
    def notice(self) -> str:
        """What the operator is told; empty where the item is as it was."""
        step = f"worklist item {self.item.id}"
        match self.state:
            case ItemStanding.GONE:
                return f"{step} is no longer scheduled"
            case ItemStanding.CHANGED:
                return f"{step} has changed: {', '.join(self.differences)}"
            case ItemStanding.UNKNOWN:
                return f"{step} could not be checked: {self.reason}"
            case ItemStanding.SERVED:
                return f"{step} was served already: {self.reason}"
        return ""


class Worklist:
    """Queries of one device."""

    def __init__(self, store: LocalStore, connections: Connector) -> None:
        self._store = store
        self._connections = connections
        self._site = connections.site

    def query(self, keys: Mapping[str, str] | None = None, peer_name: str | None = None) -> WorklistAnswer:
        """Ask the RIS now and keep what it says.

        ``keys`` are matching keys by keyword. Raises :class:`WorklistFailed` where the RIS refuses, the errors of an
        association, and :class:`UsageError` for a key that this device does not match by.
        """
        peer = self._site.choose_peer("worklist", peer_name)
        values = self._values(peer, keys or {})
        answer = self._ask(peer, values)
        assumed = peer.assumed_character_set
        items = answer.read_assuming(assumed) if any(assumed) else answer.items
        found = [item for item in items if _was_asked_for(item, keys or {})]
        database = self._store.database
        with database.write() as transaction:
            is_whole = not keys and not answer.more_available
            today = date.fromtimestamp(database.clock())
            described = [(item, list(map(str, worklist.find_defects(item, today)))) for item in found]
            for item, _ in described:
                _mend_numbers(item)
            kept = keep_items(transaction, peer.name, described, whole=is_whole)
            transaction.add_event(Subject.WORKLIST, peer.name, "received", f"{len(kept)} items")
        return WorklistAnswer(tuple(kept), tuple(describe_limits(answer)))

    @property
    def is_checked_at_start(self) -> bool:
        """Whether the device asks for an item again when its exam starts."""
        return self._site.parameters.boolean("worklist.check_at_exam_start")

    def check(self, item: WorklistItem) -> ItemCheck:
        """Ask for the item again by its Study Instance UID; its Scheduled Procedure Step ID tells it from others.

        An item without that UID is asked for by its patient, accession number and date. Never raises for what a peer
        does: a RIS that does not answer leaves it ``UNKNOWN``.
        """
        try:
            return self._compare(item)
        except OpenModalityError as error:
            return ItemCheck(ItemStanding.UNKNOWN, item, reason=error.message)

    def _compare(self, item: WorklistItem) -> ItemCheck:
        study = item["StudyInstanceUID"]
        keys = {"StudyInstanceUID": study} if study else self._list_other_keys(item)
        answer = self.query(keys, item.source)
        step_id = item["ScheduledProcedureStepID"]
        fresh = next((each for each in answer.items if each["ScheduledProcedureStepID"] == step_id), None)
        if fresh is None:
            return ItemCheck(ItemStanding.GONE, item)
        differences = tuple(keyword for keyword in _COMPARED if fresh[keyword] != item[keyword])
        return ItemCheck(ItemStanding.CHANGED if differences else ItemStanding.SAME, fresh, differences)

    def _ask(self, peer: Peer, values: Mapping[TagPath, object]) -> FindAnswer:
        rows = self._site.profile.worklist_keys
        omitted = [path for path, switch in peer.worklist_keys.items() if switch == "omit"]
        asked = identifier(
            [Key(row.path, row.vr) for row in rows],
            values,
            omitted=omitted,
            character_sets=(*(terms for terms in self._site.character_sets if any(terms)), (UTF_8,)),
        )
        limit = peer.parameters.integer("worklist.max_items")
        timeout_s = find_response_timeout_s(peer, "worklist.response_timeout_s")
        with self._connections.take_turn("worklist"):
            return ask_for_worklist(
                self._connections.make_ends("worklist", peer), asked, limit=limit, timeout_s=timeout_s
            )

    def _values(self, peer: Peer, keys: Mapping[str, str]) -> dict[TagPath, object]:
        """The values of the matching keys: those given, those of the parameters, and today where none is given."""
        values: dict[TagPath, object] = {}
        parameters = peer.parameters
        if "StudyInstanceUID" not in keys:
            values[_STATION] = parameters.text("worklist.scheduled_station_ae_title")
            values[_MODALITY] = parameters.text("worklist.modality")
        if not keys:
            values[_START_DATE] = date.fromtimestamp(self._store.database.clock()).strftime("%Y%m%d")
        for keyword, value in keys.items():
            values[self._key(keyword).path] = value
        returned = {path for path, switch in peer.worklist_keys.items() if switch != "send"}
        return {path: value for path, value in values.items() if value and path not in returned}

    def _list_other_keys(self, item: WorklistItem) -> dict[str, str]:
        """What names an item without a Study Instance UID, as far as this device matches by it."""
        known = self._list_matching_keywords()
        return {keyword: item[keyword] for keyword in _WITHOUT_UID if keyword in known and item[keyword]}

    def _list_matching_keywords(self) -> set[str]:
        return {row.keyword for row in self._site.profile.worklist_keys if set(row.matching) - {"U"}}

    def _key(self, keyword: str) -> WorklistKey:
        rows = [row for row in self._site.profile.worklist_keys if row.keyword == keyword]
        matching = [row for row in rows if set(row.matching) - {"U"}]
        if not matching:
            known = sorted(self._list_matching_keywords())
            raise UsageError(f"{keyword} is no matching key of this device's worklist; it has {', '.join(known)}")
        return min(matching, key=lambda row: len(row.path))


def find_served(snapshot: Snapshot, items: Sequence[WorklistItem]) -> list[ItemCheck]:
    """The items for which an exam has ended already."""
    return [
        ItemCheck(ItemStanding.SERVED, item, reason=_describe_serving(serving))
        for item in items
        for serving in find_exams_serving(snapshot, item)[:1]
        if not serving.state.is_open
    ]


def _describe_serving(serving: Serving) -> str:
    said = f"{serving.where} is {serving.state}"
    return said if serving.device else f"{said}; exam acquire {serving.exam_id} --append adds to it"


def _mend_numbers(item: Dataset) -> None:
    """Mend the numbers of an item, or leave them out, since what is kept of it holds no text for a number."""
    for written in list(item.values()):
        element = written if type(written) is DataElement else read_element(item, int(written.tag))
        if element is None or element.VR not in ("SQ", "DS", "IS"):
            continue
        if element.VR == "SQ":
            for inner in element.value:
                _mend_numbers(inner)
            continue
        mended = mend_element(element).element
        if mended is None:
            del item[element.tag]
        elif mended is not element:
            item[element.tag] = mended


def _was_asked_for(item: Dataset, keys: Mapping[str, str]) -> bool:
    """Whether an item matches the keys that an SCP may ignore, answering with everything (PS3.4 Table K.6-1, type O).

    Only these are looked at: what an SCP does match by, it may match more freely than we would.
    """
    asked = Dataset()
    for keyword in _MAY_BE_IGNORED:
        if keys.get(keyword):
            setattr(asked, keyword, keys[keyword])
    return matches(asked, item)
