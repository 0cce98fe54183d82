"""The live acceptor as a target, plain and under TLS, and what must hold after each batch of connections.

Under TLS there are two targets. In one the streams go inside good sessions. In the other TLS itself is wrong: records
of a session are changed on their way, or the stream comes where a handshake is due.
"""

from __future__ import annotations

import logging
import os
import selectors
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from fuzz.connecting import HANG_S, Attempt, Line, SecureLine, step, tampering
from fuzz.decoders import check_pdus
from fuzz.outcomes import ABORTED, ACCEPTED, REJECTED
from fuzz.recording import HOST, MR, Recorded, record
from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.service import Response, Service
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import OpenModalityError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import read_instance
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE, echo
from openmodality.standard import upper_layer as facts
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.folder import FolderSink, Identity
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.upper_layer.negotiation import ContextProposal
from tests.interop.certificates import key_pair

NAME: Final = "live acceptor"
UNDER_TLS: Final = "live acceptor under TLS"
WRONG_TLS: Final = "live acceptor, wrong TLS"
TARGETS: Final = (NAME, UNDER_TLS, WRONG_TLS)
WATCHDOG: Final = "watchdog"
"""The name of the one thread that may come and go."""
AT_ONCE: Final = 32
TIMEOUT_S: Final = 1.0

_WITHOUT_HANDSHAKE: Final = 0.2
_CALM: Final = Timeouts(*[TIMEOUT_S] * 6)
_PROPOSALS: Final = (ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,)),)


