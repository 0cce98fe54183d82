"""Orders from another terminal: a socket of this machine that only the user who runs the hospital can reach.

The socket is found by the port of the RIS, so that nobody has to name a folder. It lies in a folder of the user's own
(0700), and who connects to it writes one JSON list of words and reads one JSON object. Whatever comes is bounded in
length and in time.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from openmodality.errors import NotFound, OpenModalityError, StoreError, UsageError, describe_fault
from openmodality.store.private_files import PRIVATE_FILE, PRIVATE_FOLDER

log = logging.getLogger(__name__)

MAX_ORDER_BYTES: Final = 64 * 1024
TIMEOUT_S: Final = 10.0
_BACKLOG: Final = 4

Obey = Callable[[Sequence[str]], str]
"""Does what the words say; raises :class:`OpenModalityError` where that cannot be."""


class ControlSocket:
    """Takes orders between enter and exit, one at a time. Raises :class:`StoreError` where it cannot be made."""

    def __init__(self, port: int, obey: Obey) -> None:
        self._path = find_socket(port)
        self._obey = obey
        self._socket = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._listen, name="hospital-orders", daemon=True)

    def __enter__(self) -> ControlSocket:
        try:
            _make_own_folder(self._path.parent)
            self._path.unlink(missing_ok=True)  # of a hospital that was killed: the port is ours now
            self._socket.bind(str(self._path))
            self._path.chmod(PRIVATE_FILE)
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise StoreError(f"cannot take orders at {self._path}: {error.strerror or error}") from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._socket.close()
        self._path.unlink(missing_ok=True)
        if self._thread is not threading.current_thread():
            self._thread.join(TIMEOUT_S)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(TIMEOUT_S)
            words = json.loads(_read_line(connection))
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise ValueError("no list of words")
            connection.sendall(_write_line(self._make_answer(words)))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("hospital.order_failed", extra={"error": type(error).__name__})

    def _make_answer(self, words: Sequence[str]) -> dict[str, str]:
        try:
            return {"answer": self._obey(words)}
        except OpenModalityError as error:
            return {"error": error.message, "advice": error.advice}
        except Exception as error:  # noqa: BLE001 - the thread's boundary: reported to whoever gave the order
            return {"error": report_fault(error), "advice": ""}


def report_fault(error: Exception) -> str:
    """Log where a fault of our own happened, not its text, which may hold data; what a person is told."""
    log.error("hospital.order_crashed", extra=describe_fault(error))
    return f"internal error: {type(error).__name__}"


def give_order(port: int, words: Sequence[str]) -> str:
    """Let the hospital whose RIS has this port obey; its answer.

    Raises :class:`NotFound` where none runs there, and :class:`UsageError` where it refuses.
    """
    path = find_socket(port)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(_write_line(list(words)))
            answer = json.loads(_read_line(connection))
        except (OSError, ValueError) as error:
            raise NotFound(
                f"no hospital of yours answers whose RIS has port {port}",
                advice="start one with openmodality hospital, or name its port with --ris-port",
            ) from error
    if "error" in answer:
        raise UsageError(answer["error"], advice=answer["advice"])
    return str(answer["answer"])


def find_socket(port: int) -> Path:
    """Where the socket of a hospital is: short, because the name of a socket has at most 107 bytes."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(given) if given else Path(tempfile.gettempdir())
    return base / f"openmodality-{os.getuid()}" / f"hospital-{port}.sock"


def _make_own_folder(folder: Path) -> None:
    """Make the folder for sockets. One that somebody else has made in /tmp is not used: they would read our orders."""
    with suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE_FOLDER)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PermissionError(1, "its folder belongs to somebody else")
    folder.chmod(PRIVATE_FOLDER)


def _read_line(connection: socket.socket) -> bytes:
    """All up to a line's end."""
    collected = b""
    while not collected.endswith(b"\n"):
        part = connection.recv(MAX_ORDER_BYTES)
        collected += part
        if not part or len(collected) > MAX_ORDER_BYTES:
            raise ValueError("no line")
    return collected


def _write_line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
