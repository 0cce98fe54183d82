"""What makes a test run fail: warnings, unknown requirement ids and markers, missing peers in CI."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAD = "import pytest\nimport socket\nimport threading\nimport warnings\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's test configuration, without its tests."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("plugins", "peers", "data"):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name)
    for name in ("__init__.py", "conftest.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    return folder


def _pytest(
    project: Path, test: str, *options: str, folder: str = "tests", **environment: str
) -> subprocess.CompletedProcess[str]:
    path = project / folder / "test_new.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD + test)
    surroundings = {name: value for name, value in os.environ.items() if name != "CI"} | environment
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(path.relative_to(project))],
        cwd=project,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def test_new(): warnings.warn('old')", "UserWarning: old"),
        ("def test_new():\n t = threading.Thread(target=lambda: 1 / 0)\n t.start()\n t.join()", "ZeroDivisionError"),
        ("@pytest.mark.requirement('MR-0.0-00')\ndef test_new(): pass", "no requirements.csv has the id MR-0.0-00"),
        ("@pytest.mark.requirement()\ndef test_new(): pass", "the marker 'requirement' names no id"),
        ("@pytest.mark.requirements('MR-2.1-01')\ndef test_new(): pass", "not found in `markers`"),
        ("def test_new(): socket.create_server(('127.0.0.1', 11105))", "a test listens on port 11105"),
        ("@pytest.mark.needs('storescq')\ndef test_new(): pass", "unknown peer program 'storescq'"),
    ],
)
def test_the_run_fails(project: Path, test: str, said: str) -> None:
    done = _pytest(project, test)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def test_new(): socket.socketpair()", "a unit test opens a socket"),
        ("def test_new():\n socket.create_connection(('127.0.0.1', 1))", "a unit test opens a socket"),
        ("from openmodality.app.runtime import Runtime\ndef test_new(): Runtime()", "a unit test builds a device"),
    ],
)
def test_a_unit_test_opens_no_socket_and_builds_no_device(project: Path, test: str, said: str) -> None:
    done = _pytest(project, test, folder="tests/unit")
    assert done.returncode == 1
    assert said in done.stdout


def test_no_example_is_too_slow(project: Path) -> None:
    test = """
from hypothesis import given, settings, strategies as st
import hypothesis
@given(st.data())
def test_new(data):
    assert settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in settings().suppress_health_check
"""
    done = _pytest(project, test)
    assert done.returncode == 0, done.stdout


def test_known_requirement_ids_pass(project: Path) -> None:
    done = _pytest(project, "@pytest.mark.requirement('MR-2.1-01', 'RF-1-01')\ndef test_new(): pass")
    assert done.returncode == 0, done.stdout


HEARS_CTRL_C = """
import signal, subprocess, sys
def test_new():
    program = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", program]) == b"True\\n"
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_what_tests_start_hears_ctrl_c_in_a_run_in_the_background_too(project: Path, processes: int) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = _pytest(project, HEARS_CTRL_C, f"--numprocesses={processes}")
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 0, done.stdout


NEEDS_STORESCP = "@pytest.mark.needs('storescp')\ndef test_new(): pass"


def test_a_missing_peer_fails_in_ci(project: Path, tmp_path: Path) -> None:
    done = _pytest(project, NEEDS_STORESCP, CI="true", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "in CI every peer must be there; missing: storescp (Debian package dcmtk)" in done.stdout


@pytest.mark.parametrize("processes", [0, 2])
def test_a_missing_peer_is_skipped_and_counted_elsewhere(project: Path, tmp_path: Path, processes: int) -> None:
    three = "\n".join(NEEDS_STORESCP.replace("new", f"new_{number}") for number in range(3))
    done = _pytest(project, three, f"--numprocesses={processes}", PATH=str(tmp_path))
    assert done.returncode == 0
    assert "MISSING PEERS" in done.stdout
    assert "3 tests skipped for want of storescp: apt-get install dcmtk" in done.stdout


RECORDED = """
from pynetdicom import AE
@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening
@pytest.mark.requirement("MR-2.1-01")
def test_own_side(server): pass
@pytest.mark.requirement("MR-2.1-02")
def test_pynetdicom():
    entity = AE()
    entity.add_supported_context("1.2.840.10008.1.1")
    entity.start_server(("127.0.0.1", 0), block=False)
    entity.shutdown()
@pytest.mark.needs("echoscu")
def test_skipped(): pass
def test_memory(): assert False
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_the_record_says_how_a_test_ended_and_who_stood_by(project: Path, tmp_path: Path, processes: int) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"tests/test_before.py::test_before": {"outcome": "passed"}}), encoding="utf-8")
    _pytest(project, RECORDED, f"--numprocesses={processes}", "--record", str(record), PATH=str(tmp_path))
    found = json.loads(record.read_text(encoding="utf-8"))
    assert found.pop("tests/test_before.py::test_before") == {"outcome": "passed"}
    assert {
        test.rpartition("::")[2]: (each["outcome"], each["ids"], each["witnesses"]) for test, each in found.items()
    } == {
        "test_own_side": ("passed", ["MR-2.1-01"], ["socket"]),
        "test_pynetdicom": ("passed", ["MR-2.1-02"], ["pynetdicom", "socket"]),
        "test_skipped": ("skipped", [], []),
        "test_memory": ("failed", [], []),
    }
