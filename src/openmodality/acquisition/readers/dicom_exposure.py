"""The exposure that a DICOM file states of itself, by the attributes of its acquisition (PS3.3 C.8.7.2, C.8.7.8).

An image that is derived of others was made without radiation. What contradicts itself is no record: the pixels are
taken all the same, and an operator is told why they have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import pairwise
from typing import Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from openmodality.dimse.reading import values_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.stating import known_keywords
from openmodality.value_class import dataclass

_REQUIRED: Final = "KVP"
_FRAMES: Final = "NumberOfFrames"
_EVENT_UID: Final = "IrradiationEventUID"
_MOMENTS: Final = ("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime")
_NOT_OF_EVENT: Final = frozenset(("PatientPosition", "BodyPartExamined", "ProtocolName"))
"""Known keywords of which an image may say what is not one of the terms of a dose report; the series says them."""
_AT_ONCE: Final = "the exposures of these files overlap in time; they are recorded one after the other"


@dataclass(frozen=True, slots=True)
class StatedExposures:
    """The event of each file, None where it states none, and what an operator is to know of them."""

    events: Sequence[IrradiationEvent | None] = ()
    notices: Sequence[str] = ()


@dataclass(slots=True)
class _Stating:
    """The keywords of each file as an event, with what is wrong with them."""

    notices: list[str] = field(default_factory=list)

    def make_events(self, said: Sequence[Mapping[str, object]], where: Sequence[str]) -> list[IrradiationEvent | None]:
        """One event for all files of a run, which have its UID."""
        frames = Counter[object]()
        for each in said:
            frames[each.get(_EVENT_UID)] += int(str(each.get(_FRAMES) or 1))
        made: dict[object, IrradiationEvent | None] = {}
        events = []
        for each, place in zip(said, where, strict=True):
            uid = each.get(_EVENT_UID)
            if uid is None:
                events.append(self._make_event(each, place))
                continue
            if uid not in made:
                made[uid] = self._make_event({**each, _FRAMES: frames[uid]}, place)
            events.append(made[uid])
        return events

    def _make_event(self, said: Mapping[str, object], where: str) -> IrradiationEvent | None:
        if _REQUIRED not in said:
            return None
        try:
            return IrradiationEvent.from_keywords(said, where)
        except ObjectInvalid as error:
            self.notices.append(f"its exposure is not used: {error.message}")
            return None


def pick_exposure(data_set: Dataset) -> dict[str, object]:
    """What a file says of its irradiation, by keyword; nothing of an image that is derived."""
    if str((values_of(data_set["ImageType"]) or [""])[0] if "ImageType" in data_set else "") == "DERIVED":
        return {}
    picked: dict[str, object] = {}
    for keyword in known_keywords():
        if keyword in _NOT_OF_EVENT or tag_for_keyword(keyword) is None or keyword not in data_set:
            continue
        values = values_of(data_set[keyword])
        if len(values) == 1 and not isinstance(values[0], Dataset):
            picked[keyword] = str(values[0])
    return picked


def make_exposures(said: Sequence[Mapping[str, object]], where: Sequence[str]) -> StatedExposures:
    """The events of files that are one series; ``where`` names each in what is said of it."""
    stating = _Stating()
    events = stating.make_events(said, where)
    if _overlap([each for each in events if each is not None]):
        without = [{name: value for name, value in each.items() if name not in _MOMENTS} for each in said]
        return StatedExposures(_Stating().make_events(without, where), [*stating.notices, _AT_ONCE])
    return StatedExposures(events, stating.notices)


def _overlap(events: Sequence[IrradiationEvent]) -> bool:
    apart = {id(each): each for each in events}.values()  # those of one run are one
    spans = sorted((each.started, each.find_end(each.started)) for each in apart if each.started)
    return any(begin < end for (_, end), (begin, _) in pairwise(spans)) or len(set(spans)) < len(spans)
