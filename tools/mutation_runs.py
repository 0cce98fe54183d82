"""Runs of the tests against a copy of the project in which one thing is wrong.

The copy is in ``build/mutate/tree``: nothing is changed in the work tree. Which test runs which line is collected once,
by coverage with the test as its context. Each run is a fork of this process, which has imported the libraries of others
and nothing of ours: it starts in a moment, and imports the mutated module as any program would.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import pytest
from coverage import CoverageData

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "build" / "mutate"
TREE: Final = FOLDER / "tree"
TIMEOUT_S: Final = 60.0
PACKAGES: Final = ("services", "exam", "jobs", "activities", "device")
"""What is mutated: the packages that decide what a device does."""
SUITES: Final = (
    *(f"tests/unit/{package}" for package in PACKAGES),
    *(f"tests/property/test_{name}.py" for name in ("queue", "services", "device_files", "rule_conditions")),
    *(f"tests/integration/{package}" for package in ("activities", "app", "exam")),
    "tests/acceptance/requirements",
)
"""Where tests of them are; what a test elsewhere notices is a surplus."""
_SELECTION_S: Final = 35.0
"""How long the tests of one mutant may take by the record: less than the time-out, as the machine may be busy."""
_SUMMARY: Final = " short test summary info "
_CHEAP: Final = ("tests/unit", "tests/property")
_CONTEXTS: Final = FOLDER / "contexts"
_COVERAGE: Final = FOLDER / "coveragerc"
_RECORD: Final = FOLDER / "record.json"
_LOG: Final = FOLDER / "run.log"
_KEPT: Final = FOLDER / "unchanged"
_FOREIGN: Final = (
    "pytest", "hypothesis", "numpy", "pydicom", "pynetdicom", "sqlalchemy", "alembic", "PIL", "highdicom", "rich",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of tests ended: pytest's exit status, ``None`` after the time-out; and the first test that failed."""

    status: int | None
    failed: str
    seconds: float


def split_by_cost(tests: Sequence[str]) -> list[list[str]]:
    """The tests of units, which most mutants do not outlive; then those that start a device. No part is empty."""
    cheap = [test for test in tests if test.startswith(_CHEAP)]
    dear = [test for test in tests if not test.startswith(_CHEAP)]
    return [part for part in (cheap, dear) if part]


class Covering:
    """Which tests run a line of a file of the copy."""

    def __init__(self) -> None:
        self._data = CoverageData(str(_CONTEXTS))
        self._data.read()
        record = json.loads(_RECORD.read_text(encoding="utf-8"))
        self._seconds: dict[str, float] = {
            test: each["seconds"] for test, each in record.items() if each["outcome"] == "passed"
        }
        self._lines: dict[str, Mapping[int, Sequence[str]]] = {}

    def select(self, file: str, lines: range) -> list[str]:
        """The tests to run; all of the file's where nothing but an import runs the lines.

        Those that are named like the module come first, then those of its package, the quick ones before the others.
        """
        parts = Path(file).with_suffix("").parts[2:]
        own, near = f"test_{parts[-1]}.py::", "/".join(parts[:-1])
        by_line = self._of_file(file)
        tests = {test for line in lines for test in by_line.get(line, ())}
        tests = tests or {test for tests in by_line.values() for test in tests}
        # What nothing but an import runs, and that before the first test, is noticed by those of its package at best.
        tests = tests or {test for test in self._seconds if near in test}
        chosen, total_s = [], 0.0
        for test in sorted(tests, key=lambda test: (own not in test, near not in test, self._seconds[test], test)):
            total_s += self._seconds[test]
            if total_s > _SELECTION_S:
                break
            chosen.append(test)
        return chosen

    def _of_file(self, file: str) -> Mapping[int, Sequence[str]]:
        if file not in self._lines:
            by_line: dict[int, set[str]] = defaultdict(set)
            for line, contexts in self._data.contexts_by_lineno(str(TREE / file)).items():
                by_line[line] = {context.rpartition("|")[0] for context in contexts} & self._seconds.keys()
            self._lines[file] = {line: sorted(tests) for line, tests in by_line.items()}
        return self._lines[file]


def copy_project() -> None:
    """Make the copy anew from the files that git knows."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


def collect_contexts(suites: Sequence[str] = SUITES) -> None:
    """Run the tests once, unchanged, and note which lines each runs and how long it takes."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses=0",
        "--cov", f"--cov-config={_COVERAGE}", "--cov-context=test", "--cov-report=", "--record", str(_RECORD), *suites,
    ]  # fmt: skip
    packages = "".join(f"\n    openmodality.{package}" for package in PACKAGES)
    _COVERAGE.write_text(f"[run]\nsource_pkgs ={packages}\n", encoding="utf-8")
    environment = _environment() | {"COVERAGE_FILE": str(_CONTEXTS)}
    _RECORD.unlink(missing_ok=True)
    subprocess.run(command, cwd=TREE, env=environment, check=False)


def has_contexts() -> bool:
    """Whether there is something to go on with."""
    return _CONTEXTS.exists() and _RECORD.exists()


def import_foreign() -> None:
    """Import once what each run would import; nothing of ours, which may be mutated."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in _FOREIGN:
        importlib.import_module(name)
    ours = [name for name in sys.modules if name.split(".")[0] == "openmodality"]
    assert not ours, f"imported before the mutation: {ours}"
    gc.freeze()


@contextlib.contextmanager
def changed(file: str, source: bytes) -> Iterator[None]:
    """A file of the copy with another content, and as it was afterwards, its times included."""
    path, kept = TREE / file, _KEPT / file
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, kept)
    path.write_bytes(source)
    changed_at = kept.stat().st_mtime_ns + 7_000_000_000  # other times than any compiled module has noted
    os.utime(path, ns=(changed_at, changed_at))
    try:
        yield
    finally:
        restore()


def restore() -> None:
    """Put back what a run that was killed left changed."""
    for kept in [each for each in _KEPT.rglob("*") if each.is_file()]:
        shutil.copy2(kept, TREE / kept.relative_to(_KEPT))
        kept.unlink()


def run_tests(tests: Sequence[str]) -> Ended:
    """Run tests of the copy in a fork of this process until the first fails."""
    began = monotonic()
    child = multiprocessing.get_context("fork").Process(target=_be_pytest, args=[tests])
    child.start()
    child.join(TIMEOUT_S)
    status = child.exitcode
    if child.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with the servers that the tests may have left behind
    child.join()
    lines = _LOG.read_text(encoding="utf-8", errors="replace").splitlines()
    summary = max((number for number, line in enumerate(lines) if _SUMMARY in line), default=len(lines))
    said = (line.partition(" ") for line in lines[summary:])  # a captured log has lines that begin with ERROR, too
    failed = [rest.partition(" - ")[0] for word, _, rest in said if word in ("FAILED", "ERROR")]
    return Ended(status, failed[0] if failed else "", round(monotonic() - began, 1))


def _be_pytest(tests: Sequence[str]) -> None:
    os.setsid()
    with _LOG.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(TREE)
    os.environ.update(_environment())
    sys.path[:] = [path for path in sys.path if not path.startswith(str(ROOT / "src"))]
    plugins = [part for name in ("cacheprovider", "xdist", "cov") for part in ("-p", f"no:{name}")]
    imported_before = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options = ["-x", "-q", "--tb=short", *plugins, *imported_before, "--rootdir", str(TREE)]
    status = pytest.main([*options, *tests])
    sys.stdout.flush()
    os._exit(status)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TREE / "src"), "HYPOTHESIS_STORAGE_DIRECTORY": str(FOLDER / "hypothesis")}
