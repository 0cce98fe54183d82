"""Finds the two forms of an acquisition, enhanced images and a classic series; a peer gets one of them in a study.

The classic series is made with the enhanced image where a peer of the site may need it
(``peers.NAME.enhanced_or_classic``), under UIDs derived from it. Enhanced images are queued; where a peer accepts no
presentation context for them, its job, and the request for commitment that comes after it, go on with the classic
series. What went to the peer of a study before decides for the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from openmodality.errors import UsageError
from openmodality.objects.identity import Uids
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.store.listing.entities import InstanceReference, instance_references
from openmodality.store.rows.jobs import find_queued_uids, find_sent_uids
from openmodality.store.transaction import Snapshot
from openmodality.value_class import dataclass

Pair = tuple[str, str]
"""SOP Class UID and SOP Instance UID."""

_AT_ONCE: Final = 500


def name_classic_series(uids: Uids, series_instance_uid: str) -> str:
    """The UID of the classic series of an enhanced one."""
    return uids.derived(f"{series_instance_uid}/classic")


@dataclass(frozen=True, slots=True)
class EnhancedForms:
    """The enhanced images of one or more studies that have a classic series, and the images of that.

    ``classic_of`` has the classic images by the SOP Instance UID of each enhanced one: those of its whole series.
    """

    classic_of: Mapping[str, tuple[Pair, ...]]

    @property
    def classic(self) -> frozenset[str]:
        """All classic images, by their SOP Instance UIDs."""
        return frozenset(uid for pairs in self.classic_of.values() for _, uid in pairs)

    def are_both_in(self, instances: Iterable[Pair]) -> bool:
        """Whether enhanced and classic images are among the instances."""
        uids = {uid for _, uid in instances}
        return bool(uids & self.classic_of.keys()) and bool(uids & self.classic)

    def leave_out_classic(self, instances: Iterable[Pair]) -> list[Pair]:
        """The instances without classic ones whose enhanced image is among them."""
        given = list(instances)
        twins = {uid for _, each in given for _, uid in self.classic_of.get(each, ())}
        return [pair for pair in given if pair[1] not in twins]

    def find_waiting(self, snapshot: Snapshot, peer: str, instances: Iterable[Pair]) -> list[Pair]:
        """The instances that are not queued for the peer, neither themselves nor their other form."""
        wanted = self.leave_out_classic(instances)
        asked = {uid for _, uid in wanted} | self.classic
        queued = find_queued_uids(snapshot, peer, sorted(asked))
        return [pair for pair in wanted if pair[1] not in queued and not self._is_replaced(pair[1], queued)]

    def _is_replaced(self, enhanced_uid: str, queued: set[str]) -> bool:
        return any(uid in queued for _, uid in self.classic_of.get(enhanced_uid, ()))

    def went_as_classic(self, snapshot: Snapshot, peer: str) -> bool:
        """Whether classic images were sent to the peer, or are queued for it."""
        return bool(find_queued_uids(snapshot, peer, sorted(self.classic)))

    def went_as_enhanced(self, snapshot: Snapshot, peer: str) -> bool:
        """Whether the peer has stored one of the enhanced images."""
        return bool(find_sent_uids(snapshot, peer, sorted(self.classic_of)))

    def choose_sent(self, snapshot: Snapshot, peer: str, instances: Iterable[Pair]) -> list[Pair]:
        """The instances in the form that was sent to the peer, else in the enhanced form, which is tried first."""
        given = list(instances)
        if self.classic_of and self.went_as_classic(snapshot, peer):
            return [pair for pair in given if pair[1] not in self.classic_of]
        return self.leave_out_classic(given)

    def refuse_mixing(self, snapshot: Snapshot, peer: str, instances: Sequence[Pair]) -> None:
        """Raises :class:`UsageError` where a person chose one form and the peer has the other."""
        chosen = {uid for _, uid in instances}
        asks = [chosen & self.classic_of.keys(), chosen & self.classic]
        went = [self.went_as_enhanced(snapshot, peer), self.went_as_classic(snapshot, peer)]
        for form, other, words in ((0, 1, "the classic series"), (1, 0, "enhanced images")):
            if asks[form] and went[other]:
                raise UsageError(
                    f"{peer} has {words} of this study, and a study there is not to have both",
                    advice=f"send it {words} of it",
                )


NO_FORMS: Final = EnhancedForms({})


def read_pairs(snapshot: Snapshot, sop_instance_uids: Sequence[str]) -> list[Pair]:
    """Instances with their SOP classes."""
    found = _list_references(snapshot, "SOPInstanceUID", sop_instance_uids)
    return [(each.SOPClassUID, each.SOPInstanceUID) for each in found]


def read_forms(
    snapshot: Snapshot, uids: Uids, instances: Iterable[Pair], classes: Sequence[str] = (ENHANCED_MR_IMAGE_STORAGE,)
) -> EnhancedForms:
    """The forms of the studies to which those of the instances belong that are of one of the SOP classes."""
    asked = [uid for sop_class, uid in instances if sop_class in classes]
    if not asked:
        return NO_FORMS
    found = _list_references(snapshot, "SOPInstanceUID", asked)
    return read_forms_of_studies(snapshot, uids, {each.StudyInstanceUID for each in found})


def read_forms_of_studies(snapshot: Snapshot, uids: Uids, studies: Iterable[str]) -> EnhancedForms:
    """The forms of these studies."""
    by_series: dict[str, list[InstanceReference]] = {}
    for each in _list_references(snapshot, "StudyInstanceUID", sorted(studies)):
        by_series.setdefault(each.SeriesInstanceUID, []).append(each)
    classic_of: dict[str, tuple[Pair, ...]] = {}
    for series_uid, references in by_series.items():
        classic = by_series.get(name_classic_series(uids, series_uid), [])
        pairs = tuple((each.SOPClassUID, each.SOPInstanceUID) for each in classic)
        if pairs:
            classic_of |= {each.SOPInstanceUID: pairs for each in references}
    return EnhancedForms(classic_of)


def _list_references(snapshot: Snapshot, keyword: str, values: Sequence[str]) -> list[InstanceReference]:
    found: list[InstanceReference] = []
    for start in range(0, len(values), _AT_ONCE):
        keys = {keyword: "\\".join(values[start : start + _AT_ONCE])}
        found += instance_references(snapshot, Level.IMAGE, keys)
    return found
