"""The archive of the virtual PACS: instances on disk, and their headers in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.dimse.reading import read_text
from openmodality.errors import ObjectInvalid
from openmodality.hospital.header_reading import read_stored_header
from openmodality.network.entity import LocalAE
from openmodality.services.storage import StoreRequest
from openmodality.standard.tags import (
    MODALITY,
    PATIENT_ID,
    PATIENT_NAME,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    STUDY_INSTANCE_UID,
)
from openmodality.store.files.folder import FolderSink, FolderWriter, Identity, ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.value_class import dataclass

_READ_AT_ONCE: Final = 50
_REST_S: Final = 0.005
"""After so many headers others have their turn."""


class StoredInstance:
    """An instance that is safe on disk. Its header is read when somebody first asks for it: an archive with many
    instances is to start at once.
    """

    __slots__ = ("_header", "_path", "_sop_class_uid", "sop_instance_uid")

    def __init__(self, sop_instance_uid: str, path: str, sop_class_uid: str = "") -> None:
        self.sop_instance_uid = sop_instance_uid
        self._path = path
        self._sop_class_uid = sop_class_uid
        self._header: Dataset | None = None

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self._path)

    @property
    def header(self) -> Dataset:
        """The attributes of ``KEPT``; none of a file that cannot be read, which is complained about."""
        if self._header is None:
            try:
                self._header = read_stored_header(self.path)
            except ObjectInvalid:
                self._header = Dataset()
        return self._header

    @property
    def sop_class_uid(self) -> str:
        """As the sender said, or as the header says."""
        return self._sop_class_uid or read_text(self.header, SOP_CLASS_UID)

    @property
    def study_instance_uid(self) -> str:
        return read_text(self.header, STUDY_INSTANCE_UID)

    @property
    def series_instance_uid(self) -> str:
        return read_text(self.header, SERIES_INSTANCE_UID)


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """A study and its instances."""

    study_instance_uid: str
    instances: tuple[StoredInstance, ...]

    @property
    def series(self) -> tuple[str, ...]:
        """Series Instance UIDs."""
        return tuple(dict.fromkeys(instance.series_instance_uid for instance in self.instances))

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(sorted({read_text(instance.header, MODALITY) for instance in self.instances}))

    @property
    def patient_name(self) -> str:
        return read_text(self.instances[0].header, PATIENT_NAME)

    @property
    def patient_id(self) -> str:
        return read_text(self.instances[0].header, PATIENT_ID)


class Archive:
    """Instance files and their index; fulfils :class:`openmodality.services.storage.InstanceSink`.

    ``arrived`` is called with an instance that has just become safe, and with what the file store says of it.
    """

    def __init__(self, folder: Path, local: LocalAE, arrived: Callable[[StoredInstance, ReceivedFile], object]) -> None:
        self._arrived = arrived
        self._files = InstanceFiles(folder)
        self._files.remove_leftovers()
        identity = Identity(local.implementation_class_uid, local.implementation_version_name)
        self._sink = FolderSink(self._files, identity, self._take)
        self._lock = threading.Lock()
        self._instances = {instance.sop_instance_uid: instance for instance in self._list_on_disk()}
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read_headers, name="archive-headers", daemon=True)

    def open(self, request: StoreRequest) -> FolderWriter:
        """Begin an instance."""
        return self._sink.open(request)

    def start(self) -> None:
        """Read the headers of what was there before, little by little, so that no query has to wait for all."""
        self._reader.start()

    def close(self) -> None:
        """Give up the folder for incoming files."""
        self._closing.set()
        if self._reader.ident is not None:
            self._reader.join()
        self._files.close()

    @property
    def instances(self) -> dict[str, StoredInstance]:
        """All instances by SOP Instance UID."""
        with self._lock:
            return dict(self._instances)

    @property
    def count(self) -> int:
        """How many instances there are."""
        return len(self._instances)

    @property
    def studies(self) -> list[StoredStudy]:
        """All studies, in the order in which they came."""
        by_study: dict[str, list[StoredInstance]] = {}
        for instance in self.instances.values():
            by_study.setdefault(instance.study_instance_uid, []).append(instance)
        return [StoredStudy(uid, tuple(instances)) for uid, instances in by_study.items()]

    def headers(self) -> list[Dataset]:
        """The headers of all instances."""
        return [instance.header for instance in self.instances.values()]

    def _take(self, arrival: ReceivedFile) -> None:
        identity = arrival.request.identity
        instance = self._instances.get(identity.sop_instance_uid)
        if instance is None or arrival.stored is Stored.NEW:
            path = str(self._files.path(identity.sop_instance_uid))
            instance = StoredInstance(identity.sop_instance_uid, path, identity.sop_class_uid)
            with self._lock:
                self._instances[identity.sop_instance_uid] = instance
        self._arrived(instance, arrival)

    def _list_on_disk(self) -> list[StoredInstance]:
        found = [file for bucket in self._files.buckets() for file in self._files.list_files(bucket)]
        found.sort(key=attrgetter("modified_ns"))
        return [StoredInstance(file.sop_instance_uid, file.path) for file in found]

    def _read_headers(self) -> None:
        for number, instance in enumerate(self.instances.values()):
            _ = instance.header
            if self._closing.wait(0 if number % _READ_AT_ONCE else _REST_S):
                return
