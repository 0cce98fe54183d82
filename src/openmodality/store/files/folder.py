"""A folder as the sink of a storage SCP, without a database: what ``openmodality receive`` writes to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from openmodality.dimse.service import Refuse
from openmodality.encoding.part10 import encode_file_head
from openmodality.services.storage import StoreRequest
from openmodality.standard.dimse import Status
from openmodality.store.files.instance_file import InstanceFile, Stored
from openmodality.store.files.instance_files import InstanceFiles

log = logging.getLogger(__name__)


class ReceivedFile(NamedTuple):
    """An instance that is safe on disk; ``stored`` says whether it was there before."""

    request: StoreRequest
    length_bytes: int
    stored: Stored


@dataclass(frozen=True, slots=True)
class Identity:
    """What the file head says of who wrote the file (PS3.10 Table 7.1-1)."""

    implementation_class_uid: str
    implementation_version_name: str


class FolderSink:
    """Fulfils :class:`openmodality.services.storage.InstanceSink`.

    ``arrived`` is called, in the association's thread, for every instance that is safe and before its C-STORE is
    answered. What it raises is logged and changes no answer.
    """

    def __init__(self, files: InstanceFiles, identity: Identity, arrived: Callable[[ReceivedFile], object]) -> None:
        self._files = files
        self._identity = identity
        self._arrived = arrived

    def open(self, request: StoreRequest) -> FolderWriter:
        """Begin the file of an instance."""
        head = encode_file_head(
            request.identity.sop_class_uid,
            request.identity.sop_instance_uid,
            request.transfer_syntax,
            self._identity.implementation_class_uid,
            self._identity.implementation_version_name,
            request.peer.calling_ae_title,
        )
        return FolderWriter(self._files.create(request.identity.sop_instance_uid, head), request, self._arrived)


class FolderWriter:
    """One instance on its way into the folder."""

    __slots__ = ("_arrived", "_file", "_request", "write")

    def __init__(self, file: InstanceFile, request: StoreRequest, arrived: Callable[[ReceivedFile], object]) -> None:
        self._file = file
        self._request = request
        self._arrived = arrived
        self.write = file.write

    def commit(self) -> None:
        """Give the complete file its name; an instance that is there already stays as it is.

        Raises :class:`Refuse` where its content differs: the sender would otherwise delete the only copy of it.
        """
        stored = self._file.commit()
        self._tell(ReceivedFile(self._request, self._file.length_bytes, stored))
        if stored is Stored.DIFFERENT:
            uid = self._request.identity.sop_instance_uid
            log.warning("storage.content_differs", extra={"sop_instance_uid": uid, "kept": "first"})
            raise Refuse(Status.PROCESSING_FAILURE, "other content is stored under this UID, and is kept")

    def _tell(self, arrival: ReceivedFile) -> None:
        try:
            self._arrived(arrival)
        except Exception:
            log.exception("storage.listener_failed")

    def abort(self) -> None:
        """Remove what was written."""
        self._file.abort()
