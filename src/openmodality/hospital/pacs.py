"""The virtual PACS: storage, storage commitment, query and retrieve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.dimse.service import Service
from openmodality.hospital.addresses import AddressBook
from openmodality.hospital.archive import Archive, StoredInstance, StoredStudy
from openmodality.hospital.commitments import Commitment, Commitments, Reporting
from openmodality.hospital.journal import Journal
from openmodality.hospital.retrieval import Retrieval
from openmodality.network.acceptor_policy import UNCOMPRESSED_ORDER, StorageClasses
from openmodality.network.entity import LocalAE
from openmodality.services.commitment import commitment_service
from openmodality.services.query_retrieve import get_service, move_service, query_service
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.query_retrieve import LEVELS
from openmodality.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL, VERIFICATION
from openmodality.store.files.folder import ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.upper_layer.acceptance import SyntaxPolicy
from openmodality.value_class import dataclass, replace

_PLACE: Final = "PACS"

Findings = Callable[[Dataset], Sequence[str]]
"""What is wrong with an instance, by its header, in the light of what the RIS knows."""


class ArchiveClasses(StorageClasses):
    """What the PACS takes: all that storage has, commitment, query and retrieve; by C-GET it sends what it takes."""

    def __getitem__(self, uid: str) -> SyntaxPolicy:
        if uid == STORAGE_COMMITMENT_PUSH_MODEL or uid in LEVELS:
            return SyntaxPolicy(UNCOMPRESSED_ORDER)
        policy = super().__getitem__(uid)
        return policy if uid == VERIFICATION else replace(policy, scu=True)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the PACS needs of the hospital around it."""

    journal: Journal
    addresses: AddressBook
    reporting: Reporting
    findings: Findings


class VirtualPACS:
    """The archive and what can be asked of it."""

    def __init__(self, folder: Path, local: LocalAE, around: Surroundings) -> None:
        self._local = local
        self._journal = around.journal
        self._findings = around.findings
        self._archive = Archive(folder / "instances", local, self._note_arrival)
        self._retrieval = Retrieval(lambda: self.instances.values(), local, around.addresses)
        self._commitments = Commitments(folder / "commitments", around.journal, self._classes, around.reporting)

    @property
    def instances(self) -> dict[str, StoredInstance]:
        """All stored instances by SOP Instance UID, in the order in which they came."""
        return self._archive.instances

    @property
    def studies(self) -> list[StoredStudy]:
        """All studies, in the order in which they came."""
        return self._archive.studies

    @property
    def commitments(self) -> list[Commitment]:
        """All storage commitment transactions, in the order in which they came."""
        return self._commitments.all

    def headers(self) -> list[Dataset]:
        """The headers of all stored instances."""
        return self._archive.headers()

    def services(self) -> tuple[Service, ...]:
        """What the PACS offers; storage comes last because it takes private SOP Classes too."""
        return (
            VERIFICATION_SERVICE,
            commitment_service(self._commitments),
            query_service(self._retrieval, self._local.ae_title),
            move_service(self._retrieval),
            get_service(self._retrieval),
            storage_service(self._archive, ArchiveClasses()),
        )

    @property
    def sink(self) -> Archive:
        """Where instances go, however they come."""
        return self._archive

    def start(self) -> None:
        """Report the commitments that wait."""
        self._archive.start()
        self._commitments.start()

    def hurry(self) -> None:
        """An address has changed: try what waits now."""
        self._commitments.hurry()

    def stop(self) -> None:
        """Stop reporting and give up the folder."""
        self._commitments.stop()
        self._archive.close()

    def _classes(self) -> dict[str, str]:
        return {uid: instance.sop_class_uid for uid, instance in self.instances.items()}

    def _note_arrival(self, instance: StoredInstance, arrival: ReceivedFile) -> None:
        caller = arrival.request.peer.calling_ae_title.strip()
        uid, total = instance.sop_instance_uid, self._archive.count
        again = "" if arrival.stored is Stored.NEW else ", which was there already"
        self._journal.note(
            _PLACE, "instance.stored", f"instance {total} from {caller}{again}", instance=uid, instances=total
        )
        if arrival.stored is Stored.DIFFERENT:
            text = f"{caller}: an instance came again with other content, the first is kept"
            self._journal.complain(_PLACE, text, instance=uid)
        elif arrival.stored is Stored.NEW:
            for finding in self._findings(instance.header):
                self._journal.complain(_PLACE, f"{caller}: {finding}", instance=uid)
