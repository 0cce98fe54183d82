"""Query/Retrieve of the virtual PACS: finds entities in the headers, sends instances to AEs of the address book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from pydicom import Dataset

from openmodality.dimse.channel import Channel
from openmodality.dimse.reading import read_text
from openmodality.dimse.service import Refuse
from openmodality.hospital.addresses import AddressBook
from openmodality.hospital.archive import StoredInstance
from openmodality.imaging.decompress import decompress_file
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.getting import ChannelTransfer
from openmodality.network.storage.moving import FileTransfer, StoredFile
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sent import SendOptions
from openmodality.services.query_retrieve import MOVE_DESTINATION_UNKNOWN, FindRequest, MoveRequest
from openmodality.services.storage import MoveOriginator
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.query_retrieve import PATIENT_ROOT_LEVELS, UNIQUE_KEYS, Level

Instances = Callable[[], Iterable[StoredInstance]]

_STUDY: Final = PATIENT_ROOT_LEVELS.index(Level.STUDY)
_SERIES: Final = PATIENT_ROOT_LEVELS.index(Level.SERIES)


class Retrieval:
    """Fulfils :class:`openmodality.services.query_retrieve.QuerySource`, ``MoveSource`` and ``GetSource``."""

    def __init__(self, instances: Instances, local: LocalAE, addresses: AddressBook) -> None:
        self._instances = instances
        self._local = local
        self._addresses = addresses

    def list_supported(self, level: Level, identifier: Dataset) -> None:
        """All keys: the headers hold what they hold."""

    def find(self, request: FindRequest) -> Iterator[Dataset]:
        """All entities of a level; the service matches them."""
        depth = PATIENT_ROOT_LEVELS.index(request.level)
        entities: dict[tuple[str, ...], list[Dataset]] = {}
        for instance in self._instances():
            entities.setdefault(_read_keys(instance.header)[: depth + 1], []).append(instance.header)
        for headers in entities.values():
            yield _make_entity(headers, depth)

    def open(self, request: MoveRequest) -> FileTransfer:
        """The sub-operations of a retrieve."""
        remote = self._addresses.find(request.destination)
        if remote is None:
            raise Refuse(MOVE_DESTINATION_UNKNOWN, "the address book has no such Move Destination")
        originator = MoveOriginator(request.peer.calling_ae_title, request.message_id)
        options = SendOptions(originator=originator, priority=request.priority)
        associate_later = partial(self._associate, remote)
        return FileTransfer(self._find_files(request), associate_later, InstanceReader(decompress_file), options)

    def open_on(self, channel: Channel, request: MoveRequest) -> ChannelTransfer:
        """The sub-operations of a C-GET, on the association on which it came."""
        options = SendOptions(priority=request.priority)
        reader = InstanceReader(decompress_file)
        return ChannelTransfer(self._find_files(request), channel, request.message_id, reader, options)

    def _find_files(self, request: MoveRequest) -> list[StoredFile]:
        return [
            StoredFile(instance.sop_instance_uid, instance.path)
            for instance in self._instances()
            if _is_meant(instance.header, request)
        ]

    def _associate(self, remote: RemoteAE, plan: AssociationPlan) -> Association:
        return associate(remote, self._local, plan.proposals)


def _read_keys(header: Dataset) -> tuple[str, ...]:
    return tuple(read_text(header, UNIQUE_KEYS[level]) for level in PATIENT_ROOT_LEVELS)


def _is_meant(header: Dataset, request: MoveRequest) -> bool:
    return all(read_text(header, tag) in values for tag, values in request.keys.items() if values)


def _make_entity(headers: Sequence[Dataset], depth: int) -> Dataset:
    """What the instances of an entity have in common, as its first one says, and the counts of PS3.4 C.3.4."""
    entity = Dataset()
    entity.update(headers[0])
    if depth <= _STUDY:
        entity.ModalitiesInStudy = sorted({str(header.get("Modality", "")) for header in headers})
        entity.NumberOfStudyRelatedInstances = len(headers)
        entity.NumberOfStudyRelatedSeries = len({_read_keys(header)[_SERIES] for header in headers})
        entity.SOPClassesInStudy = sorted({str(header.get("SOPClassUID", "")) for header in headers})
    elif depth == _SERIES:
        entity.NumberOfSeriesRelatedInstances = len(headers)
    return entity
