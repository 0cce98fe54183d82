"""What makes a test run fail: warnings, unknown requirement ids and markers, missing peers in CI."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAD = "import pytest\nimport socket\nimport threading\nimport warnings\n"

FAILING = {
    "warning": ("def test_new(): warnings.warn('old')", "UserWarning: old"),
    "thread": (
        "def test_new():\n t = threading.Thread(target=lambda: 1 / 0)\n t.start()\n t.join()",
        "ZeroDivisionError",
    ),
    "marker": ("@pytest.mark.requirements('MR-2.1-01')\ndef test_new(): pass", "not found in `markers`"),
    "port": ("def test_new(): socket.create_server(('127.0.0.1', 11105))", "a test listens on port 11105"),
    "program": ("@pytest.mark.needs('storescq')\ndef test_new(): pass", "unknown peer program 'storescq'"),
}
IMPURE = {
    "pair": ("def test_new(): socket.socketpair()", "a unit test opens a socket"),
    "connection": (
        "def test_new():\n socket.create_connection(('127.0.0.1', 1))",
        "a unit test opens a socket",
    ),
    "device": (
        "from openmodality.app.runtime import Runtime\ndef test_new(): Runtime()",
        "a unit test builds a device",
    ),
}
PASSING = {
    "no_example_is_too_slow": """
from hypothesis import given, settings, strategies as st
import hypothesis
@given(st.data())
def test_new(data):
    assert settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in settings().suppress_health_check
""",
    "known_requirement_ids": "@pytest.mark.requirement('MR-2.1-01', 'RF-1-01')\ndef test_new(): pass",
    "what_tests_start_hears_ctrl_c_in_a_run_in_the_background_too": """
import signal, subprocess, sys
def test_new():
    program = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", program]) == b"True\\n"
""",
}
NEEDS_STORESCP = "@pytest.mark.needs('storescp')\ndef test_new(): pass"
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


def make_project(folder: Path) -> Path:
    """The project's test configuration, without its tests."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("plugins", "peers", "data"):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name)
    for name in ("__init__.py", "conftest.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    return folder


def write(project: Path, tests: dict[str, str], folder: str = "tests") -> list[str]:
    """A file for each of the tests, by their names; their paths in the project."""
    (project / folder).mkdir(exist_ok=True)
    for name, test in tests.items():
        (project / folder / f"test_{name}.py").write_text(HEAD + test)
    return [f"{folder}/test_{name}.py" for name in tests]


def run(project: Path, paths: Sequence[str], *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if name != "CI"} | environment
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *paths],
        cwd=project,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Run:
    """One run of all tests of this file: to start one takes as long as all that they do."""

    done: subprocess.CompletedProcess[str]
    said: dict[str, str]
    """What each failure says, by the name of its file."""
    record: dict[str, dict[str, object]]


@pytest.fixture(scope="module", params=[0, 2], ids=["one process", "two processes"])
def whole_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """It is started as a shell starts what runs in the background, where no peer is installed."""
    project = make_project(tmp_path_factory.mktemp("project"))
    paths = write(project, {name: test for name, (test, _) in FAILING.items()})
    paths += write(project, {name: test for name, (test, _) in IMPURE.items()}, "tests/unit")
    paths += write(project, PASSING)
    paths += write(project, {f"needs_{number}": NEEDS_STORESCP for number in range(3)})
    paths += write(project, {"recorded": RECORDED})
    record, results = project / "record.json", project / "results.xml"
    record.write_text(json.dumps({"tests/test_before.py::test_before": {"outcome": "passed"}}), encoding="utf-8")
    options = (f"--numprocesses={request.param}", "--continue-on-collection-errors", f"--junitxml={results}")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = run(project, paths, *options, "--record", str(record), PATH=str(project))
    finally:
        signal.signal(signal.SIGINT, before)
    return Run(done, _read_failures(results), json.loads(record.read_text(encoding="utf-8")))


def _read_failures(results: Path) -> dict[str, str]:
    said: dict[str, str] = defaultdict(str)
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        place = case.get("classname") or case.get("name") or ""
        for kind in ("failure", "error"):
            for found in case.iter(kind):
                said[place.rpartition(".test_")[2]] += f"{found.get('message')}\n{found.text}"
    return dict(said)


@pytest.mark.parametrize("name", [*FAILING, *IMPURE])
def test_the_run_fails(whole_run: Run, name: str) -> None:
    """The second half: a unit test opens no socket and builds no device."""
    _, expected = (FAILING | IMPURE)[name]
    assert whole_run.done.returncode == 1
    assert expected in whole_run.said[name]


def test_what_is_right_passes(whole_run: Run) -> None:
    assert whole_run.said.keys() == FAILING.keys() | IMPURE.keys() | {"recorded"}
    passed = {test for test, each in whole_run.record.items() if each["outcome"] == "passed"}
    assert passed >= {f"tests/test_{name}.py::test_new" for name in PASSING}


def test_a_missing_peer_is_skipped_and_counted(whole_run: Run) -> None:
    assert "MISSING PEERS" in whole_run.done.stdout
    assert "3 tests skipped for want of storescp: apt-get install dcmtk" in whole_run.done.stdout


def test_the_record_says_how_a_test_ended_and_who_stood_by(whole_run: Run) -> None:
    found = whole_run.record
    assert found["tests/test_before.py::test_before"] == {"outcome": "passed"}
    assert {
        test.rpartition("::")[2]: (each["outcome"], each["ids"], each["witnesses"])
        for test, each in found.items()
        if test.startswith("tests/test_recorded.py")
    } == {
        "test_own_side": ("passed", ["MR-2.1-01"], ["socket"]),
        "test_pynetdicom": ("passed", ["MR-2.1-02"], ["pynetdicom", "socket"]),
        "test_skipped": ("skipped", [], []),
        "test_memory": ("failed", [], []),
    }


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("@pytest.mark.requirement('MR-0.0-00')\ndef test_new(): pass", "no requirements.csv has the id MR-0.0-00"),
        ("@pytest.mark.requirement()\ndef test_new(): pass", "the marker 'requirement' names no id"),
    ],
)
def test_a_wrong_requirement_ends_the_collection(tmp_path: Path, test: str, said: str) -> None:
    project = make_project(tmp_path)
    done = run(project, write(project, {"new": test}))
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_a_missing_peer_fails_in_ci(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    done = run(project, write(project, {"new": NEEDS_STORESCP}), CI="true", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "in CI every peer must be there; missing: storescp (Debian package dcmtk)" in done.stdout
