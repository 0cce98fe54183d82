"""Each rule that the house relies on is shown to find a planted violation, with the project's own configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

_DEEP = "\n".join(f"    if value == {n}:\n        value += {n}" for n in range(11))
_VIOLATIONS = [
    ("E501", f'"""{"x " * 70}."""\n'),
    ("TID251", '"""Text."""\n\nimport time\n\ntime.sleep(1)\n'),
    ("F401", '"""Text."""\n\nimport os\n'),
    ("I001", '"""Text."""\n\nimport sys\nimport os\n\nprint(os, sys)\n'),
    ("N802", '"""Text."""\n\n\ndef Sending() -> None:\n    """Text."""\n'),
    ("D100", "VALUE = 1\n"),
    ("D103", '"""Text."""\n\n\ndef send() -> None:\n    return\n'),
    ("PTH118", '"""Text."""\n\nimport os.path\n\nPATH = os.path.join("a", "b")\n'),
    ("T201", '"""Text."""\n\nprint("data")\n'),
    ("PLC0415", '"""Text."""\n\n\ndef send() -> None:\n    """Text."""\n    import json\n\n    json.dumps(1)\n'),
    ("PLR0913", '"""Text."""\n\n\ndef send(a, b, c, d, e, f, g) -> None:\n    """Text."""\n'),
    ("C901", f'"""Text."""\n\n\ndef deep(value: int) -> int:\n    """Text."""\n{_DEEP}\n    return value\n'),
    ("BLE001", '"""Text."""\n\ntry:\n    VALUE = 1\nexcept Exception:\n    VALUE = 2\n'),
    ("ERA001", '"""Text."""\n\n# value = send(1)\n'),
    ("FIX002", '"""Text."""\n\n# TODO: send\n'),
    ("PLW0603", '"""Text."""\n\nOLD = 1\n\n\ndef send() -> None:\n    """Text."""\n    global OLD\n    OLD = 2\n'),
]


def _run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], input=text, capture_output=True, text=True, cwd=ROOT, check=False
    )


def _ruff(command: str, option: str, text: str) -> subprocess.CompletedProcess[str]:
    return _run("ruff", command, option, "--no-cache", "--stdin-filename=src/openmodality/new.py", "-", text=text)


def test_ruff_lets_good_code_pass() -> None:
    done = _ruff("check", "--output-format=concise", '"""Text."""\n\nVALUE = 1\n')
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("rule", "text"), _VIOLATIONS, ids=[rule for rule, _ in _VIOLATIONS])
def test_ruff_finds(rule: str, text: str) -> None:
    done = _ruff("check", "--output-format=concise", text)
    assert done.returncode == 1
    assert f" {rule} " in done.stdout


def test_ruff_format_finds_bad_layout() -> None:
    done = _ruff("format", "--check", "value=1")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("no-untyped-def", "def send(value): return value"),
        ("type-arg", "def send(value: list) -> None: ..."),
        ("arg-type", "def send(value: int) -> None: ...\nsend('text')"),
        ("unused-ignore", "value = 1  # type: ignore[attr-defined]"),
    ],
)
def test_mypy_finds(error: str, text: str) -> None:
    done = _run("mypy", "-c", text)
    assert done.returncode == 1
    assert f"[{error}]" in done.stdout
