"""The records of a file-set while it is written: finds the place of a new instance, and the name of its file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from openmodality.encoding.headers import layout_of
from openmodality.errors import ObjectInvalid
from openmodality.media.directory import DirectoryRecord, FileId
from openmodality.media.directory_reader import Directory
from openmodality.media.element_walk import walk_elements
from openmodality.media.file_ids import DISC_FOLDER, FileIdSource
from openmodality.media.instance_head import InstanceHead, RecordMaker, is_generated_id
from openmodality.media.records import RecordType
from openmodality.standard import tags
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

_LEVELS: Final = ((RecordType.PATIENT, "PA"), (RecordType.STUDY, "ST"), (RecordType.SERIES, "SE"))

Owner = tuple[object, ...]
"""What a patient, study or series is known by: the patient, then the UIDs."""


class RecordTree:
    """Records of patients, studies, series and instances; ``old`` is the directory that is added to.

    ``taken`` are names of files that no directory knows: none of them is given to an instance.
    """

    def __init__(self, old: Directory | None = None, taken: Iterable[FileId] = ()) -> None:
        self.patients: list[DirectoryRecord] = list(old.patients) if old else []
        known = [record for patient in self.patients for record in patient.walk()]
        self.sop_instance_uids = {record.sop_instance_uid for record in known if record.file_id}
        self.file_ids = {record.file_id for record in known if record.file_id}
        self._names = FileIdSource((*self.file_ids, *taken))
        self._places: dict[Owner, tuple[DirectoryRecord, FileId]] = {}
        ids = {_read_values(record).get(tags.PATIENT_ID, b"").decode("ascii", "replace") for record in self.patients}
        self.maker = RecordMaker(taken_ids=ids)
        for patient in self.patients:
            self._know(patient)

    def insert(self, head: InstanceHead, transfer_syntax_uid: str) -> FileId:
        """Add the records of an instance; its File ID."""
        owner: Owner = (head.patient,)
        siblings = self.patients
        above: FileId = (DISC_FOLDER,)
        for record_type, prefix in _LEVELS:
            if record_type is not RecordType.PATIENT:
                uid = tags.STUDY_INSTANCE_UID if record_type is RecordType.STUDY else tags.SERIES_INSTANCE_UID
                owner = (*owner, head.text(uid))
            if owner not in self._places:
                record = DirectoryRecord(record_type, self.maker.encode_keys(record_type, head, len(siblings) + 1))
                siblings.append(record)
                self._places[owner] = (record, self._names.next_name(above, prefix))
            record, above = self._places[owner]
            siblings = record.children
        keys = self.maker.encode_keys(head.record_type, head, len(siblings) + 1)
        file_id = self._names.next_name(above, "IM")
        class_uid, instance_uid = head.text(tags.SOP_CLASS_UID), head.text(tags.SOP_INSTANCE_UID)
        siblings.append(DirectoryRecord(head.record_type, keys, file_id, class_uid, instance_uid, transfer_syntax_uid))
        self.sop_instance_uids.add(instance_uid)
        self.file_ids.add(file_id)
        return file_id

    def _know(self, patient: DirectoryRecord) -> None:
        """Note where the studies and series of a patient that is there already are."""
        values = _read_values(patient)
        own = (tags.PATIENT_ID, tags.ISSUER_OF_PATIENT_ID, tags.PATIENT_NAME, tags.PATIENT_BIRTH_DATE)
        identity = tuple(values.get(tag, b"") for tag in own)
        for study in patient.children:
            study_uid = _read_values(study).get(tags.STUDY_INSTANCE_UID, b"")
            is_generated = is_generated_id(identity[0].decode("ascii", "replace"))
            name: tuple[bytes, ...] = (b"", *identity[1:], study_uid) if is_generated else identity
            self._places.setdefault((name,), (patient, self._find_folder(patient, 2, "PA")))
            of_study: Owner = (name, study_uid.decode("ascii", "replace"))
            self._places.setdefault(of_study, (study, self._find_folder(study, 3, "ST")))
            for series in study.children:
                series_uid = _read_values(series).get(tags.SERIES_INSTANCE_UID, b"").decode("ascii", "replace")
                self._places.setdefault((*of_study, series_uid), (series, self._find_folder(series, 4, "SE")))

    def _find_folder(self, record: DirectoryRecord, depth: int, prefix: str) -> FileId:
        """Where files below a record go: beside those that are there, if they lie as ours do."""
        for below in record.walk():
            if len(below.file_id) == len(_LEVELS) + 2 and below.file_id[0] == DISC_FOLDER:
                return below.file_id[:depth]
        return self._names.next_name((DISC_FOLDER, "XX000000", "XX000000")[: depth - 1], prefix)


def _read_values(record: DirectoryRecord) -> dict[int, bytes]:
    """The values of a record by tag, without padding; none where its keys are broken."""
    data, found = record.keys, {}
    try:
        for place in walk_elements(data, 0, len(data), layout_of(EXPLICIT_VR_LITTLE_ENDIAN)):
            found[place.tag] = data[place.value : place.end].strip(b" \0")
    except ObjectInvalid:
        return {}
    return found
