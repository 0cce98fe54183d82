"""``openmodality receive --exec``: a command that hangs when the receiver is to stop, and one that hangs before."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path

from tests.acceptance.command_line import Receiving, finish, openmodality, receiving
from tests.peers import objects
from tests.peers.process import wait_until

HANG = (
    "import os, sys, time; from pathlib import Path; Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(3600)"
)


def hang(note: Path) -> str:
    """A command that never ends, and says in a file that it runs."""
    return shlex.join([sys.executable, "-c", HANG, str(note)])


def stop_twice(here: Receiving) -> tuple[int, str]:
    """Stop it, and when it says that it finishes commands, once more; exit status and what it has said."""
    stderr = here.process.stderr
    assert stderr is not None
    here.process.send_signal(signal.SIGINT)
    said = ""
    while "Ctrl-C ends what runs" not in said:
        line = stderr.readline()
        assert line, said
        said += line
    here.process.send_signal(signal.SIGINT)
    here.ended.append(finish(here.process))
    return here.ended[-1].status, said + here.ended[-1].err


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_that_hangs_holds_up_neither_reception_nor_the_second_stop(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 3)
    note = tmp_path / "note"
    with receiving(tmp_path / "received", "--exec", hang(note), "--exec-study", "true") as here:
        assert openmodality("send", here.address, *paths).status == 0
        assert len(here.files()) == 3
        wait_until(lambda: note.exists() and note.read_text() != "", what="the command")
        status, said = stop_twice(here)
    assert status == 0
    first, *others = [str(tmp_path / "received" / path.name) for path in paths]
    assert "finishing 4 commands" in said
    assert f"{first}: was ended, because it still ran at the stop" in said
    assert all(f"{path}: is not run" in said for path in others)
    assert "--exec-study true" in said
    assert "received 3 files" in said
    assert not is_running(int(note.read_text()))


def test_a_command_whose_program_goes_away_is_told_and_the_next_is_run(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho ran >> {tmp_path / 'log'}\nrm {program}\n")
    program.chmod(0o755)
    with receiving(tmp_path / "received", "--exec", str(program)) as here:
        assert openmodality("send", here.address, *paths).status == 0
        ended = here.stop()
    assert (tmp_path / "log").read_text() == "ran\n"
    assert ended.status == 0
    assert f"--exec {program} {tmp_path / 'received' / paths[1].name}: cannot be started: No such file" in ended.err
