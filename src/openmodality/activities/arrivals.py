"""What comes to this side while somebody is asked to send it, and what this side refuses of that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openmodality.dimse.channel import Message
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.dimse.status import StatusCategory, categorize, describe
from openmodality.errors import StoreError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.entity import LocalAE
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.dimse import CommandField
from openmodality.store.files.folder import FolderSink, Identity
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ
from openmodality.upper_layer.reasons import reject_text

if TYPE_CHECKING:
    import ssl


@dataclass(slots=True)
class Arrivals:
    """What has come: ``stored`` are SOP Instance UIDs, ``refused`` counts the reasons of this side."""

    stored: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_answer(self, sop_instance_uid: str, status: int, comment: str) -> None:
        """Note how an instance was answered."""
        with self._lock:
            if categorize(status) is StatusCategory.FAILURE:
                self.refused[describe(status, comment)] += 1
            else:
                self.stored.append(sop_instance_uid)

    def note_rejected(self, calling: str, answer: A_ASSOCIATE_RJ) -> None:
        """Note that an association was rejected."""
        why = reject_text(answer.result, answer.source, answer.reason)
        with self._lock:
            self.refused[f"an association of {calling}: {why}"] += 1

    def describe_refusals(self) -> str:
        """What this side has refused, in one line; empty where that was nothing."""
        if not self.refused:
            return ""
        reason, count = self.refused.most_common(1)[0]
        more = "" if len(self.refused) == 1 else f", and {self.refused.total() - count} times something else"
        return f"this side refused it: {reason} ({count} times){more}"


def watch_storage(service: Service, find_arrivals: Callable[[], Arrivals | None]) -> Service:
    """The same storage service, which tells the arrivals that are watched just now of each instance."""
    store = service.handlers[CommandField.C_STORE_RQ]

    def answer_store(message: Message) -> Response:
        arrivals, uid = find_arrivals(), message.command.AffectedSOPInstanceUID or ""
        try:
            response = store(message)
        except Refuse as refusal:
            if arrivals is not None:
                arrivals.note_answer(uid, refusal.status, refusal.comment)
            raise
        assert isinstance(response, Response), "C-STORE has one response"
        if arrivals is not None:
            arrivals.note_answer(uid, response.status, response.comment or "")
        return response

    return Service(service.name, service.abstract_syntaxes, {CommandField.C_STORE_RQ: answer_store}, service.as_scp)


@contextmanager
def store_into(folder: Path, local: LocalAE) -> Iterator[tuple[Arrivals, Service]]:
    """What has come, and the service that stores it as files of a folder.

    Raises :class:`StoreError` for a folder that cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be used as a folder: {error.strerror}") from error
    files = InstanceFiles(folder, fan_out=False)
    files.remove_leftovers()
    arrivals = Arrivals()
    sink = FolderSink(files, Identity(local.implementation_class_uid, local.implementation_version_name), _ignore)
    try:
        yield arrivals, watch_storage(storage_service(sink, StorageClasses()), lambda: arrivals)
    finally:
        files.close()


@contextmanager
def receive_into(
    folder: Path, local: LocalAE, port: int, ssl_context: ssl.SSLContext | None = None
) -> Iterator[Arrivals]:
    """Listen, and store what comes as files of a folder, until the block ends.

    Raises :class:`TransportError` where the port is taken, and what :func:`store_into` raises.
    """
    with store_into(folder, local) as (arrivals, storage):
        listening = Listening(port=port, ssl_context=ssl_context, note_rejected=arrivals.note_rejected)
        decide = storage_policy(local, called_ae_titles=frozenset({local.ae_title}))
        with Acceptor(local, (VERIFICATION_SERVICE, storage), decide, listening):
            yield arrivals


def _ignore(_: object) -> None:
    """Nobody is told of each file."""
