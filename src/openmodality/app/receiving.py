"""Instances that peers send to this device: into the local store (MR-3.3.4, R/F 4.2.6).

A device may take instances only while it retrieves (R/F): ``store.retrieve_window`` says when that is, and which
studies were asked for. What comes of other studies is kept, but not listed (DECISIONS R/F 1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from openmodality.dimse.channel import PeerInfo
from openmodality.encoding.part10 import encode_file_head
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.errors import ObjectInvalid
from openmodality.services.storage import StoreRequest
from openmodality.standard.tags import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID
from openmodality.store.files.indexed_attributes import IndexedValues
from openmodality.store.files.instance_file import InstanceFile
from openmodality.store.local import LocalStore
from openmodality.store.states import Origin

IsListed = Callable[[str], bool]
NoteArrival = Callable[[PeerInfo, str, str, IndexedValues], object]
"""Told of an instance that is about to be stored: its peer, its study, its SOP Class, and what the index keeps."""


class StoreSink:
    """Fulfils :class:`openmodality.services.storage.InstanceSink` with the local store."""

    def __init__(
        self,
        store: LocalStore,
        identity: tuple[str, str],
        is_listed: IsListed = lambda uid: True,
        note: NoteArrival = lambda peer, study, sop_class, values: None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._is_listed = is_listed
        self._note = note

    def open(self, request: StoreRequest) -> StoreWriter:
        """Begin the file of an instance."""
        head = encode_file_head(
            request.identity.sop_class_uid,
            request.identity.sop_instance_uid,
            request.transfer_syntax,
            *self._identity,
            request.peer.calling_ae_title,
        )
        file = self._store.create(request.identity.sop_instance_uid, head)
        values = IndexedValues(request.transfer_syntax)
        request.walk.listen(values)
        return StoreWriter(self._store, file, values, self._is_listed, request, self._note)


class StoreWriter:
    """One instance on its way into the store."""

    def __init__(
        self,
        store: LocalStore,
        file: InstanceFile,
        values: IndexedValues,
        is_listed: IsListed,
        request: StoreRequest,
        note: NoteArrival,
    ) -> None:
        self._request = request
        self._note = note
        self._store = store
        self._values = values
        self._file = file
        self._is_listed = is_listed
        self.write = file.write

    def commit(self) -> None:
        """Make the instance safe. Raises :class:`ObjectInvalid` where it names no study or series."""
        values = self._values.values
        study = _read_uid(values.get(STUDY_INSTANCE_UID, b""))
        if not study or not _read_uid(values.get(SERIES_INSTANCE_UID, b"")):
            self._file.abort()
            name = "(0020,000E) SeriesInstanceUID" if study else "(0020,000D) StudyInstanceUID"
            raise ObjectInvalid(f"{name} is missing or is no UID")
        listed = self._is_listed(study)
        source = self._request.peer.calling_ae_title
        self._note(self._request.peer, study, self._request.identity.sop_class_uid, self._values)
        self._store.accept(self._file, Origin.RECEIVED, listed=listed, values=self._values, source=source)

    def abort(self) -> None:
        """Leave nothing behind."""
        self._file.abort()


@lru_cache(maxsize=64)
def _read_uid(value: bytes) -> str:
    """A UID as an element has it; empty where it is none. Most instances have those of the instance before."""
    uid = strip_padding(value)
    return uid if is_valid_uid(uid, strict=False) else ""