class Alarm(logging.Handler):
    """Collects what must never be logged: an exception that nobody expected, in an association or a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.heard.append(f"{record.getMessage()}: {record.exc_info[1]!r}")

    def thread_failed(self, failure: threading.ExceptHookArgs) -> None:
        """For ``threading.excepthook``."""
        self.heard.append(f"a thread ended: {failure.exc_value!r}")

    def take(self) -> list[str]:
        """What was heard since the last call."""
        heard, self.heard = self.heard, []
        return heard


class Query:
    """Answers C-FIND with some matches, on the storage SOP Class; counts what has begun and not ended."""

    def __init__(self) -> None:
        self.open = 0
        self.service = Service("Query", frozenset({MR}), {CommandField.C_FIND_RQ: self._find})
        self._lock = threading.Lock()

    def _find(self, message: Message) -> Iterator[Response]:
        self._count(1)
        try:
            identifier = read_all(message)
            for _ in range(5):
                yield Response(Status.PENDING, identifier[: len(identifier) & ~1])
            yield Response(Status.SUCCESS)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            self.open += change


class LiveAcceptor:
    """Acceptors in this process, plain and under TLS: verification, queries, storage to a temporary folder.

    Use as a context manager.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._threads = self._descriptors = sys.maxsize  # until all is warm

    def __enter__(self) -> LiveAcceptor:
        self._folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="openmodality-fuzz-")))
        self._listen_to_log()
        local = LocalAE("ACCEPTOR", timeouts=_CALM)
        files = InstanceFiles(self._folder, durability="os", fan_out=False)
        self._stack.callback(files.close)
        sink = FolderSink(files, Identity("1.2.3", "FUZZ"), lambda _: None)
        self._query = Query()
        services = (VERIFICATION_SERVICE, self._query.service, storage_service(sink, StorageClasses()))
        self._keys = key_pair(Path(self._stack.enter_context(TemporaryDirectory(prefix="openmodality-fuzz-"))), "fuzz")
        self._contexts = self._keys.client(), self._keys.client()
        self._contexts[1].maximum_version = ssl.TLSVersion.TLSv1_2
        self._plain, self._secure = (
            self._stack.enter_context(Acceptor(local, services, storage_policy(local), Listening(HOST, 0, context)))
            for context in (None, self._keys.server())
        )
        patient = LocalAE("ACCEPTOR")  # the exchanges to start from are whole, however slow the machine
        with Acceptor(patient, services, storage_policy(patient), Listening(HOST)) as acceptor:
            self.recorded: list[Recorded] = record(acceptor.port)
        self._settle()
        self._threads, self._descriptors = _threads(), _descriptors()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def batch(self, attempts: Sequence[Attempt], target: str = NAME) -> list[tuple[Attempt, str]]:
        """Send the streams, ``AT_ONCE`` at a time; what became of each. Raises AssertionError for one that hangs."""
        waiting, done = list(reversed(attempts)), list[tuple[Attempt, str]]()
        port = (self._plain if target == NAME else self._secure).port
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or selector.get_map():
                    while waiting and len(selector.get_map()) < AT_ONCE:
                        attempt = waiting.pop()
                        attempt.begin(port, self._line(attempt, target), selector)
                    for attempt in step(selector):
                        answer = bytes(attempt.line.heard)
                        done.append((attempt, classified(_whole(answer) if target == WRONG_TLS else answer)))
            finally:
                for key in list(selector.get_map().values()):
                    key.fileobj.close()  # type: ignore[union-attr]
        return done

    def _line(self, attempt: Attempt, target: str) -> Line:
        """The same for the same stream, but for the keys of a session."""
        rng = Random(f"line/{attempt.index}")
        if target == NAME or (target == WRONG_TLS and rng.random() < _WITHOUT_HANDSHAKE):
            return Line(attempt.data)
        changes = tampering(rng) if target == WRONG_TLS else bytes
        return SecureLine(attempt.data, rng.choice(self._contexts), changes, says_end=rng.random() < 0.5)

    def problems(self) -> list[str]:
        """What does not hold after a batch; nothing, if all is well."""
        found = [] if self._settle() else [f"{self._open_connections()} connections are still open"]
        found += self._alarm.take()
        if associations := self._plain.open_associations + self._secure.open_associations:
            found.append(f"{associations} associations are still counted")
        if self._query.open:
            found.append(f"{self._query.open} handlers are left open")
        if _threads() > self._threads:
            found.append(f"{_threads() - self._threads} threads are left")
        if _descriptors() > self._descriptors:
            found.append(f"{_descriptors() - self._descriptors} file descriptors are left")
        found += self._files_left()
        found += self._echo(RemoteAE("ACCEPTOR", HOST, self._plain.port))
        found += self._echo(RemoteAE("ACCEPTOR", HOST, self._secure.port, self._contexts[0]))
        return found

    def _open_connections(self) -> int:
        return self._plain.open_connections + self._secure.open_connections

    def _listen_to_log(self) -> None:
        self._alarm = Alarm()
        logger, hook = logging.getLogger("openmodality"), threading.excepthook
        propagates, level = logger.propagate, logger.level
        logger.addHandler(self._alarm)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        threading.excepthook = self._alarm.thread_failed

        def restore() -> None:
            threading.excepthook = hook
            logger.propagate = propagates
            logger.setLevel(level)
            logger.removeHandler(self._alarm)

        self._stack.callback(restore)

    def _settle(self) -> bool:
        """Wait until the acceptor is done with every connection and its threads have ended."""
        end = monotonic() + HANG_S
        never = threading.Event()
        while self._open_connections() or _threads() > self._threads:
            if monotonic() > end:
                return not self._open_connections()
            never.wait(0.002)
        return True

    def _files_left(self) -> Iterator[str]:
        for path in self._folder.rglob("*"):
            if path.is_file():
                if path.suffix != ".dcm":
                    yield "a temporary file is left"
                elif what := _broken(path):
                    yield f"a stored file is not whole: {what}"
                path.unlink()

    def _echo(self, remote: RemoteAE) -> Iterator[str]:
        try:
            with associate(remote, LocalAE("FUZZ"), _PROPOSALS) as association:
                echo(association)
        except OpenModalityError as error:
            yield f"C-ECHO fails: {error}"
        self._settle()


def _broken(path: Path) -> str:
    """What is wrong with a stored file; empty where it is whole."""
    try:
        stored = read_instance(path)
        walk = DataSetWalk(stored.transfer_syntax)
        walk.feed(path.read_bytes()[stored.offset_bytes :])
        walk.finish()
    except OpenModalityError as error:
        return str(error)
    return "" if path.stem == stored.identity.sop_instance_uid else "it has another name than its instance"


def _whole(answer: bytes) -> bytes:
    """The answer without a PDU that is cut off, as one is where TLS breaks; everything else has to be right."""
    end = 0
    while (size := 6 + int.from_bytes(answer[end + 2 : end + 6], "big")) <= len(answer) - end:
        end += size
    return answer[:end]


def classified(answer: bytes) -> str:
    """What became of a stream, by the PDUs that the acceptor sent; raises where these are not whole and right."""
    types = check_pdus(answer)
    if facts.PDU_A_ASSOCIATE_RJ in types:
        return REJECTED
    if facts.PDU_A_ABORT in types:
        return ABORTED
    return ACCEPTED if facts.PDU_A_ASSOCIATE_AC in types else "closed"


def _threads() -> int:
    return sum(thread.name != WATCHDOG for thread in threading.enumerate())


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, not walking
