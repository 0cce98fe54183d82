"""``openmodality send``: files and folders straight to a peer."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from openmodality.cli.main import error_line
from openmodality.cli.peer import calling_option, json_option, peer_argument, resolve, timeout_option
from openmodality.cli.progress import ProgressLine
from openmodality.cli.site import site_option
from openmodality.dimse.status import describe
from openmodality.errors import NoPresentationContext, ObjectInvalid, OpenModalityError, UsageError
from openmodality.network.instances import Decompress, FileInstance, InstanceReader, read_instance
from openmodality.network.requestor import associate
from openmodality.network.sending import SendOptions, Sent, send
from openmodality.upper_layer.negotiation import RequestOptions
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow

WINDOW: Final = AsynchronousOperationsWindow(16, 1)
"""Requests that may be open at once with a peer that can do so; others take one at a time (PS3.7 D.3.3.3)."""


@click.command("send")
@peer_argument
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@site_option
@calling_option
@timeout_option
@click.option("--stop-on-failure", "stop", is_flag=True, help="Stop at the first instance that is not stored.")
@json_option
def command(  # one parameter for each option
    peer: str,
    paths: tuple[Path, ...],
    site_file: Path,
    calling: str | None,
    timeout: float | None,
    stop: bool,
    as_json: bool,
) -> None:
    """Send files or folders straight to PEER (C-STORE), without the local database.

    PEER is AETITLE@host:port, or a peer's name in the site file.

    Uncompressed files are converted to what the peer takes; compressed ones go as they are, or are decompressed where
    the peer takes
    only uncompressed data. Files in a folder that are not DICOM are passed over and counted.
    """
    ends = resolve(peer, "storage", site_file, calling, timeout)
    instances, unreadable = find_instances(list(paths))
    progress = ProgressLine("sent", len(instances), sum(instance.length_bytes for instance in instances))
    results = send(
        lambda plan: associate(ends.remote, ends.local, plan.proposals, options=RequestOptions(None, WINDOW)),
        instances,
        InstanceReader(_decompressor(), check=True),
        SendOptions(ends.transfer_syntaxes, stop_on_failure=stop),
    )
    report = Report(str(ends.remote), unreadable)
    for sent in results:
        progress.advance(sent.instance.length_bytes, ok=sent.is_stored)
        report.add(sent, progress, quiet=as_json)
    progress.clear()
    report.say_unsent()
    print(json.dumps(report.as_json(progress)) if as_json else report.summary(progress))
    click.get_current_context().exit(0 if report.is_complete else 1)


_ABOUT_ONE_FILE: Final = (ObjectInvalid, NoPresentationContext)


class Report:
    """What became of the files."""

    def __init__(self, peer: str, unreadable: list[OpenModalityError]) -> None:
        self.peer = peer
        self.outcomes: Counter[str] = Counter()
        self.not_stored: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []
        self._unreadable = unreadable
        self._unsent: list[dict[str, Any]] = []

    @property
    def is_complete(self) -> bool:
        """Whether everything that was named is now at the peer."""
        return not self.not_stored and not self._unreadable

    def add(self, sent: Sent, progress: ProgressLine, *, quiet: bool) -> None:
        """Take in one result; what is not a plain success is said at once."""
        self.outcomes[sent.result.outcome.value if sent.result else "not sent"] += 1
        if sent.result is not None and sent.result.status == 0:
            return
        entry: dict[str, Any] = {"path": str(sent.instance.path), "status": None, "reason": ""}
        if sent.result is not None:
            entry |= {
                "status": f"{sent.result.status:04X}",
                "reason": describe(sent.result.status, sent.result.comment),
            }
        elif sent.error is not None:
            entry["reason"] = error_line(sent.error)
        (self.warnings if sent.is_stored else self.not_stored).append(entry)
        if not quiet:
            progress.clear()
            self._say(entry, is_own=sent.result is not None or isinstance(sent.error, _ABOUT_ONE_FILE))

    def say_unsent(self) -> None:
        """One line for all the files that one reason has kept from being sent."""
        if self._unsent:
            count, entry = len(self._unsent), self._unsent[0]
            print(f"{entry['path'] if count == 1 else f'{count} files'}: {entry['reason']}", file=sys.stderr)
        self._unsent = []

    def _say(self, entry: dict[str, Any], *, is_own: bool) -> None:
        if is_own or (self._unsent and self._unsent[0]["reason"] != entry["reason"]):
            self.say_unsent()
        if not is_own:
            self._unsent.append(entry)
        elif entry["reason"].startswith(entry["path"]):
            print(entry["reason"], file=sys.stderr)
        else:
            print(f"{entry['path']}: {entry['reason']}", file=sys.stderr)

    def summary(self, progress: ProgressLine) -> str:
        """One line for a person."""
        stored = progress.count - progress.failed
        volume = f"{progress.length_bytes / 1e6:.1f} MB in {progress.seconds:.3f} s"
        text = f"{self.peer}: {stored} of {progress.count} instances stored, {volume}"
        if self.warnings:
            text += f", {len(self.warnings)} with a warning"
        return text

    def as_json(self, progress: ProgressLine) -> dict[str, Any]:
        """All of it, for a program."""
        return {
            "peer": self.peer,
            "instances": progress.count,
            "stored": progress.count - progress.failed,
            "bytes": progress.length_bytes,
            "seconds": round(progress.seconds, 3),
            "outcomes": dict(self.outcomes),
            "warnings": self.warnings,
            "not_stored": self.not_stored
            + [{"path": None, "status": None, "reason": str(e)} for e in self._unreadable],
        }


def find_instances(paths: list[Path]) -> tuple[list[FileInstance], list[OpenModalityError]]:
    """The DICOM files among ``paths``; those named one by one that are none are reported and returned as errors.

    Raises :class:`UsageError` when nothing is there to send.
    """
    instances: list[FileInstance] = []
    errors: list[OpenModalityError] = []
    passed_over = 0
    for path, is_named in _files(paths):
        try:
            instances.append(read_instance(path))
        except ObjectInvalid as error:
            if is_named:
                errors.append(error)
                print(error_line(error), file=sys.stderr)
            else:
                passed_over += 1
    if passed_over:
        print(f"{passed_over} files are not DICOM and were passed over", file=sys.stderr)
    if not instances:
        raise UsageError("there is no DICOM file to send", advice="name DICOM files, or folders of them")
    return instances, errors


def _files(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    for path in paths:
        if path.is_dir():
            yield from ((file, False) for file in sorted(path.rglob("*")) if file.is_file() and file.name != "DICOMDIR")
        else:
            yield path, True


def _decompressor() -> Decompress:
    def decompress(path: Path) -> Any:
        from openmodality.imaging.decompress import decompress_file  # noqa: PLC0415 - start-up time, and rarely needed

        return decompress_file(path)

    return decompress
