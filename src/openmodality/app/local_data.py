"""The local database as a person uses it: lists, imports, deletes and chooses instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from pathlib import Path

from openmodality.activities.audit import AuditTrail
from openmodality.activities.dicom_files import Unreadable, list_dicom_files
from openmodality.activities.importing import Importer
from openmodality.audit.events import tell_imported
from openmodality.errors import NotFound, ObjectInvalid, StoreError, UsageError
from openmodality.network.storage.instances import NotDicom
from openmodality.standard.query_retrieve import Level
from openmodality.store.files.instance_file import Stored
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import InstanceReference, instance_references
from openmodality.store.local import LocalStore
from openmodality.store.rows.deletion import Deleted, delete_entity, find_hindrance
from openmodality.value_class import dataclass


@dataclass(slots=True)
class Imported:
    """The results of an import, file by file.

    ``refused`` are those that are damaged, cannot be read, or were named themselves and are no DICOM files, with the
    reason; files in folders that are no DICOM files are ``passed_over``.
    """

    new: int = 0
    same: int = 0
    different: int = 0
    passed_over: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Studies, series and instances of the local database, by their UIDs."""

    studies: Sequence[str] = ()
    series: Sequence[str] = ()
    instances: Sequence[str] = ()


class LocalData:
    """The instances of this device and what they belong to."""

    def __init__(self, store: LocalStore, identity: tuple[str, str], trail: AuditTrail | None = None) -> None:
        self._store = store
        self._identity = identity
        self._trail = trail

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

    def list_chosen(self, chosen: Chosen) -> list[tuple[str, str]]:
        """SOP Class and Instance UID of what is chosen, each once, in the order of the database.

        Raises :class:`UsageError` where nothing is.
        """
        found = [
            *(each for uid in chosen.studies for each in self.references(study=uid)),
            *(each for uid in chosen.series for each in self.references(series=uid)),
            *(each for uid in chosen.instances for each in self.references(instance=uid)),
        ]
        if not found:
            raise UsageError("nothing is chosen", advice="name what with --study, --series or --instance")
        return list(dict.fromkeys((each.SOPClassUID, each.SOPInstanceUID) for each in found))

    def import_files(self, paths: Iterable[str | Path], progress: Progress = lambda done, total: None) -> Imported:
        """Copy DICOM files, and those of folders, into the store.

        Raises :class:`UsageError` where a path leads nowhere.
        """
        closed: list[Unreadable] = []
        given = list(paths)
        files = list(list_dicom_files(map(_check_path, given), closed))
        imported = Imported(refused=[(path, why.message) for path, why in closed])
        importer = Importer(self._store, self._identity)
        try:
            self._import_each(importer, files, imported, progress)
        finally:
            self._tell_imported(given, importer.sop_instance_uids, len(imported.refused))
        return imported

    def _import_each(
        self, importer: Importer, files: Sequence[tuple[Path, bool]], imported: Imported, progress: Progress
    ) -> None:
        for number, (path, is_named) in enumerate(files, 1):
            try:
                stored = importer.import_file(path)
            except ObjectInvalid as error:
                if is_named or not isinstance(error, NotDicom):
                    imported.refused.append((path, error.message))
                else:
                    imported.passed_over += 1
            else:
                imported.new += stored in (Stored.NEW, Stored.REPLACED)
                imported.same += stored is Stored.SAME
                imported.different += stored is Stored.DIFFERENT
            progress(number, len(files))

    def _tell_imported(self, paths: Sequence[str | Path], sop_instance_uids: Sequence[str], refused: int) -> None:
        """Put on record what has come, and wait until it is in the index."""
        self._store.flush()
        if self._trail is None or not sop_instance_uids:
            return
        subjects = self._trail.find_subjects(sop_instance_uids)
        source = Path(paths[0]).resolve().as_uri() if len(paths) == 1 else "several files and folders"
        self._trail.tell(tell_imported(self._trail.who, source, subjects, refused))

    def find_hindrance(self, level: Level, uid: str) -> StoreError | None:
        """The reason why a study, series or instance may not be deleted now; ``None`` where it may."""
        with self._store.read() as snapshot:
            return find_hindrance(snapshot, level, uid)

    def delete(self, level: Level, uid: str, *, issuer: str = "", force: bool = False) -> Deleted:
        """Delete a patient (by Patient ID), study, series or instance.

        Raises :class:`StoreError` while an exam or a job needs it, :class:`NotCommitted` unless ``force`` is given.
        """
        tell = (lambda *_: None) if self._trail is None else self._trail.note_deleted
        return delete_entity(self._store, level, uid, issuer=issuer, force=force, tell=tell)


def _check_path(path: str | Path) -> Path:
    if not (found := Path(path)).exists():
        raise UsageError(f"{path}: there is no such file or folder")
    return found
