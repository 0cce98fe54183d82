"""Imports a DICOM file into the local store, where it is whole and readable by others; else it is refused.

A file is refused that is cut off, whose pixel data are shorter than it says, or that is not in its transfer syntax: the
same checks are made when instances are sent and received. A refused file does not hinder the import of others. A file
without preamble gets one. A file that is certainly written in another transfer syntax than its head says gets a head
that says so, or is written anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from openmodality.encoding.part10 import FileMeta, encode_file_head, read_any
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.standard.tags import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID
from openmodality.store.files.indexed_attributes import IndexedValues
from openmodality.store.files.instance_file import Stored
from openmodality.store.local import LocalStore
from openmodality.store.states import Origin


class Importer:
    """Copies files into the store, one at a time; ``identity`` is who writes a head where a file has none.

    ``sop_instance_uids`` are those of the instances that were not here before.
    """

    def __init__(self, store: LocalStore, identity: tuple[str, str]) -> None:
        self._store = store
        self._identity = identity
        self._reader = InstanceReader(check=True)
        self.sop_instance_uids: list[str] = []

    def import_file(self, path: Path) -> Stored:
        """Copy a file into the store.

        Raises :class:`ObjectInvalid`, or :class:`openmodality.network.storage.instances.NotDicom`, naming the file
        where it is not taken, and :class:`StoreError` where the store cannot take it.
        """
        instance = read_instance(path)
        values = IndexedValues(instance.transfer_syntax)
        file = self._store.create(instance.identity.sop_instance_uid, self._make_head(instance))
        try:
            walk = DataSetWalk(instance.transfer_syntax, (values,), only_for_listeners=True)
            for chunk in self._reader.iterate(instance):
                walk.feed(chunk)
                file.write(chunk)
            if not walk.is_done:
                walk.finish()
            _check_values(path, values)
        except BaseException:
            file.abort()
            raise
        stored = self._store.accept(file, Origin.IMPORTED, values=values)
        if stored in (Stored.NEW, Stored.REPLACED):
            self.sop_instance_uids.append(instance.identity.sop_instance_uid)
        return stored

    def _make_head(self, instance: FileInstance) -> bytes:
        """The head of the file as it is, with all that it says, or a new one where it does not fit the data set."""
        try:
            with instance.path.open("rb") as file:
                meta = read_any(file)
                if _is_head_right(meta, instance):
                    return _read_head(file, meta)
        except OSError as error:
            raise StoreError(f"cannot read {instance.path}: {error.strerror}") from error
        return encode_file_head(*instance.identity, instance.transfer_syntax, *self._identity, meta.source_ae_title)


def _is_head_right(meta: FileMeta, instance: FileInstance) -> bool:
    named = meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid, meta.transfer_syntax_uid
    return not meta.headless and named == (*instance.identity, instance.transfer_syntax)


def _read_head(file: BinaryIO, meta: FileMeta) -> bytes:
    file.seek(0)
    return file.read(meta.data_set_offset)


def _check_values(path: Path, values: IndexedValues) -> None:
    for tag, name in (
        (STUDY_INSTANCE_UID, "(0020,000D) StudyInstanceUID"),
        (SERIES_INSTANCE_UID, "(0020,000E) SeriesInstanceUID"),
    ):
        if not is_valid_uid(strip_padding(values.values.get(tag, b"")), strict=False):
            raise ObjectInvalid(f"{path}: {name} is missing or is no UID")
