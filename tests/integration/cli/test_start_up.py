"""What a short command imports: a large library would take longer to load than the command takes."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command_line import openmodality

HEAVY = {"ssl", "pydantic", "sqlalchemy", "numpy", "pydicom", "highdicom", "fastapi", "asyncio", "rich", "jinja2"}
NOT_NEEDED = {"pathlib", "shutil", "difflib", "inspect", "dataclasses", "datetime"}
"""Small ones, which together would take a tenth of the time that an echo may take."""
INTERRUPTED = """
import sys
class Interrupt:
    @staticmethod
    def find_spec(name, *_):
        if name == sys.argv[1]:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt)
from openmodality.cli.main import main
main(["echo", "--help"])
"""
PROGRAM = """
import sys
from openmodality.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""


@pytest.fixture(scope="module")
def device_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a device with an exam and a job."""
    folder = tmp_path_factory.mktemp("device")
    words = ("exam", "unscheduled", "--patient-id", "1", "--patient-name", "DOE^JANE", "-c", str(folder))
    for arguments in (("init", str(folder), "--profile", "mr"), words):
        assert openmodality(*arguments).status == 0
    return folder


def run(*arguments: str) -> tuple[int, str, set[str]]:
    """Exit status, error text and top-level modules of a command in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr, {name.partition(".")[0] for name in done.stdout.split()}


def test_an_echo_to_a_closed_port_loads_nothing_heavy() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening: nobody else gets the port, and connecting is refused
        status, said, loaded = run("echo", f"PEER@127.0.0.1:{bound.getsockname()[1]}")
    assert (status, "Connection refused" in said) == (1, True)
    assert "openmodality" in loaded
    assert not (HEAVY | NOT_NEEDED) & loaded


def test_the_help_page_loads_no_command() -> None:
    status, _, loaded = run("--help")
    assert status == 0
    assert not (HEAVY | {"socket"}) & loaded


@pytest.mark.parametrize(
    "words",
    ["jobs list", "jobs show 1", "exam list", "exam show 1", "studies list", "series list", "instances list"],
)
def test_a_list_loads_no_device_and_no_large_library(device_folder: Path, words: str) -> None:
    status, said, loaded = run(*words.split(), "-c", str(device_folder))
    assert (status, "sqlite3" in loaded, HEAVY & loaded) == (0, True, set()), said


@pytest.mark.parametrize("module", ["argparse", "openmodality.cli.terminal.output", "openmodality.cli.commands.echo"])
def test_ctrl_c_while_something_is_imported_ends_it_quietly(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, module], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")
