"""Runs commands of a user for received files: their options, and when they are run."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from openmodality.cli.terminal.command_runner import CommandRunner, Work
from openmodality.cli.terminal.values import parse_number
from openmodality.dimse.service import Response, Service
from openmodality.errors import UsageError
from openmodality.standard.dimse import CommandField
from openmodality.standard.text_rules import clean_text
from openmodality.store.files.folder import ReceivedFile
from openmodality.store.files.instance_file import Stored

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser, WordValues
    from openmodality.dimse.channel import Message

log = logging.getLogger(__name__)

STUDY_END_S: Final = 10
CommandWords = tuple[str, ...]
"""A command that is split into its words."""


class Commands(NamedTuple):
    """The command for each file and that for each study, where there is one."""

    for_file: CommandWords | None = None
    for_study: CommandWords | None = None


def add_commands(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--exec",
        dest="for_file",
        metavar="COMMAND",
        type=parse_command,
        help="Run COMMAND with the path of each new file, after its answer.",
    )
    parser.add_argument(
        "--exec-study",
        dest="for_study",
        metavar="COMMAND",
        type=parse_command,
        help="Run COMMAND with the folder of a study, without --sort-by its Study Instance UID, when it has ended.",
    )
    parser.add_argument(
        "--study-end",
        metavar="SECONDS",
        type=parse_number(0.1, 86400),
        default=STUDY_END_S,
        help="A study has ended when nothing of it has come for so long.",
    )
    parser.change_after(check_programs)


def check_programs(values: WordValues) -> None:
    """Refuse commands that cannot be run. Raises :class:`UsageError`."""
    for option, name in (("--exec", "for_file"), ("--exec-study", "for_study")):
        words: CommandWords | None = values[name]
        if words is not None and shutil.which(words[0]) is None:
            raise UsageError(f"{option}: there is no program {words[0]!r} that can be run")


def parse_command(text: str) -> CommandWords:
    """The words of a command, split as a shell does; no shell reads them."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r}: {error}".replace("No closing", "no closing")) from None
    if not words:
        raise ArgumentTypeError("it is empty")
    return words


class ReceivedCommands:
    """Queues what is to be run for a file that has been received and answered.

    ``by_folder``: files are sorted by study, and the command of a study gets its folder.
    """

    def __init__(self, commands: Commands, runner: CommandRunner, *, by_folder: bool) -> None:
        self.has_commands = any(commands)
        self._commands = commands
        self._runner = runner
        self.by_folder = by_folder
        self._answering = threading.local()

    def note_arrived(self, arrival: ReceivedFile) -> None:
        """Remember the file until its C-STORE is answered, which this thread does next."""
        self._answering.arrival = arrival

    def follow(self, service: Service) -> Service:
        """A storage service that also queues the commands after each answer."""
        store = service.handlers[CommandField.C_STORE_RQ]

        def answer_store(message: Message) -> Response | Iterator[Response]:
            self._answering.arrival = None
            response = store(message)
            assert isinstance(response, Response), "C-STORE has one response"
            arrival = self._answering.arrival
            return response if arrival is None else _answer_first(response, lambda: self.queue(arrival))

        return Service(service.name, service.abstract_syntaxes, {CommandField.C_STORE_RQ: answer_store})

    def queue(self, arrival: ReceivedFile) -> None:
        """Queue what is to be run; for an instance that was there before, nothing is."""
        study = arrival.study_instance_uid
        if arrival.stored is not Stored.NEW:
            self._runner.postpone(study)
            return
        path = os.path.abspath(arrival.path)  # noqa: PTH100 - resolves no symbolic link, and goes to another process
        told = {
            "OPENMODALITY_STUDY": study,
            "OPENMODALITY_CALLING": clean_text(arrival.request.peer.calling_ae_title),
        }
        if self._commands.for_study and study:  # first: it must not come due before the file is queued
            about = os.path.dirname(path) if self.by_folder else study  # noqa: PTH120 - text, as before
            work = Work("--exec-study", self._commands.for_study, about, _with_file(told, ""))
            self._runner.queue_when_quiet(study, work)
        elif self._commands.for_study:
            uid = arrival.request.identity.sop_instance_uid
            log.warning("storage.no_study", extra={"sop_instance_uid": uid, "reason": "no Study Instance UID"})
        if self._commands.for_file:
            self._runner.queue(Work("--exec", self._commands.for_file, path, _with_file(told, path)))


def _with_file(told: Mapping[str, str], path: str) -> dict[str, str]:
    return {"OPENMODALITY_FILE": path, **told}


def _answer_first(response: Response, then: Callable[[], object]) -> Iterator[Response]:
    """Give the response, and go on when it is sent, or cannot be: the file is there in any case."""
    try:
        yield response
    finally:
        try:
            then()
        except Exception:  # after an answer there must not be another one
            log.exception("storage.listener_failed")
