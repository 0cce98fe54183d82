"""Probes of storage, which leave images of a test patient at the peer (PS3.4 Annex B).

An image of each accepted SOP class, one of them again, and again with other pixels under the same UID.
"""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import CUT, Severity, Written, classify, format_status
from openmodality.conformance.doctor.made_data import MODALITIES, MadeStudy
from openmodality.conformance.doctor.query_probe import has_study
from openmodality.dimse.channel import context_for
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.services.commitment import Reference
from openmodality.services.storage import InstanceIdentity, StoreResult, store
from openmodality.standard.dimse import Status
from openmodality.value_class import dataclass

_AREA: Final = "storage"
_MOST_LOST: Final = 2
"""After so many associations that broke no further image is tried."""
_LONGEST_S: Final = 15.0
"""The share of storage in the whole time."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that the peer has taken."""

    name: str
    image: Dataset

    @property
    def reference(self) -> Reference:
        """What a request for commitment names."""
        return Reference(str(self.image.SOPClassUID), str(self.image.SOPInstanceUID))


def probe_storage(examination: Examination, study: MadeStudy) -> list[StoredImage]:
    """Store a test image of each accepted SOP class of which one is made; those that the peer has taken."""
    accepted = [each for each in examination.offered.values() if each.service == "storage" and each.is_accepted]
    classes = [uid for uid in MODALITIES if examination.accepts(uid)]
    if not accepted:
        return []
    others = len(accepted) - len(classes)
    if others:
        text = f"{others} of {len(accepted)} SOP classes are not tried: no test image is made of them"
        examination.note(_AREA, "test images", text, Severity.UNTRIED)
    if examination.is_slow:
        classes = classes[:1]
    stored = _store_all(examination, study, classes)
    if stored:
        names = ", ".join(each.name for each in stored)
        examination.note(_AREA, "test images", f"it stores test images of {names}")
        _probe_duplicates(examination, study, stored[0])
        _probe_coercion(examination, study)
    return stored


def _store_all(examination: Examination, study: MadeStudy, classes: list[str]) -> list[StoredImage]:
    stored: list[StoredImage] = []
    images = [study.make_image(uid, number) for number, uid in enumerate(classes, 1)]
    lost, until_s = 0, examination.seconds + _LONGEST_S
    while images and lost < _MOST_LOST and examination.has_time and examination.seconds < until_s:
        try:
            with examination.talk("storage", *(str(each.SOPClassUID) for each in images)) as association:
                while images and examination.seconds < until_s:
                    taken = _store(examination, association, images.pop(0))
                    stored += [taken] if taken else []
        except OpenModalityError as error:
            lost += 1
            _note_lost(examination, study, error)
    if images:
        text = f"{len(images)} SOP classes are not tried after that"
        examination.note(_AREA, "test images", text, Severity.UNTRIED)
    return stored


def _store(examination: Examination, association: Association, image: Dataset) -> StoredImage | None:
    """Store one image; ``None`` where the peer refuses it. Raises what ends the association."""
    uid = str(image.SOPInstanceUID)
    name = examination.offered[str(image.SOPClassUID)].name
    examination.tell(f"storing {name}")
    # on record before it goes out: a lost answer does not mean that it was not stored
    examination.written.append(Written("instance", uid, name))
    result = _put(association, image)
    if result.status == Status.SUCCESS:
        return StoredImage(name, image)
    examination.observe(_AREA, format_status(result.status))
    said = f"{name} is answered with {describe(result.status, result.comment)}"
    is_taken = not result.verdict.is_failure or result.status == Status.DUPLICATE_SOP_INSTANCE
    examination.note(_AREA, "status", said, Severity.NOTE if is_taken else Severity.PROBLEM)
    if not is_taken:
        examination.written.pop()
    return StoredImage(name, image) if is_taken else None


def _put(association: Association, image: Dataset) -> StoreResult:
    identity = InstanceIdentity(str(image.SOPClassUID), str(image.SOPInstanceUID))
    context = context_for(association, identity.sop_class_uid)
    return store(association, context, identity, encode_data_set(image, context.transfer_syntax))


def _note_lost(examination: Examination, study: MadeStudy, error: OpenModalityError) -> None:
    """A storage that had no answer; where the connection was cut, the archive is asked whether it has the image."""
    outcome = classify(error)
    text = error.message
    if outcome == CUT and examination.has_time and has_study(examination, study.study_instance_uid):
        outcome, text = "cut after storing", f"{error.message}; the image is stored all the same"
    examination.observe(_AREA, outcome)
    examination.note(_AREA, "test images", text, Severity.PROBLEM)


def _probe_duplicates(examination: Examination, study: MadeStudy, first: StoredImage) -> None:
    """The same instance again, then another one under its UID (INTEROP: never reuse a SOP Instance UID)."""
    if not examination.has_time:
        return
    changed = study.make_image(str(first.image.SOPClassUID), 1, shade=500)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        setattr(changed, keyword, getattr(first.image, keyword))
    try:
        with examination.talk("storage", str(first.image.SOPClassUID)) as association:
            again = _put(association, first.image)
            other = None if examination.is_slow else _put(association, changed)
    except OpenModalityError as error:
        examination.note(_AREA, "duplicates", f"an instance that comes again: {error.message}", Severity.PROBLEM)
        return
    examination.facts["duplicate_status"] = f"{again.status:04X}"
    is_plain = not again.verdict.is_failure
    text = f"an instance that comes again is answered with {describe(again.status, again.comment)}"
    examination.note(_AREA, "duplicates", text, Severity.FACT if is_plain else Severity.NOTE)
    if other is not None:
        text = f"other pixels under a known UID are answered with {describe(other.status, other.comment)}"
        examination.note(_AREA, "duplicates", text)


def _probe_coercion(examination: Examination, study: MadeStudy) -> None:
    """Whether the archive has patient and study as they were sent."""
    found = has_study(examination, study.study_instance_uid) if examination.has_time else None
    if found is None:
        return
    examination.facts["is_found_after_storing"] = found
    if found:
        text = "what was stored is found by a query at once, as this patient and study"
        examination.note(_AREA, "coercion", text)
    else:
        text = "what was stored is not found by a query at once, as this patient and study: put aside, or indexed later"
        examination.note(_AREA, "coercion", text, Severity.NOTE)
