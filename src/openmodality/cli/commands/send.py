"""``openmodality send``: files and folders straight to a peer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openmodality.activities.dicom_files import Unreadable, list_dicom_files
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.association import SYNTAXES, add_association
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.progress import ProgressLine
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.cli.terminal.values import existing_path, parse_integer
from openmodality.counted import format_count
from openmodality.dimse.verdict import find_advice
from openmodality.errors import ObjectInvalid, OpenModalityError, UsageError
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import FileInstance, NotDicom, read_instance
from openmodality.network.storage.reader import Decompress, InstanceReader
from openmodality.network.storage.sending import send
from openmodality.network.storage.sent import SendOptions, Sent
from openmodality.services.storage import StoreResult
from openmodality.upper_layer.negotiation import RequestOptions
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow, UserIdentityRQ
from openmodality.value_class import replace

if TYPE_CHECKING:
    import ssl

WINDOW: Final = AsynchronousOperationsWindow(16, 1)
"""Requests that may be open at once with a peer that can do so; others take one at a time (PS3.7 D.3.3.3)."""


def _declare(parser: Parser) -> None:
    add_peer(parser)
    parser.add_argument("paths", metavar="PATH", nargs="+", type=existing_path)
    for add in (add_site, add_calling, add_timeout, add_tls, add_association):
        add(parser)
    parser.add_argument(
        "--repeat", metavar="N", type=parse_integer(1), default=1, help="Send everything so many times, to try PEER."
    )
    parser.add_argument(
        "--stop-on-failure", dest="stop", action="store_true", help="Stop at the first instance that is not stored."
    )
    add_json(parser)


def run(  # one parameter for each option
    peer: str,
    paths: tuple[Path, ...],
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    max_pdu: int | None,
    transfer_syntax: str | None,
    user: UserIdentityRQ | None,
    repeat: int,
    stop: bool,
    as_json: bool,
) -> int:
    """Send files or folders straight to PEER (C-STORE), without the local database.

    PEER is AETITLE@host:port, or a peer's name in the site file.

    Uncompressed files are converted to what the peer takes; compressed ones go as they are, or are decompressed where
    the peer takes only uncompressed data. Files in a folder that are not DICOM are passed over and counted; symbolic
    links are followed, and each folder is gone through once.

    Exit status 0 when everything is stored, 1 when something is not stored or is damaged, 2 when there is no DICOM file
    at all, 130 at Ctrl-C; except for 2 the report says what was stored and what was not.
    """
    ends = resolve(peer, "storage", site_file, calling, timeout, tls)
    local = ends.local if max_pdu is None else replace(ends.local, max_pdu_length=max_pdu)
    instances, unreadable = find_instances(list(paths))
    instances *= repeat
    progress = ProgressLine("sent", len(instances), sum(instance.length_bytes for instance in instances))
    syntaxes = ends.transfer_syntaxes if transfer_syntax is None else (SYNTAXES[transfer_syntax],)
    results = send(
        lambda plan: associate(ends.remote, local, plan.proposals, options=RequestOptions(user, WINDOW)),
        instances,
        InstanceReader(_decompressor(), check=True),
        SendOptions(syntaxes, stop_on_failure=stop, judge=ends.judge_of("storage", "C-STORE")),
    )
    report = SendReport(str(ends.remote), instances, unreadable)
    try:
        for sent in results:
            progress.advance(sent.instance.length_bytes, ok=sent.is_stored)
            report.add(sent, progress, quiet=as_json)
    except KeyboardInterrupt:
        report.interrupt()
        raise
    finally:  # also at Ctrl-C: what is at the peer is at the peer
        progress.clear()
        report.say_unsent()
        report.print(progress.seconds, as_json=as_json)
    return 0 if report.is_complete else 1


command = CliCommand(run, _declare)


class SendReport:
    """What became of the instances that are to be sent."""

    def __init__(self, peer: str, instances: list[FileInstance], unreadable: list[Unreadable]) -> None:
        self.peer = peer
        self.total = len(instances)
        self.stored = 0
        self.stored_bytes = 0
        self.outcomes: Counter[str] = Counter()
        self.not_stored: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []
        self._instances = instances
        self._dealt_with: list[FileInstance] = []
        self._interrupted = 0
        self._unreadable = unreadable
        self._unsent: dict[str, list[dict[str, Any]]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether everything that was named is now at the peer."""
        return not self.not_stored and not self._unreadable

    def add(self, sent: Sent, progress: ProgressLine, *, quiet: bool) -> None:
        """Take in one result; what is not a plain success is said at once."""
        self._dealt_with.append(sent.instance)
        self.outcomes[sent.result.verdict.meaning if sent.result else "not sent"] += 1
        if sent.is_stored:
            self.stored += 1
            self.stored_bytes += sent.instance.length_bytes
        if sent.result is not None and sent.result.status == 0:
            return
        entry: dict[str, Any] = {"path": str(sent.instance.path), "status": None, "error": None, "reason": ""}
        if sent.result is not None:
            entry |= {
                "status": f"{sent.result.status:04X}",
                "reason": _explain_status(sent.result),
            }
        elif sent.error is not None:
            entry |= _describe_error(sent.error)
        (self.warnings if sent.is_stored else self.not_stored).append(entry)
        if not quiet:
            progress.clear()
            self._say(entry, is_own=isinstance(sent.error, ObjectInvalid))

    def interrupt(self) -> None:
        """No more results will come: what has none yet is not sent, or sent and not answered."""
        left = Counter(self._instances) - Counter(self._dealt_with)  # a file may be named twice
        self._interrupted = left.total()
        self.outcomes["not sent"] += self._interrupted
        reason = "not sent, or not answered, before Ctrl-C; send it again to be sure"
        self.not_stored += [
            {"path": str(each.path), "status": None, "error": "Interrupted", "reason": reason}
            for each in left.elements()
        ]

    def say_unsent(self) -> None:
        """One line for all the files that one reason has kept from being stored."""
        for reason, entries in self._unsent.items():
            first, count = entries[0]["path"], len(entries)
            more = f" and {format_count(count - 1, 'other file')}" if count > 1 else ""
            say(f"{first}{more}: {reason}")
        self._unsent = {}

    def _say(self, entry: dict[str, Any], *, is_own: bool) -> None:
        """At once what is of one file alone; what many may share, when all is known."""
        if not is_own:
            self._unsent.setdefault(entry["reason"], []).append(entry)
        elif entry["reason"].startswith(entry["path"]):
            say(entry["reason"])
        else:
            say(f"{entry['path']}: {entry['reason']}")

    def print(self, seconds: float, *, as_json: bool) -> None:
        """All of it on stdout, for a program or in one line for a person."""
        if as_json:
            print_document([self.as_json(seconds)])
        else:
            print(self.summary(seconds))

    def summary(self, seconds: float) -> str:
        """One line for a person."""
        volume = f"{self.stored_bytes / 1e6:.1f} MB in {seconds:.3f} s"
        text = f"{self.peer}: {self.stored} of {format_count(self.total, 'instance')} stored, {volume}"
        if self.warnings:
            text += f", {len(self.warnings)} with a warning"
        if self._interrupted:
            text += f", interrupted with {self._interrupted} not sent"
        return text

    def as_json(self, seconds: float) -> dict[str, Any]:
        """All of it, for a program; ``bytes`` are those of what was stored."""
        return {
            "peer": self.peer,
            "instances": self.total,
            "stored": self.stored,
            "bytes": self.stored_bytes,
            "seconds": round(seconds, 3),
            "outcomes": dict(self.outcomes),
            "warnings": self.warnings,
            "not_stored": self.not_stored
            + [{"path": str(path), "status": None, **_describe_error(error)} for path, error in self._unreadable],
        }


