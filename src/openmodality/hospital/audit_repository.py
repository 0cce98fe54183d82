"""The audit repository: takes audit messages by syslog over TLS, and looks hard at each (PS3.15 A.5 to A.7, RFC 5425).

Like all repositories it sends no answers: it only closes its side of a connection after the device has closed its own.
Before that, the messages are written to ``DIR/audit/messages.jsonl``.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Final

from openmodality.audit.codes import EVENT_IDS
from openmodality.audit.message_check import check_audit_message
from openmodality.audit.syslog import OctetFrames, SyslogFault, parse_syslog
from openmodality.errors import TransportError
from openmodality.hospital.journal import Journal
from openmodality.network.tls import TlsFiles, server_context
from openmodality.store.files.instance_file import store_error
from openmodality.store.private_files import make_private_folder, open_private
from openmodality.value_class import dataclass

_PLACE: Final = "AUDIT"
_FILE: Final = "messages.jsonl"
_TIMEOUT_S: Final = 30.0
_READ_BYTES: Final = 65536
_RESET: Final = b"\x01\0\0\0\0\0\0\0"
"""SO_LINGER of nothing: to close resets the connection."""


class SyslogEffect(Enum):
    """What a repository that misbehaves does with a connection."""

    REFUSE = "refuse"
    DROP = "drop"
    CLOSE_EARLY = "close early"
    STALL = "stall"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A message that was taken: its kind, the host it came from, its faults, and whether it came before."""

    kind: str
    outcome: str
    host: str
    faults: tuple[str, ...]
    is_repeated: bool
    content: str


FindEffect = Callable[[], "tuple[SyslogEffect, float] | None"]
"""What acts on a new connection, and for how many seconds; ``None`` where nothing does."""


class AuditRepository:
    """Listens between ``start`` and ``stop``; without ``tls`` in the clear."""

    def __init__(self, folder: Path, host: str, port: int, tls: TlsFiles | None, journal: Journal) -> None:
        self.host = host
        self.port = port
        self.find_effect: FindEffect = _behave
        self._folder = folder
        self._journal = journal
        self._context = None if tls is None else server_context(tls)
        self._lock = threading.Lock()
        self._records = list[AuditRecord]()
        self._known = set[str]()
        self._stopped = threading.Event()
        self._socket: socket.socket | None = None
        self._connections = set[socket.socket]()
        self._threads = list[threading.Thread]()

    @property
    def messages(self) -> list[AuditRecord]:
        """The messages that came since it was started, oldest first."""
        with self._lock:
            return list(self._records)

    @property
    def is_secure(self) -> bool:
        """Whether it takes TLS only."""
        return self._context is not None

    def start(self) -> None:
        """Listen. Raises :class:`TransportError` where the port is taken."""
        try:
            make_private_folder(self._folder, (_FILE,))
        except OSError as error:
            raise store_error(error, f"use the folder {self._folder}") from error
        try:
            self._socket = socket.create_server((self.host, self.port))
        except OSError as error:
            raise TransportError(
                f"cannot listen on {self.host} port {self.port}: {error.strerror}",
                advice="choose another port, or stop what uses this one",
            ) from error
        self.port = self._socket.getsockname()[1]
        self._known.update(_read_known(self._folder / _FILE))
        self._run(self._listen, self._socket)

    def stop(self) -> None:
        """Listen no more, and end all connections."""
        self._stopped.set()
        listening, self._socket = self._socket, None
        if listening is None:
            return
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        listening.close()
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_TIMEOUT_S)

    def _run(self, work: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(sock,), name="audit-repository", daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # closed
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        """The life of one connection; the boundary of its thread."""
        with self._lock:
            self._connections.add(connection)
        try:
            with closing(connection):
                connection.settimeout(_TIMEOUT_S)
                self._take(connection)
        except ssl.SSLError as error:
            self._journal.note(_PLACE, "audit.refused", f"TLS failed: {error.reason or 'no TLS'}")
        except OSError as error:
            self._journal.note(_PLACE, "audit.broken", f"a connection broke: {type(error).__name__}")
        except SyslogFault as error:
            self._journal.complain(_PLACE, str(error))
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _take(self, connection: socket.socket) -> None:
        effect, seconds = self.find_effect() or (None, 0.0)
        if effect is SyslogEffect.REFUSE:
            _reset(connection)
            return
        if self._context is None:
            self._read(connection, effect, seconds)
            return
        # A connection that ends without the alert of TLS is to be told from one that is closed.
        with self._context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as secured:
            self._read(secured, effect, seconds)

    def _read(self, connection: socket.socket, effect: SyslogEffect | None, seconds: float) -> None:
        if effect is SyslogEffect.CLOSE_EARLY:
            return  # without an orderly end, for which what has come would be read
        if effect is SyslogEffect.STALL:
            self._stopped.wait(seconds)
        frames = OctetFrames()
        for data in _read_all(connection):
            for message in frames.receive_data(data):
                self._keep(message)
                if effect is SyslogEffect.DROP:
                    _reset(connection)
                    return
        if not frames.is_between_messages:
            raise SyslogFault("the connection was closed within a message")
        if effect is SyslogEffect.HANG:
            self._stopped.wait(seconds)
        _close(connection)

    def _keep(self, message: bytes) -> None:
        header, content = parse_syslog(message)
        checked = check_audit_message(content)
        digest = sha256(content).hexdigest()
        record = AuditRecord(
            "" if checked.kind is None else checked.kind.value,
            checked.outcome,
            header.host,
            checked.faults,
            digest in self._known,
            content.decode("utf-8", "replace"),
        )
        self._write({"time": header.timestamp, "host": header.host, "digest": digest, "message": record.content})
        with self._lock:
            self._known.add(digest)
            self._records.append(record)
        for fault in checked.faults:
            self._journal.complain(_PLACE, f"{header.host}: {fault}")
        name = "a message" if checked.kind is None else EVENT_IDS[checked.kind].meaning
        again = ", again" if record.is_repeated else ""
        said = f"{name} from {header.host}{again}"
        self._journal.note(_PLACE, "audit.message", said, audit_kind=record.kind, outcome=record.outcome)

    def _write(self, value: object) -> None:
        with self._lock, open(self._folder / _FILE, "ab", opener=open_private) as file:
            file.write(json.dumps(value).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _behave() -> None:
    """Nothing acts on a connection."""


def _read_all(connection: socket.socket) -> Iterator[bytes]:
    """What comes until the other side closes. A secured connection that just ends raises an :class:`ssl.SSLError`."""
    while data := connection.recv(_READ_BYTES):
        yield data


def _close(connection: socket.socket) -> None:
    """Close our side: under TLS with its alert."""
    if isinstance(connection, ssl.SSLSocket):
        with suppress(OSError):
            connection.unwrap()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _read_known(file: Path) -> Iterator[str]:
    """The digests of what was taken before a restart."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, TypeError, KeyError):
            yield str(json.loads(line)["digest"])
