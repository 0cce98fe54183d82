"""``openmodality receive``: instances straight into a folder."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal

from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_event
from openmodality.cli.terminal.output import format_count, say
from openmodality.cli.terminal.progress import ProgressLine
from openmodality.cli.terminal.stopping import Stop, stop_on_signals
from openmodality.cli.terminal.tls import add_listening_tls
from openmodality.cli.terminal.values import any_folder, parse_integer
from openmodality.errors import UsageError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.entity import DEFAULT_AE_TITLE, DEFAULT_MAX_PDU_LENGTH, LocalAE, normalize_ae_title
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.store.files.folder import FolderSink, Identity, ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles

if TYPE_CHECKING:
    import ssl


def _declare(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", type=any_folder)
    parser.add_argument(
        "--port",
        metavar="INTEGER",
        type=parse_integer(0, 65535),
        required=True,
        help="TCP port to listen on; 0 takes a free one.",
    )
    parser.add_argument("--aet", metavar="TEXT", help="Our AE title; without it any called title is taken.")
    parser.add_argument("--host", metavar="TEXT", default="", help="Address to listen on; all by default.")
    parser.add_argument(
        "--durability",
        choices=["fsync", "os"],
        default="fsync",
        help="fsync: safe against power failure; os: faster.",
    )
    parser.add_argument(
        "--max-pdu",
        metavar="INTEGER",
        type=parse_integer(0),
        default=DEFAULT_MAX_PDU_LENGTH,
        help="Longest PDU to take, in bytes, from 4096; 0 for any.",
    )
    add_listening_tls(parser)
    add_json(parser)


def run(  # one parameter for each option
    folder: Path,
    port: int,
    aet: str | None,
    host: str,
    durability: Literal["fsync", "os"],
    max_pdu: int,
    tls: ssl.SSLContext | None,
    as_json: bool,
) -> None:
    """Receive instances into DIR (Storage and Verification SCP), without the local database.

    Every storage SOP Class and transfer syntax is taken. A file appears under its name, SOP-INSTANCE-UID.dcm, only
    when it is complete and safe; then Success is answered. An instance that is there already is not replaced; where
    its content differs, it is refused and the first is kept. Stops at Ctrl-C or SIGTERM.
    """
    local = LocalAE(DEFAULT_AE_TITLE if aet is None else normalize_ae_title(aet), max_pdu_length=max_pdu)
    files = InstanceFiles(_make_folder(folder), durability=durability, fan_out=False)
    files.remove_leftovers()
    progress, stop = ProgressLine("received"), stop_on_signals()
    printer = _Printer(progress, as_json, stop)
    sink = FolderSink(
        files,
        Identity(local.implementation_class_uid, local.implementation_version_name),
        printer.arrived,
    )
    decide = storage_policy(local, called_ae_titles=None if aet is None else frozenset({local.ae_title}))
    services = (VERIFICATION_SERVICE, storage_service(sink, StorageClasses()))
    with Acceptor(local, services, decide, Listening(host, port, tls)) as acceptor:
        say(f"listening on port {acceptor.port}, files go to {folder}")
        stop.wait()
    files.close()
    progress.clear()
    say(f"received {format_count(progress.count, 'file')}")
    if printer.failure is not None:
        raise printer.failure


command = CliCommand(run, _declare)


class _Printer:
    """One line for each instance with ``--json``, else a line of progress.

    Sets ``stop`` where nothing can be printed any more, as in ``receive --json | head``.
    """

    def __init__(self, progress: ProgressLine, as_json: bool, stop: Stop) -> None:
        self.failure: OSError | None = None
        self._progress = progress
        self._as_json = as_json
        self._stop = stop
        self._lock = threading.Lock()

    def arrived(self, arrival: ReceivedFile) -> None:
        with self._lock:
            try:
                self._print(arrival)
            except OSError as error:
                self.failure = error
                self._stop.set()

    def _print(self, arrival: ReceivedFile) -> None:
        self._progress.advance(arrival.length_bytes)
        if self._as_json:
            print_event("received", **_described(arrival))
        elif arrival.stored is Stored.DIFFERENT:
            self._progress.clear()
            uid = arrival.request.identity.sop_instance_uid
            say(f"{uid}: came again with different content, the first is kept")


def _described(arrival: ReceivedFile) -> dict[str, Any]:
    request = arrival.request
    return {
        "sop_instance_uid": request.identity.sop_instance_uid,
        "sop_class_uid": request.identity.sop_class_uid,
        "transfer_syntax": request.transfer_syntax,
        "calling_ae_title": request.peer.calling_ae_title,
        "bytes": arrival.length_bytes,
        "stored": arrival.stored.value,
    }


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be used as a folder: {error.strerror}") from error
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written to: {error.strerror}") from error
    return folder
