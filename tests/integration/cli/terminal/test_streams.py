"""Commands whose standard streams are closed, full or read by nobody."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from openmodality.cli.terminal.streams import mend_streams
from tests.peers.process import HOST, free_port

SOURCES: Final = Path(__file__).parents[4] / "src"


def run(redirections: str, words: Sequence[str], code: str = "") -> tuple[int, str]:
    """Exit status, and what still came out, of ``openmodality`` in a shell with these redirections."""
    program = f"from openmodality.cli.main import main; {code}main()"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONWARNINGS": "error"},
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", "0<&- 2>&-", "0<&- 1>&- 2>&-"])
def test_an_error_that_nobody_can_read_leaves_the_status_and_stdout_as_they_are(redirections: str) -> None:
    assert run(redirections, ["echo", f"NOBODY@{HOST}:{free_port()}"]) == (1, "")
    assert run(redirections, ["receive"]) == (2, "")


@pytest.mark.parametrize("redirections", ["1>&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"])
def test_results_may_go_nowhere(redirections: str) -> None:
    assert run(redirections, ["--help"]) == (0, "")
    assert run(redirections, ["hospital", "--list-personalities"]) == (0, "")


def test_results_that_do_not_fit_are_a_failure() -> None:
    status, said = run("1>/dev/full", ["hospital", "--list-personalities", "--json"])
    assert (status, said) == (1, "openmodality: No space left on device\n")


def test_a_name_that_the_character_set_of_a_terminal_does_not_have_is_written_as_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "latin-1")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "__stdout__", out)
    mend_streams()
    sys.stdout.write("Müller=\u5c71\n")
    sys.stdout.flush()
    assert raw.getvalue() == b"M\xfcller=\\u5c71\n"


def test_a_name_is_written_as_numbers_in_the_c_locale_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python is told not to take UTF-8 in its place."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii", "surrogateescape")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "__stdout__", out)
    mend_streams()
    sys.stdout.write("M\u00fcller\n")
    sys.stdout.flush()
    assert raw.getvalue() == b"M\\xfcller\n"


def test_a_closed_stream_gives_its_descriptor_to_no_file() -> None:
    """Else what is printed would get into the next file that is opened, such as an instance."""
    look = "import atexit, os; atexit.register(lambda: print(os.readlink('/proc/self/fd/2'))); "
    assert run("2>&-", ["no-such-command"], look) == (2, f"{os.devnull}\n")


def test_messages_to_a_reader_that_has_gone_are_lost() -> None:
    near, far = os.pipe()
    os.close(near)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from openmodality.cli.main import main; main()",
            "echo",
            f"NOBODY@{HOST}:{free_port()}",
        ],
        stderr=far,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        check=False,
    )
    os.close(far)
    assert done.returncode == 1