def _explain_status(result: StoreResult) -> str:
    """What a status means, what the peer says of it, and what can be done about it."""
    words = result.verdict.describe(result.comment)
    return words if result.verdict.is_done else f"{words}; {find_advice('storage', 'C-STORE', result.status)}"


def _describe_error(error: OpenModalityError) -> dict[str, str]:
    return {"error": type(error).__name__, "reason": str(error)}


def find_instances(paths: list[Path]) -> tuple[list[FileInstance], list[Unreadable]]:
    """The DICOM files among ``paths``, and what cannot be read.

    What is not DICOM counts as unreadable where it was named itself; in a folder it is passed over. Raises
    :class:`UsageError` when there is no DICOM file at all, not even a damaged one.
    """
    instances: list[FileInstance] = []
    unreadable: list[Unreadable] = []
    passed_over = 0
    for path, is_named in list_dicom_files(paths, unreadable):
        try:
            instances.append(read_instance(path))
        except ObjectInvalid as error:
            if is_named or not isinstance(error, NotDicom):
                unreadable.append((path, error))
            else:
                passed_over += 1
    for _, reason in unreadable:
        say(str(reason))
    if passed_over:
        what = "1 file is not DICOM and was" if passed_over == 1 else f"{passed_over} files are not DICOM and were"
        say(f"{what} passed over")
    if not instances and all(isinstance(reason, NotDicom) for _, reason in unreadable):
        raise UsageError("there is no DICOM file to send", advice="name DICOM files, or folders of them")
    return instances, unreadable


def _decompressor() -> Decompress:
    def decompress(path: Path) -> Any:
        from openmodality.imaging.decompress import decompress_file  # noqa: PLC0415 - start-up time, and rarely needed

        return decompress_file(path)

    return decompress
