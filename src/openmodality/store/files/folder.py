"""A folder as the sink of a storage SCP, without a database: what ``openmodality receive`` writes to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openmodality.dimse.service import Refuse
from openmodality.encoding.part10 import encode_file_head
from openmodality.services.storage import StoreRequest
from openmodality.standard.dimse import Status
from openmodality.store.files.instance_file import InstanceFile, Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.files.study_folders import InstancePlace, StudyFolders, StudyNaming, StudyUid
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)


class ReceivedFile(NamedTuple):
    """An instance that is safe on disk, in the file ``name``; ``stored`` says whether it was there before.

    ``study_instance_uid`` is empty where the sink was not asked to look for it. ``is_elsewhere`` where the instance
    lies in another folder than that of its study.
    """

    request: StoreRequest
    length_bytes: int
    stored: Stored
    name: str
    study_instance_uid: str = ""
    is_elsewhere: bool = False

    @property
    def path(self) -> Path:
        """Where it is; made when it is asked for, since most who are told of an instance only count it."""
        return Path(self.name)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the file head says of who wrote the file (PS3.10 Table 7.1-1)."""

    implementation_class_uid: str
    implementation_version_name: str


class FolderSink:
    """Fulfils :class:`openmodality.services.storage.InstanceSink`.

    ``arrived`` is called, in the association's thread, for every instance that is safe and before its C-STORE is
    answered. What it raises is logged and changes no answer. With ``folders`` files are sorted by study, and an
    instance without a Study Instance UID is not understood; ``find_study`` only tells ``arrived`` of the study.
    """

    def __init__(
        self,
        files: InstanceFiles,
        identity: Identity,
        arrived: Callable[[ReceivedFile], object],
        *,
        folders: StudyFolders | None = None,
        find_study: bool = False,
    ) -> None:
        self._files = files
        self._identity = identity
        self._arrived = arrived
        self._folders = folders
        self._find_study = find_study or folders is not None

    def open(self, request: StoreRequest) -> FolderWriter:
        """Begin the file of an instance."""
        uid = request.identity.sop_instance_uid
        head = encode_file_head(
            request.identity.sop_class_uid,
            uid,
            request.transfer_syntax,
            self._identity.implementation_class_uid,
            self._identity.implementation_version_name,
            request.peer.calling_ae_title,
        )
        if not self._find_study:
            return FolderWriter(
                self._files.create(uid, head), request, self._arrived, InstancePlace(self._files.name_file(uid))
            )
        study = StudyUid(is_required=self._folders is not None)
        request.walk.listen(study)
        place = InstancePlace(self._files.name_file(uid), study)
        naming = None if self._folders is None else StudyNaming(self._folders, place, study)
        return FolderWriter(self._files.create(uid, head, naming), request, self._arrived, place)


class FolderWriter:
    """One instance on its way into the folder."""

    __slots__ = ("_arrived", "_file", "_place", "_request", "write")

    def __init__(
        self, file: InstanceFile, request: StoreRequest, arrived: Callable[[ReceivedFile], object], place: InstancePlace
    ) -> None:
        self._file = file
        self._request = request
        self._arrived = arrived
        self._place = place
        self.write = file.write

    def commit(self) -> None:
        """Give the complete file its name; an instance that is there already stays as it is.

        Raises :class:`Refuse` where its content differs: the sender would otherwise delete the only copy of it.
        """
        stored, place = self._file.commit(), self._place
        study = "" if place.study is None else place.study.uid
        self._tell(ReceivedFile(self._request, self._file.length_bytes, stored, place.name, study, place.is_elsewhere))
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
