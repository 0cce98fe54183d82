"""Makes the keys of directory records for an instance: copied from it as they are encoded there.

A key that must have a value and has none in the instance gets one, since a reader of the disc may rely on it; a notice
names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import count
from typing import Final

from openmodality.buffer import Buffer
from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.headers import make_layout
from openmodality.encoding.uid import new_uid, strip_padding
from openmodality.errors import ObjectInvalid
from openmodality.media.directory import encode_element
from openmodality.media.element_walk import walk_elements
from openmodality.media.records import KEYS, RecordKey, RecordType, record_type_of
from openmodality.standard import tags
from openmodality.value_class import dataclass

HEAD_BYTES: Final = 8 * 1024
"""So much of a data set nearly always holds all keys of its records; structured reports may need more."""

_EXPLICIT: Final = make_layout(explicit=True, big_endian=False)
_WANTED: Final = frozenset(key.tag for keys in KEYS.values() for key in keys) | {
    tags.SOP_CLASS_UID,
    tags.SOP_INSTANCE_UID,
    tags.ISSUER_OF_PATIENT_ID,
    tags.SERIES_DATE,
    tags.SERIES_TIME,
    tags.CONTENT_DATE,
    tags.CONTENT_TIME,
}
_LAST: Final = max(_WANTED)
_GENERATED: Final = re.compile(r"NOID\d{4,}")


@dataclass(frozen=True, slots=True)
class InstanceHead:
    """The elements of an instance that a directory needs: by tag, each as it is encoded and its value alone."""

    elements: dict[int, bytes]
    values: dict[int, bytes]

    def text(self, tag: int) -> str:
        """A value as text of the default repertoire, without padding."""
        return strip_padding(self.values.get(tag, b""))

    @property
    def record_type(self) -> RecordType:
        """The type of the record that stands for the instance."""
        return record_type_of(self.text(tags.SOP_CLASS_UID))

    @property
    def patient(self) -> tuple[bytes, ...]:
        """The key that tells patients apart: the Patient ID, or the study where that is empty."""
        own = (tags.PATIENT_ID, tags.ISSUER_OF_PATIENT_ID, tags.PATIENT_NAME, tags.PATIENT_BIRTH_DATE)
        identity = tuple(self.values.get(tag, b"").strip(b" \0") for tag in own)
        study = self.values.get(tags.STUDY_INSTANCE_UID, b"").strip(b" \0")
        return identity if identity[0] else (*identity, study)


def read_instance_head(data: Buffer, *, whole: bool) -> InstanceHead | None:
    """The head of a data set in Explicit VR Little Endian.

    ``None`` where ``data`` is but the beginning of the data set and ends too early: then more of it is to be read.
    Raises :class:`ObjectInvalid` where the ``whole`` data set is broken before the last key.
    """
    elements: dict[int, bytes] = {}
    values: dict[int, bytes] = {}
    end = 0
    try:
        for place in walk_elements(data, 0, len(data), _EXPLICIT):
            if place.tag > _LAST:
                return InstanceHead(elements, values)
            end = place.end
            if place.tag in _WANTED:
                elements[place.tag] = bytes(data[place.start : place.end])
                values[place.tag] = bytes(data[place.value : place.end])
    except ObjectInvalid:
        header = _EXPLICIT.read(data, end, len(data) - end)
        if not whole and header is not None and header[0] > _LAST:  # the pixels, which are longer than what was read
            return InstanceHead(elements, values)
        if whole:
            raise
        return None
    return InstanceHead(elements, values) if whole else None


def is_generated_id(patient_id: str) -> bool:
    """Whether a Patient ID was made up for a patient who has none."""
    return bool(_GENERATED.fullmatch(patient_id))


class RecordMaker:
    """Makes the keys of records; ``notices`` are the values that were made up, each said once.

    ``now`` gives the date and time for a study that has none.
    """

    def __init__(self, now: Callable[[], datetime] = datetime.now, taken_ids: Collection[str] = ()) -> None:
        self.notices: list[str] = []
        self._now = now
        self._ids = (name for name in map("NOID{:04d}".format, count(1)) if name not in taken_ids)

    def encode_keys(self, record_type: RecordType, head: InstanceHead, number: int) -> bytes:
        """The keys of one record; ``number`` is its place among its siblings, for numbers that are missing."""
        return b"".join(self._encode(record_type, head, number))

    def _encode(self, record_type: RecordType, head: InstanceHead, number: int) -> Iterator[bytes]:
        for key in KEYS[record_type]:
            if head.values.get(key.tag, b"").strip(b" \0"):
                yield head.elements[key.tag]
            elif key.kind == "1":
                value = self._make_up(key, head, number)
                if value:
                    self._note(record_type, key, value)
                    yield encode_element(key.tag, key.vr, value.encode("ascii"), b"\0" if key.vr == "UI" else b" ")
            elif key.kind == "2":
                yield encode_element(key.tag, key.vr, b"")

    def _make_up(self, key: RecordKey, head: InstanceHead, number: int) -> str:
        match key.tag:
            case tags.PATIENT_ID:
                return next(self._ids)
            case tags.STUDY_DATE | tags.CONTENT_DATE | tags.PRESENTATION_CREATION_DATE:
                return head.text(tags.SERIES_DATE) or head.text(tags.CONTENT_DATE) or self._now().strftime("%Y%m%d")
            case tags.STUDY_TIME | tags.CONTENT_TIME | tags.PRESENTATION_CREATION_TIME:
                return head.text(tags.SERIES_TIME) or head.text(tags.CONTENT_TIME) or self._now().strftime("%H%M%S")
            case tags.STUDY_ID | tags.SERIES_NUMBER | tags.INSTANCE_NUMBER:
                return str(number)
            case tags.STUDY_INSTANCE_UID | tags.SERIES_INSTANCE_UID:
                return new_uid()
        return _OTHERWISE.get(key.tag, "")

    def _note(self, record_type: RecordType, key: RecordKey, value: str) -> None:
        told = f"{name_of(key.tag)} has no value in an instance; its {record_type} record says {value}"
        if told not in self.notices:
            self.notices.append(told)


_OTHERWISE: Final = {
    tags.MODALITY: "OT",
    tags.COMPLETION_FLAG: "PARTIAL",
    tags.VERIFICATION_FLAG: "UNVERIFIED",
    tags.CONTENT_LABEL: "UNNAMED",
}
