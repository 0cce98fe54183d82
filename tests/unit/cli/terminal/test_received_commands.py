"""Which commands are run for what has been received."""

from __future__ import annotations

import logging
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from openmodality.cli.terminal.command_runner import CommandRunner, Work
from openmodality.cli.terminal.received_commands import Commands, ReceivedCommands, check_programs, parse_command
from openmodality.dimse.channel import Message, PeerInfo
from openmodality.dimse.service import Response, Service
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import UsageError
from openmodality.services.storage import InstanceIdentity, StoreRequest
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.folder import ReceivedFile
from openmodality.store.files.instance_file import Stored

BOTH = Commands(("one",), ("two",))


class Queue:
    """What a runner is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def queue(self, work: Work) -> None:
        self.asked.append(("now", work))

    def queue_when_quiet(self, key: str, work: Work) -> None:
        self.asked.append((key, work))

    def postpone(self, key: str) -> None:
        self.asked.append((key, None))


def arrival(stored: Stored = Stored.NEW, study: str = "1.2.9") -> ReceivedFile:
    request = StoreRequest(
        InstanceIdentity(MR_IMAGE_STORAGE, "1.2.3"),
        EXPLICIT_VR_LITTLE_ENDIAN,
        PeerInfo("ME\x1b[0m", "SCP"),
        DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN),
    )
    return ReceivedFile(request, 10, stored, "in/1.2.9/1.2.3.dcm", study)


def following(queue: Queue, commands: Commands = BOTH, *, by_folder: bool = True) -> ReceivedCommands:
    return ReceivedCommands(commands, cast("CommandRunner", queue), by_folder=by_folder)


@pytest.mark.parametrize("by_folder", [True, False])
def test_a_new_file_queues_both(by_folder: bool) -> None:
    queue = Queue()
    following(queue, by_folder=by_folder).queue(arrival())
    folder = Path.cwd() / "in" / "1.2.9"
    told = {"OPENMODALITY_STUDY": "1.2.9", "OPENMODALITY_CALLING": "ME\ufffd[0m"}
    about = str(folder) if by_folder else "1.2.9"
    path = str(folder / "1.2.3.dcm")
    assert queue.asked == [
        ("1.2.9", Work("--exec-study", ("two",), about, {"OPENMODALITY_FILE": "", **told})),
        ("now", Work("--exec", ("one",), path, {"OPENMODALITY_FILE": path, **told})),
    ]


def test_what_was_there_before_runs_nothing_and_shows_that_the_study_still_comes() -> None:
    queue = Queue()
    following(queue).queue(arrival(Stored.SAME))
    assert queue.asked == [("1.2.9", None)]


def test_without_a_study_none_is_run_for_it_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()
    with caplog.at_level(logging.WARNING):
        following(queue, by_folder=False).queue(arrival(study=""))
    assert [when for when, _ in queue.asked] == ["now"]
    assert caplog.messages == ["storage.no_study"]


@pytest.mark.parametrize("is_sent", [True, False])
def test_it_is_queued_after_the_answer_and_also_where_that_cannot_be_sent(is_sent: bool) -> None:
    queue = Queue()
    followed = following(queue, Commands(("one",)))

    def store(_: Message) -> Response:
        followed.note_arrived(arrival())
        return Response(0)

    service = followed.follow(Service("Storage", (), {CommandField.C_STORE_RQ: store}))
    answers = service.handlers[CommandField.C_STORE_RQ](cast("Message", None))
    assert isinstance(answers, Iterator)
    assert next(answers) == Response(0)
    assert queue.asked == []
    if is_sent:
        assert list(answers) == []
    else:
        answers.close()  # type: ignore[attr-defined]
    assert len(queue.asked) == 1


def test_what_is_not_stored_runs_nothing() -> None:
    queue = Queue()
    service = following(queue).follow(Service("Storage", (), {CommandField.C_STORE_RQ: lambda _: Response(0xA700)}))
    assert service.handlers[CommandField.C_STORE_RQ](cast("Message", None)) == Response(0xA700)
    assert queue.asked == []


def test_words_are_split_as_a_shell_does() -> None:
    assert parse_command("sh -c 'echo $0; ls' \"a b\" | x") == ("sh", "-c", "echo $0; ls", "a b", "|", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("  ", "empty"), ("echo 'a", "no closing quotation")],
)
def test_what_is_no_command_is_refused(text: str, said: str) -> None:
    with pytest.raises(ArgumentTypeError, match=said):
        parse_command(text)


def test_a_program_that_is_not_there_is_refused() -> None:
    check_programs({"for_file": ("true", "no-such-program-here"), "for_study": None})
    with pytest.raises(UsageError, match=r"--exec-study: there is no program 'no-such-program-here'"):
        check_programs({"for_file": None, "for_study": ("no-such-program-here", "true")})
