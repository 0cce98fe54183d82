"""The import contracts are shown to break on one planted import each.

They run on a skeleton: every package and module that stands directly below ``openmodality``, empty, so that the test
neither depends on the code inside nor slows down with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
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


def _broken_contracts(package: Path) -> set[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache', '--no-logo'])"
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=package.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    broken = set(re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE))
    assert bool(broken) == bool(done.returncode), done.stdout + done.stderr
    return broken


def test_the_skeleton_keeps_all_contracts(skeleton: Path) -> None:
    assert _broken_contracts(skeleton) == set()


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
def test_an_import_that_is_not_allowed_is_found(skeleton: Path, module: str, imported: str, contract: str) -> None:
    (skeleton / f"{module}.py").write_text(f"import {imported}\n")
    assert contract in _broken_contracts(skeleton)


def test_a_package_without_a_layer_is_found(skeleton: Path) -> None:
    (skeleton / "novelty.py").touch()
    assert _broken_contracts(skeleton) == {LAYERS}


def test_the_contract_on_sql_holds_for_every_package_but_store() -> None:
    """It cannot be exhaustive by itself, as the contract on layers is."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [contract] = [contract for contract in contracts if contract["name"] == SQL]
    packages = {path.parent.name for path in (ROOT / "src" / "openmodality").glob("*/__init__.py")}
    assert {name.removeprefix("openmodality.") for name in contract["source_modules"]} == packages - {"store"}
