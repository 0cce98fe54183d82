"""Looks into a medium: finds its records by keys and its instances, and checks what its directory says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from openmodality.audit.subjects import StudySubject
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.media.directory import DirectoryRecord
from openmodality.media.directory_reader import Directory, RecordProblem, read_directory
from openmodality.media.file_ids import find_file, is_file_id
from openmodality.media.pdi.pages import INDEX_NAME, PDI_FOLDER, README_NAME
from openmodality.network.storage.instances import read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.query.matching import matches
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.standard.query_retrieve import Level

_LEVELS: Final[Mapping[str, Level]] = {level.value: level for level in Level}
_SUBJECT: Final = ("StudyInstanceUID", "PatientID", "PatientName", "AccessionNumber")
"""The members of :class:`openmodality.audit.subjects.StudySubject`, by keyword."""


def query_medium(root: Path, level: str, keys: Mapping[str, str]) -> tuple[list[Dataset], list[RecordProblem]]:
    """The records of a level that match keys by keyword, each with the keys of the levels above it (MR-7.2.2).

    ``level`` is PATIENT, STUDY, SERIES or IMAGE; IMAGE stands for all that refers to a file. Also what is wrong with
    the directory. Raises :class:`UsageError` for another level or a keyword that is none.
    """
    asked = Level(level)
    directory = read_directory(root / DIRECTORY_NAME)
    found = [known for known, record in _walk(directory) if _find_level(record) is asked and _matches(keys, known)]
    return found, directory.problems


def find_on_medium(root: Path, keys: Mapping[str, str]) -> tuple[list[Path], list[str]]:
    """The instance files of a medium that match keys (MR-7.2.3), and why others cannot be taken, in words."""
    directory = read_directory(root / DIRECTORY_NAME)
    files, faults = [], [str(problem) for problem in directory.problems]
    for known, record in _walk(directory):
        if not record.file_id or not _matches(keys, known):
            continue
        path = find_file(root, record.file_id)
        if path is None:
            faults.append(f"{'/'.join(record.file_id)} is not on the medium")
        else:
            files.append(path)
    return files, faults


def list_subjects(root: Path) -> list[StudySubject]:
    """The studies on a medium with their patients, as its directory tells them."""
    classes: dict[tuple[str, ...], Counter[str]] = {}
    for known, record in _walk(read_directory(root / DIRECTORY_NAME)):
        if record.file_id:
            about = tuple(str(known.get(keyword) or "") for keyword in _SUBJECT)
            classes.setdefault(about, Counter())[record.sop_class_uid] += 1
    return [
        StudySubject(study, patient_id, name, accession, counts)
        for (study, patient_id, name, accession), counts in classes.items()
    ]


def verify_medium(root: Path) -> list[str]:
    """What is wrong with a file-set, in words: directory, names, files that are missing, broken or not what is said."""
    directory = read_directory(root / DIRECTORY_NAME)
    faults = [str(problem) for problem in directory.problems]
    named: set[Path] = set()
    for patient in directory.patients:
        for record in patient.walk():
            if record.file_id:
                faults += _verify_file(root, record, named)
    extra = [path for path in _list_instance_files(root) if path not in named]
    faults += [f"{path.relative_to(root.resolve())} is in no record" for path in extra]
    return faults


def _verify_file(root: Path, record: DirectoryRecord, named: set[Path]) -> Iterator[str]:
    name = "/".join(record.file_id)
    if not is_file_id(record.file_id):
        yield f"{name} is no File ID (PS3.10 8.2)"
    path = find_file(root, record.file_id)
    if path is None:
        yield f"{name} is not on the medium"
        return
    named.add(path)
    try:
        instance = read_instance(path)
        for _ in InstanceReader(check=True).iterate(instance):
            pass
    except ObjectInvalid as error:
        yield f"{name} cannot be read: {error.message.removeprefix(f'{path}: ')}"
        return
    told = (record.sop_class_uid, record.sop_instance_uid, record.transfer_syntax_uid)
    if told != (*instance.identity, instance.transfer_syntax):
        yield f"{name} is another instance than its record says"


def _list_instance_files(root: Path) -> list[Path]:
    beside = {DIRECTORY_NAME, INDEX_NAME, README_NAME, PDI_FOLDER}
    inside = root.resolve()
    files = (path for path in sorted(inside.rglob("*")) if path.is_file())
    return [path for path in files if path.relative_to(inside).parts[0] not in beside]


def _walk(directory: Directory) -> Iterator[tuple[Dataset, DirectoryRecord]]:
    """Every record with its keys and those of all records above it."""
    waiting: list[tuple[Dataset, DirectoryRecord]] = [(Dataset(), record) for record in reversed(directory.patients)]
    while waiting:
        above, record = waiting.pop()
        keys = Dataset()
        keys.update(above)
        keys.update(directory.keys_of(record))
        if record.sop_instance_uid:
            keys.SOPClassUID, keys.SOPInstanceUID = record.sop_class_uid, record.sop_instance_uid
        yield keys, record
        waiting.extend((keys, child) for child in reversed(record.children))


def _find_level(record: DirectoryRecord) -> Level:
    """The level of a record; what is no patient, study or series stands where images do."""
    return _LEVELS.get(record.record_type, Level.IMAGE)


def _matches(keys: Mapping[str, str], known: Dataset) -> bool:
    asked = Dataset()
    for keyword, value in keys.items():
        if tag_for_keyword(keyword) is None:
            raise UsageError(f"{keyword} is no attribute of DICOM")
        try:
            setattr(asked, keyword, value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{keyword} is not matched by such a value") from error
    return matches(asked, known)
