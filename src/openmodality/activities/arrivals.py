"""The instances that arrive while a peer is asked to send them, and those that this side refuses."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.uid import UID

from openmodality.dimse.channel import Message
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.dimse.status import StatusCategory, categorize, describe
from openmodality.errors import StoreError
from openmodality.network.acceptor import Acceptor, Decide, Listening
from openmodality.network.acceptor_policy import StorageClasses, is_storage, storage_policy
from openmodality.network.entity import LocalAE
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.dimse import CommandField
from openmodality.store.files.folder import FolderSink, Identity
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.reasons import context_result_text, reject_text
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    import ssl


_NOT_TAKEN: Final = "it takes no "


@dataclass(slots=True)
class Arrivals:
    """The instances that have come: ``stored`` are SOP Instance UIDs, ``refused`` counts the reasons why this side
    refused others.

    ``tell`` is for a process that listens for another process: it is called with each reason, and nothing is kept here.
    """

    stored: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    tell: Callable[[str], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_answer(self, sop_instance_uid: str, status: int, comment: str) -> None:
        """Note how an instance was answered."""
        if categorize(status) is StatusCategory.FAILURE:
            self._note_refusal(describe(status, comment))
        elif self.tell is None:
            with self._lock:
                self.stored.append(sop_instance_uid)

    def note_rejected(self, calling: str, answer: A_ASSOCIATE_RJ) -> None:
        """Note that an association was rejected."""
        why = reject_text(answer.result, answer.source, answer.reason)
        self._note_refusal(f"an association of {calling}: {why}")

    def _note_refusal(self, reason: str) -> None:
        if self.tell is not None:
            self.tell(reason)
            return
        with self._lock:
            self.refused[reason] += 1

    def note_contexts(self, request: A_ASSOCIATE_RQ, answer: A_ASSOCIATE_AC) -> None:
        """Note which storage SOP Classes were proposed and none of their presentation contexts accepted."""
        results = {context.id: context.result for context in answer.presentation_contexts}
        proposed = {context.abstract_syntax: results.get(context.id, 0) for context in request.presentation_contexts}
        accepted = {each.abstract_syntax for each in request.presentation_contexts if not results.get(each.id, 0)}
        for uid, result in proposed.items():  # in the order of the proposal, so that the same one is named each time
            if uid not in accepted and is_storage(uid):
                self._note_refusal(f"{_NOT_TAKEN}{UID(uid).name}: {context_result_text(result)}")

    def describe_refusals(self, *, is_whole: bool = False) -> str:
        """What this side has refused, in one line; empty where that was nothing.

        ``is_whole``: all has come. Then it does not matter which other kinds of objects the peer proposed.
        """
        refused = Counter({why: n for why, n in self.refused.items() if not why.startswith(_NOT_TAKEN)})
        if not refused and not is_whole:
            refused = self.refused
        if not refused:
            return ""
        reason, count = refused.most_common(1)[0]
        more = "" if len(refused) == 1 else f", and {refused.total() - count} times something else"
        return f"this side refused it: {reason} ({count} times){more}"


def watch_contexts(decide: Decide, find_arrivals: Callable[[], Arrivals]) -> Decide:
    """Make the same decisions on associations, and tell the arrivals that are watched what was not accepted."""

    def decide_and_tell(request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
        answer = decide(request, load)
        if isinstance(answer, A_ASSOCIATE_AC):
            find_arrivals().note_contexts(request, answer)
        return answer

    return decide_and_tell


def watch_storage(service: Service, find_arrivals: Callable[[], Arrivals | None]) -> Service:
    """A storage service that also tells the arrivals that are watched now of each instance."""
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
    """The arrivals, and the service that stores them as files of a folder.

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
        decide = watch_contexts(decide, lambda: arrivals)
        with Acceptor(local, (VERIFICATION_SERVICE, storage), decide, listening):
            yield arrivals


def _ignore(_: object) -> None:
    """Nobody is told of each file."""
