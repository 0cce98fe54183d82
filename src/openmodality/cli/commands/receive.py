"""``openmodality receive``: instances straight into a folder."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal

from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.association import SYNTAXES
from openmodality.cli.terminal.command_runner import CommandRunner, FailedCommand
from openmodality.cli.terminal.json_output import add_json, print_event
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.progress import ProgressLine
from openmodality.cli.terminal.received_commands import Commands, CommandWords, ReceivedCommands, add_commands
from openmodality.cli.terminal.stopping import Stop, stop_on_signals
from openmodality.cli.terminal.tls import add_listening_tls
from openmodality.cli.terminal.values import any_folder, parse_integer
from openmodality.counted import format_count
from openmodality.dimse.service import Service
from openmodality.errors import UsageError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import EVERY_TRANSFER_SYNTAX, StorageClasses, storage_policy
from openmodality.network.entity import DEFAULT_AE_TITLE, DEFAULT_MAX_PDU_LENGTH, LocalAE, normalize_ae_title
from openmodality.services.storage import storage_service
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.store.files.folder import FolderSink, Identity, ReceivedFile
from openmodality.store.files.instance_file import Stored
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.files.study_folders import StudyFolders

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
    parser.add_argument(
        "--accept",
        metavar="SYNTAX",
        choices=list(SYNTAXES),
        action="append",
        default=[],
        help="Accept instances in this transfer syntax only; the first is preferred. May be repeated.  [default: all]",
    )
    parser.add_argument(
        "--sort-by",
        choices=["study"],
        help="study: a file goes to DIR/STUDY-INSTANCE-UID/.  [default: all go to DIR]",
    )
    add_commands(parser)
    add_listening_tls(parser)
    add_json(parser)


def run(  # one parameter for each option
    folder: Path,
    port: int,
    aet: str | None,
    host: str,
    durability: Literal["fsync", "os"],
    max_pdu: int,
    accept: tuple[str, ...],
    sort_by: Literal["study"] | None,
    for_file: CommandWords | None,
    for_study: CommandWords | None,
    study_end: float,
    tls: ssl.SSLContext | None,
    as_json: bool,
) -> None:
    """Receive instances into DIR (Storage and Verification SCP), without the local database.

    Every storage SOP Class is taken. A file appears under its name, SOP-INSTANCE-UID.dcm, only when it is complete and
    safe; then Success is answered. An instance that is there already is not replaced; where its content differs, it is
    refused and the first is kept. With --sort-by this holds wherever below DIR the instance lies, and it stays there;
    an instance without a Study Instance UID is refused. Stops at Ctrl-C or SIGTERM.

    COMMAND is split into words as a shell does, but no shell runs it, and it gets the path or UID as its last word.
    $OPENMODALITY_FILE, $OPENMODALITY_STUDY (a UID) and $OPENMODALITY_CALLING are set; --exec-study has no file. One
    runs at a time, in the order of arrival; while 1000 wait, so do the senders. What it prints goes to standard error.
    A failure is said there, and reception goes on. At the stop those that wait are run; one that then runs for more
    than 60 s, or until a second Ctrl-C, is ended, and the others are listed. For an instance that was there before
    nothing is run.
    """
    local = LocalAE(DEFAULT_AE_TITLE if aet is None else normalize_ae_title(aet), max_pdu_length=max_pdu)
    files = InstanceFiles(_make_folder(folder), durability=durability, fan_out=False)
    files.remove_leftovers()
    progress, stop = ProgressLine("received"), stop_on_signals()
    printer = _Printer(progress, as_json, stop)
    runner = CommandRunner(printer.print_failure, quiet_s=study_end)
    following = ReceivedCommands(Commands(for_file, for_study), runner, by_folder=sort_by is not None)
    service = _make_service(files, local, printer, following)
    called, syntaxes = None if aet is None else frozenset({local.ae_title}), [SYNTAXES[name] for name in accept]
    decide = storage_policy(local, called_ae_titles=called, transfer_syntaxes=syntaxes or EVERY_TRANSFER_SYNTAX)
    with Acceptor(local, (VERIFICATION_SERVICE, service), decide, Listening(host, port, tls)) as acceptor:
        say(f"listening on port {acceptor.port}, files go to {folder}")
        stop.wait()
        stop.is_set = False  # a second signal is another wish
        runner.lift_bound()
    files.close()
    progress.clear()
    runner.finish(is_urgent=lambda: stop.is_set)
    say(f"received {format_count(progress.count, 'file')}")
    if printer.failure is not None:
        raise printer.failure


command = CliCommand(run, _declare)


def _make_service(files: InstanceFiles, local: LocalAE, printer: _Printer, following: ReceivedCommands) -> Service:
    """The storage service that stores what comes, and has commands run for it."""

    def take(arrival: ReceivedFile) -> None:
        following.note_arrived(arrival)
        printer.arrived(arrival)

    sink = FolderSink(
        files,
        Identity(local.implementation_class_uid, local.implementation_version_name),
        take,
        folders=StudyFolders(files) if following.by_folder else None,
        find_study=following.has_commands,
    )
    service = storage_service(sink, StorageClasses())
    return following.follow(service) if following.has_commands else service


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
                self._note_failure(error)

    def print_failure(self, failure: FailedCommand) -> None:
        """Tell of a command that has failed."""
        work = failure.work
        with self._lock:
            self._progress.clear()
            say(f"{work.option} {work.command} {work.argument}: {failure.reason}")
            if self._as_json and self.failure is None:
                try:
                    print_event("command_failed", **_describe_failure(failure))
                except OSError as error:
                    self._note_failure(error)

    def _note_failure(self, error: OSError) -> None:
        if self.failure is None:  # a second stop would be another wish
            self._stop.set()
        self.failure = error

    def _print(self, arrival: ReceivedFile) -> None:
        self._progress.advance(arrival.length_bytes)
        if self._as_json:
            print_event("received", **_described(arrival))
        elif arrival.stored is Stored.DIFFERENT:
            self._progress.clear()
            uid = arrival.request.identity.sop_instance_uid
            at = f" at {arrival.path}" if arrival.is_elsewhere else ""
            say(f"{uid}: came again with different content, the first is kept{at}")
        elif arrival.is_elsewhere:
            self._progress.clear()
            say(f"{arrival.request.identity.sop_instance_uid}: is there already, and stays at {arrival.path}")


def _described(arrival: ReceivedFile) -> dict[str, Any]:
    request = arrival.request
    return {
        "sop_instance_uid": request.identity.sop_instance_uid,
        "sop_class_uid": request.identity.sop_class_uid,
        "transfer_syntax": request.transfer_syntax,
        "calling_ae_title": request.peer.calling_ae_title,
        "bytes": arrival.length_bytes,
        "stored": arrival.stored.value,
        "path": str(arrival.path),
    }


def _describe_failure(failure: FailedCommand) -> dict[str, Any]:
    work = failure.work
    return {
        "option": work.option,
        "command": work.command,
        "argument": work.argument,
        "status": failure.status,
        "reason": failure.reason,
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
