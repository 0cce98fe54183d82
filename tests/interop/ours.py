"""Our side of the interop tests: an acceptor that keeps what it gets in a folder, and sending to a peer.

With a sink of its own instead of the store's files: these tests are about the network.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openmodality.dimse.service import Refuse, Service
from openmodality.encoding.part10 import encode_file_head
from openmodality.imaging.decompress import decompress_file
from openmodality.network.acceptor import Acceptor, Decide, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import send
from openmodality.network.storage.sent import SendOptions, Sent
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage import StoreRequest, storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from tests.peers.process import HOST, Address, wait_until

PATIENT = Timeouts(10, 10, 10, 10, 10, 10)
"""Long enough for a busy machine; a test that waits for a time-out sets its own."""
LOCAL = LocalAE("OURS", timeouts=PATIENT)
ECHO = (ContextProposal(VERIFICATION, (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)),)


@dataclass
class Folder:
    """An instance sink: Part 10 files named by SOP Instance UID, and the requests in the order they came."""

    path: Path
    requests: list[StoreRequest] = field(default_factory=list)
    status: int | None = None
    refusal: Refuse | None = None

    def open(self, request: StoreRequest) -> _Writer:
        if self.refusal is not None:
            raise self.refusal
        return _Writer(self, request)

    def files(self) -> list[Path]:
        return sorted(self.path.glob("*.dcm"))


class _Writer:
    def __init__(self, folder: Folder, request: StoreRequest) -> None:
        self._folder, self._request = folder, request
        self._temporary = folder.path / f"{request.identity.sop_instance_uid}.part"
        self._file = self._temporary.open("wb")
        identity = request.identity
        self._file.write(
            encode_file_head(identity.sop_class_uid, identity.sop_instance_uid, request.transfer_syntax, "1.2.3")
        )

    def write(self, chunk: memoryview) -> None:
        self._file.write(chunk)

    def commit(self) -> int | None:
        self._file.close()
        os.replace(self._temporary, self._temporary.with_suffix(".dcm"))  # noqa: PTH105
        self._folder.requests.append(self._request)
        return self._folder.status

    def abort(self) -> None:
        self._file.close()
        self._temporary.unlink()


@dataclass(frozen=True, slots=True)
class Archive(Address):
    """Our acceptor, running; ``folder`` is where its instances are."""

    acceptor: Acceptor = field(kw_only=True)
    folder: Folder = field(kw_only=True)

    def is_idle(self) -> bool:
        return self.acceptor.open_connections == 0

    def wait_until_idle(self) -> None:
        wait_until(self.is_idle, what="all connections of the acceptor to be given back")


@contextlib.contextmanager
def archive(
    path: Path,
    *,
    local: LocalAE = LOCAL,
    decide: Decide | None = None,
    listening: Listening | None = None,
    services: Sequence[Service] = (),
) -> Iterator[Archive]:
    """Verification and Storage SCP on a free port. At the end every thread and connection must have been given back."""
    path.mkdir(parents=True, exist_ok=True)
    folder = Folder(path)
    all_services = (VERIFICATION_SERVICE, storage_service(folder, StorageClasses()), *services)
    acceptor = Acceptor(local, all_services, decide or storage_policy(local), listening or Listening(HOST))
    with acceptor:
        here = Archive(local.ae_title, acceptor.port, acceptor=acceptor, folder=folder)
        yield here
        here.wait_until_idle()


def remote(peer: Address) -> RemoteAE:
    return RemoteAE(peer.aet, peer.host, peer.port)


def associated(
    peer: Address | RemoteAE, proposals: Sequence[ContextProposal] = ECHO, local: LocalAE = LOCAL
) -> Association:
    """An association of ours with a peer."""
    return associate(peer if isinstance(peer, RemoteAE) else remote(peer), local, proposals)


def send_files(
    peer: Address | RemoteAE, paths: Iterable[Path], local: LocalAE = LOCAL, options: SendOptions | None = None
) -> list[Sent]:
    """Send files as ``openmodality send`` does."""
    return list(
        send(
            lambda plan: associated(peer, plan.proposals, local),
            [read_instance(path) for path in paths],
            InstanceReader(decompress_file),
            options or SendOptions(),
        )
    )
