"""Somebody who reads a document and does what it says.

Programs that run on (``openmodality hospital``, ``openmodality serve``, ``--watch``) are processes of their own until
the document ends them, or ends itself; so is what needs a shell. Other commands run in this process.

Addresses of the document are replaced by free ones of this machine on the way in, and put back on the way out. The
accession numbers of the virtual hospital begin with the day, which is today.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final

from openmodality.hospital.addresses import AUDIT, DEVICES, PACS, PRINTER, RIS
from tests.acceptance.command_line import SOURCES
from tests.acceptance.documents import Block, Typed, blocks_of, difference, fits, typed_in
from tests.acceptance.hospital_site import with_ports
from tests.acceptance.in_process import call, captured
from tests.peers.forked import Forked, fork
from tests.peers.process import HOST, free_port, wait_until

PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.05
_NEVER: Final = threading.Event()
_RUNS_ON: Final = re.compile(r"^openmodality (hospital|serve)\b|--watch\b")
_LOOKS: Final = re.compile(
    r"^openmodality (worklist|exam (list|show)|jobs (list|show)|(studies|series|instances) (list|show)|query)\b|^ls\b"
)

_DAY: Final = re.compile(r"\bA\d{8}(?=-\d\d\b)")


@dataclass(frozen=True, slots=True)
class Background:
    """A program that runs on, and what the document has shown of its output so far."""

    command: str
    shown: str
    process: Forked
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE_S) == 0, f"{self.command}: {self.output}"


def usual_ports() -> dict[str, str]:
    """A free port for each that the hospital and newly made site files use."""
    usual = [RIS.port, PACS.port, PRINTER.port, AUDIT.port, *(port for _, port in DEVICES.values())]
    return {str(port): str(free_port()) for port in usual}


@dataclass(slots=True)
class Reader:
    """``elsewhere``: commands that are not typed here, and where they are tested."""

    folder: Path
    addresses: Mapping[str, str]
    hospital_options: Sequence[str] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    _running: list[Background] = field(default_factory=list)
    _home: Path = field(init=False)

    def __post_init__(self) -> None:
        self._home = self.folder

    def follow(self, document: Path) -> int:
        """Do all that is written, in its order; how many blocks that was."""
        printed, count = "", 0
        try:
            for block in blocks_of(document):
                try:
                    printed = self._do(block, printed)
                    count += 1
                except AssertionError as error:
                    raise AssertionError(f"{document.name}:{block.line}: {error}") from error
        finally:
            for each in reversed(self._running):
                each.end()
        return count

    def _do(self, block: Block, printed: str) -> str:
        if block.kind == "toml":
            (self.folder / block.option).write_text(self._into(block.text), encoding="utf-8")
        elif block.kind == "python":
            return self._script(block.text)
        elif block.kind == "text" and block.option == "prints":
            assert fits(block.text, printed), difference("the script", block.text, printed)
        elif block.option.startswith("ends "):
            self._end(block.option.removeprefix("ends "), block.text)
        elif block.kind == "console":
            typed = typed_in(block.text)
            for each in typed:
                self._type(each, fails=block.option == "fails" and each is typed[-1])
        return ""

    def _type(self, typed: Typed, *, fails: bool) -> None:
        self.typed.append(typed.command)
        if typed.command in self.elsewhere:
            return
        if typed.command.startswith("cd "):
            self.folder = self.folder / typed.command[3:]
        elif _RUNS_ON.search(typed.command):
            self.start(typed)
        else:
            self._look(typed, fails=fails)

    def _look(self, typed: Typed, *, fails: bool) -> None:
        """Run it once; a command that only shows something, until it shows what the document does."""
        until = monotonic() + (PATIENCE_S if _LOOKS.search(typed.command) else 0)
        while True:
            status, printed = self._run(typed.command)
            if (status != 0) == fails and fits(typed.output, printed):
                return
            text = difference(typed.command, typed.output, printed)
            assert monotonic() < until, f"exit status {status}, {text}"
            _NEVER.wait(_PAUSE_S)

    def _run(self, command: str) -> tuple[int, str]:
        words = shlex.split(command)
        is_plain = words[0] == "openmodality" and not re.search(r"[|<>;$*]", command)
        status, printed = (
            call([self._into(word) for word in words[1:]], self.folder) if is_plain else self._shell(command)
        )
        if words[:2] == ["openmodality", "init"]:
            self._give_ports(self.folder / words[2] / "site.toml")
        return status, self._out_of(printed)

    def _give_ports(self, site: Path) -> None:
        ports = {int(shown): int(real) for shown, real in self.addresses.items() if shown.isdecimal()}
        site.write_text(with_ports(site.read_text(encoding="utf-8"), ports), encoding="utf-8")

    def _script(self, text: str) -> str:
        path = self._home / "script.py"
        path.write_text(self._into(text), encoding="utf-8")
        with captured(self.folder) as printed:
            runpy.run_path(str(path), run_name="__main__")
        return self._out_of(printed.getvalue())

    def _shell(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", self._into(command)],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    def start(self, typed: Typed) -> None:
        """Start a program that runs on, and wait until it prints what it should."""
        words = shlex.split(self._into(typed.command))
        if words[1] == "hospital":
            words += self.hospital_options
        log = self._home / f"{len(self._running)}.log"
        with log.open("wb") as output:
            process = fork(
                *words, stdout=output.fileno(), stderr=output.fileno(), folder=self.folder,
                environment=self._environment(),
            )  # fmt: skip
        started = Background(typed.command, typed.output, process, log)
        self._running.append(started)
        wait_until(
            lambda: fits(typed.output, self._out_of(started.output)) or process.poll() is not None,
            timeout_s=PATIENCE_S,
            what=f"{typed.command} to print\n{typed.output}",
        )
        assert process.poll() is None, f"{typed.command} has ended: {started.output}"

    def _end(self, name: str, shown: str) -> None:
        last = [each for each in self._running if name in each.command][-1]
        last.end()
        self._running.remove(last)
        shown, printed = f"{last.shown}\n{shown}", self._out_of(last.output)
        assert fits(shown, printed), difference(last.command, shown, printed)

    def _program(self) -> Path:
        program = self._home / "bin" / "openmodality"
        if not program.exists():
            program.parent.mkdir()
            call = "from openmodality.cli.main import main; main()"
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{call}" "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        return program

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self._program().parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}

    def _into(self, text: str) -> str:
        text = _DAY.sub(datetime.now().strftime("A%Y%m%d"), text)
        for shown, real in self.addresses.items():
            text = re.sub(rf"(?<![\w.]){re.escape(shown)}(?![\w.])", real, text)
        return text

    def _out_of(self, text: str) -> str:
        for shown, real in self.addresses.items():
            text = re.sub(rf"(?<![\w.]){re.escape(real)}(?!\w)", shown, text)
        return text.replace(f"{self.folder}/", "").replace(str(self.folder), ".")


def reader(folder: Path, elsewhere: Mapping[str, str], addresses: Mapping[str, str] | None = None) -> Reader:
    """A reader in an empty folder, on free ports."""
    ports = usual_ports()
    options = [f"--{name}-port={ports[str(each.port)]}" for name, each in _SERVERS.items()]
    options += ["--commitment-delay=0.2"]  # two seconds by itself, to be seen
    options += [f"--peer={aet}={HOST}:{ports[str(port)]}" for aet, (_, port) in DEVICES.items()]
    return Reader(folder, {**ports, **(addresses or {})}, options, elsewhere)


_SERVERS: Final = {"ris": RIS, "pacs": PACS, "printer": PRINTER, "audit": AUDIT}
