"""Key object selection: which instances are of note, and why (PS3.16 TID 2010)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydicom.dataset import Dataset

from openmodality.errors import UsageError
from openmodality.objects.references import EvidenceReference
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import dcm
from openmodality.objects.report.tid_1002 import make_device_observer, make_person_observer
from openmodality.objects.rules.sequence_items import Code, SequenceItem
from openmodality.standard.key_object_titles import OF_INTEREST, REASONS, TAKES_REASON, TITLES
from openmodality.value_class import value_class

_TITLE_MODIFIER: Final = dcm("113011", "Document Title Modifier")
_DESCRIPTION: Final = dcm("113012", "Key Object Description")


@value_class
class Note:
    """Why instances are of note. ``title`` and ``reason`` are codes or meanings of CID 7010 and of CID 7011 or 7012.

    ``observer`` is who chose, as a Person Name; empty where the device is the observer. Raises :class:`UsageError` for
    a title or reason that is none.
    """

    title: str = OF_INTEREST
    reason: str = ""
    description: str = ""
    observer: str = ""

    def __post_init__(self) -> None:
        _find_reason(find_title(self.title), self.reason)


@value_class
class KeyObjects:
    """What a key object document says.

    ``device_observer_uid`` names the device as observer where no person is; ``identical`` are the same documents in the
    other studies that are referred to (PS3.3 C.17.6.2.1). Raises :class:`UsageError` where no instance is named.
    """

    references: Sequence[EvidenceReference]
    note: Note
    device_observer_uid: str
    identical: Sequence[EvidenceReference] = ()

    def __post_init__(self) -> None:
        if not self.references:
            raise UsageError("a key object document names one instance at least")


def find_title(title: str) -> Code:
    """The title of a code, or of a meaning in any case. Raises :class:`UsageError` where there is none."""
    wanted = title.strip().casefold()
    for value, meaning in TITLES.items():
        if wanted in (value, meaning.casefold()):
            return dcm(value, meaning)
    raise UsageError(f"{title!r} is no title of a key object document", advice="openmodality key titles lists them")


def make_key_object_content(content: KeyObjects, equipment: Dataset) -> SequenceItem:
    """The root of the document with its items; ``equipment`` names the device, where no person chose."""
    title = find_title(content.note.title)
    children = [*_modify(content.note, title), *_name_observer(content, equipment), *_contain(content)]
    return sr.make_container(title, children, template="2010")


def _modify(note: Note, title: Code) -> Iterator[SequenceItem]:
    if reason := _find_reason(title, note.reason):
        yield sr.relate(sr.HAS_CONCEPT_MOD, sr.make_code(_TITLE_MODIFIER, reason))


def _find_reason(title: Code, reason: str) -> Code | None:
    known = REASONS.get(title.value, {})
    wanted = reason.strip().casefold()
    for value, meaning in known.items():
        if wanted in (value, meaning.casefold()):
            return dcm(value, meaning)
    words = f"the title {title.value} {title.meaning}"
    offered = "; ".join(f"{value} {meaning}" for value, meaning in known.items())
    if reason:
        raise UsageError(f"{words} does not take the reason {reason!r}", advice=f"it takes: {offered or 'none'}")
    if title.value in TAKES_REASON:
        raise UsageError(f"{words} requires a reason", advice=offered)
    return None


def _name_observer(content: KeyObjects, equipment: Dataset) -> Iterator[SequenceItem]:
    person = content.note.observer
    items = make_person_observer(person) if person else make_device_observer(content.device_observer_uid, equipment)
    for item in items:
        yield sr.relate(sr.HAS_OBS_CONTEXT, item)


def _contain(content: KeyObjects) -> Iterator[SequenceItem]:
    if content.note.description:
        yield from sr.contains(sr.make_text(_DESCRIPTION, content.note.description))
    for reference in content.references:
        yield from sr.contains(sr.make_reference(reference))
