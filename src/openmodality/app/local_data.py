"""What is in the local database: listed, imported, deleted, sent on by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.store.files.instance_file import Stored
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import InstanceReference, Level, instance_references
from openmodality.store.local import LocalStore
from openmodality.store.rows.deletion import Deleted, delete_entity


@dataclass(slots=True)
class Imported:
    """What became of the files of an import; ``refused`` are those that are no DICOM files, with the reason."""

    new: int = 0
    same: int = 0
    different: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)


class LocalData:
    """The instances of this device and what they belong to."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store

    def references(self, study: str = "", series: str = "", instance: str = "") -> list[InstanceReference]:
        """The instances of a study, series or instance. Raises :class:`UsageError` where there is none."""
        given = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": instance}
        keys = {keyword: uid for keyword, uid in given.items() if uid}
        if not keys:
            raise UsageError("name a study, a series or an instance by its UID")
        with self._store.read() as snapshot:
            found = instance_references(snapshot, Level.IMAGE, keys)
        if not found:
            raise NotFound("the local database has no such instances")
        return found

    def import_files(self, paths: Iterable[str | Path], progress: Progress = lambda done, total: None) -> Imported:
        """Copy PS3.10 files, and those of folders, into the store."""
        files = list(_files(paths))
        imported = Imported()
        for number, path in enumerate(files, 1):
            try:
                stored = self._store.add_file(path)
            except ObjectInvalid as error:
                imported.refused.append((path, str(error)))
            else:
                imported.new += stored is Stored.NEW
                imported.same += stored is Stored.SAME
                imported.different += stored is Stored.DIFFERENT
            progress(number, len(files))
        self._store.flush()
        return imported

    def delete(self, level: Level, uid: str, *, issuer: str = "", force: bool = False) -> Deleted:
        """Delete a patient (by Patient ID), study, series or instance.

        Raises :class:`StoreError` while an exam or a job needs it, :class:`NotCommitted` unless ``force`` is given.
        """
        return delete_entity(self._store, level, uid, issuer=issuer, force=force)


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and each.name != "DICOMDIR")
        elif path.exists():
            yield path
        else:
            raise UsageError(f"{path}: there is no such file or folder")
