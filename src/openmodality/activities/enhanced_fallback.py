"""Lets a send job go on with the classic series where its peer does not accept enhanced images.

Rules. Only for a peer with ``enhanced_or_classic``; for any other the instance is not sent (MR-3.2.3.1-03). One
transaction changes the instances of the job and of the request for commitment that comes after it, so that after a
crash the job finds all of it done, or nothing. A study goes to a peer in one form: the form that was sent first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from openmodality.activities.enhanced_forms import EnhancedForms, Pair, read_forms
from openmodality.counted import format_count
from openmodality.device.site.site import Peer
from openmodality.jobs.job import Job, JobInstance
from openmodality.jobs.listing import get_job, read_instances
from openmodality.jobs.outcome import Done, Fail, JobOutcome, Retry
from openmodality.objects.identity import Uids
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.store.database import Database
from openmodality.store.rows.jobs import read_dependents, replace_instances, set_parameters
from openmodality.store.states import JobKind
from openmodality.store.transaction import Transaction
from openmodality.value_class import dataclass

INSTEAD: Final = "instead"
"""What a job sends instead of what it was queued for, in words; a parameter of it."""


@dataclass(frozen=True, slots=True)
class EnhancedFallback:
    """Changes send jobs of one device."""

    database: Database
    uids: Uids

    def change_beforehand(self, job: Job, peer: Peer, outstanding: Iterable[JobInstance]) -> bool:
        """Change a job whose study was sent to the peer as classic series before; returns whether it was changed."""
        if not peer.settings.enhanced_or_classic:
            return False
        pairs = [(each.SOPClassUID, each.SOPInstanceUID) for each in outstanding]
        with self.database.write() as transaction:
            forms = read_forms(transaction, self.uids, pairs)
            enhanced = [uid for _, uid in pairs if uid in forms.classic_of]
            if not enhanced or not forms.went_as_classic(transaction, peer.name):
                return False
            reason = f"{peer.name} has the classic series of this study"
            self._change(transaction, job, peer, enhanced, forms, reason)
            return True

    def change(self, job: Job, peer: Peer, declined: Collection[str]) -> bool:
        """Change a job after the peer accepted no context for these instances; returns whether it was changed.

        It is not changed where they have no classic series, or the peer has stored enhanced images of their study.
        """
        if not declined or not peer.settings.enhanced_or_classic:
            return False
        with self.database.write() as transaction:
            instances = read_instances(transaction, job.id)
            pairs = [(each.SOPClassUID, each.SOPInstanceUID) for each in instances]
            forms = read_forms(transaction, self.uids, [pair for pair in pairs if pair[1] in declined])
            enhanced = [uid for _, uid in pairs if uid in declined and uid in forms.classic_of]
            if not enhanced or forms.went_as_enhanced(transaction, peer.name):
                return False
            self._change(transaction, job, peer, enhanced, forms, f"{peer.name} does not accept them")
            return True

    def explain(self, peer: Peer, declined: Collection[str]) -> str:
        """Why the classic series is not sent instead of images that were declined, to a peer that may get it."""
        if not declined or not peer.settings.enhanced_or_classic:
            return ""
        pairs = [(ENHANCED_MR_IMAGE_STORAGE, uid) for uid in declined]
        with self.database.read() as snapshot:
            forms = read_forms(snapshot, self.uids, pairs)
            if forms.classic_of and forms.went_as_enhanced(snapshot, peer.name):
                return f"{peer.name} has enhanced images of this study, so its classic series is not sent"
        return "they have no classic series, which is made with an image where a peer may need it"

    def _change(
        self,
        transaction: Transaction,
        job: Job,
        peer: Peer,
        enhanced: list[str],
        forms: EnhancedForms,
        reason: str,
    ) -> None:
        classic: list[Pair] = list(dict.fromkeys(pair for uid in enhanced for pair in forms.classic_of[uid]))
        later = [get_job(transaction, each) for each in read_dependents(transaction, job.id)]
        for each in [job, *(later for later in later if later.kind is JobKind.COMMIT)]:
            replace_instances(transaction, each.id, enhanced, classic)
        what = format_count(len(enhanced), "Enhanced MR Image")
        said = f"the classic series of {len(classic)} images instead of {what}: {reason}"
        known = get_job(transaction, job.id).parameters
        set_parameters(transaction, job.id, {**known, INSTEAD: said})


def name_form(outcome: JobOutcome, parameters: Mapping[str, Any]) -> JobOutcome:
    """The outcome of a job, with a comment where it sent the classic series instead."""
    said = str(parameters.get(INSTEAD, ""))
    if not said:
        return outcome
    if isinstance(outcome, Done):
        return replace(outcome, comment=f"{said}; {outcome.comment}" if outcome.comment else said)
    if isinstance(outcome, Fail | Retry):
        return replace(outcome, reason=f"{outcome.reason}; {said}")
    return outcome
