"""The import contracts are shown to break on one planted import each.

They run on a skeleton: every package and module that stands directly below ``openmodality``, empty, so that the test
neither depends on the code inside nor slows down with it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LAYERS = "Imports go downwards; packages on one line do not know each other"
PURE = "From services and objects down there is no socket, database, thread or clock"
ALONE = "The network library stands alone"
SQL = "All SQL is in store"
QUEUE = "The queue knows no DICOM"
APART = "Services do not import one another"
OWN_BYTES = "Bytes and facts are our own: no pydicom"


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The project with nothing in its packages but ``__init__`` and two services."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "openmodality"
    for entry in (ROOT / "src" / "openmodality").iterdir():
        if (entry / "__init__.py").exists():
            (package / entry.name).mkdir(parents=True)
            (package / entry.name / "__init__.py").touch()
        elif entry.suffix == ".py":
            (package / entry.name).touch()
    for module in ("app", "services/storage", "services/verification"):
        (package / f"{module}.py").touch()
    return package


_CHECKER = """
import os, sys
from importlinter.cli import lint_imports_command
for folder in map(str.strip, sys.stdin):
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        os.dup2(os.open("found.txt", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(1, 2)
        sys.path[0] = os.path.join(folder, "src")
        lint_imports_command(["--no-cache", "--no-logo"])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Checks the projects in the folders that it reads, each in a process of its own: to start and import takes longest."""


@pytest.fixture(scope="module")
def checker() -> Iterator[subprocess.Popen[str]]:
    """It imports import-linter once."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHECKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        process.communicate(timeout=60)
    assert process.returncode == 0


def _broken_contracts(checker: subprocess.Popen[str], package: Path) -> set[str]:
    assert checker.stdin
    assert checker.stdout
    project = package.parent.parent
    checker.stdin.write(f"{project}\n")
    status = int(checker.stdout.readline())
    said = (project / "found.txt").read_text(encoding="utf-8")
    broken = set(re.findall(r"^(.*) BROKEN$", said, re.MULTILINE))
    assert bool(broken) == bool(status), said
    return broken


def test_the_skeleton_keeps_all_contracts(checker: subprocess.Popen[str], skeleton: Path) -> None:
    assert _broken_contracts(checker, skeleton) == set()


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("dimse/message", "openmodality.network", LAYERS),
        ("exam/workflow", "openmodality.app", LAYERS),
        ("jobs/worker", "openmodality.acquisition", LAYERS),
        ("upper_layer/provider", "openmodality.encoding", LAYERS),
        ("services/storage", "socket", PURE),
        ("objects/builder", "time", PURE),
        ("upper_layer/provider", "threading", PURE),
        ("device/site", "sqlite3", PURE),
        ("services/storage", "openmodality.device", ALONE),
        ("network/association", "openmodality.device", ALONE),
        ("network/association", "sqlalchemy", ALONE),
        ("exam/workflow", "sqlalchemy", SQL),
        ("activities/commit", "sqlite3", SQL),
        ("jobs/queue", "sqlalchemy", SQL),
        ("jobs/worker", "openmodality.services", QUEUE),
        ("jobs/policy", "openmodality.dimse", QUEUE),
        ("services/storage", "openmodality.services.verification", APART),
        ("encoding/element", "pydicom", OWN_BYTES),
        ("standard/uids", "pydicom", OWN_BYTES),
    ],
)
def test_an_import_that_is_not_allowed_is_found(
    checker: subprocess.Popen[str], skeleton: Path, module: str, imported: str, contract: str
) -> None:
    (skeleton / f"{module}.py").write_text(f"import {imported}\n")
    assert contract in _broken_contracts(checker, skeleton)


def test_a_package_without_a_layer_is_found(checker: subprocess.Popen[str], skeleton: Path) -> None:
    (skeleton / "novelty.py").touch()
    assert _broken_contracts(checker, skeleton) == {LAYERS}


def test_the_contract_on_sql_holds_for_every_package_but_store() -> None:
    """It cannot be exhaustive by itself, as the contract on layers is."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [contract] = [contract for contract in contracts if contract["name"] == SQL]
    packages = {path.parent.name for path in (ROOT / "src" / "openmodality").glob("*/__init__.py")}
    assert {name.removeprefix("openmodality.") for name in contract["source_modules"]} == packages - {"store"}
