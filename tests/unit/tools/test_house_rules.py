"""The house rules find what is too long or says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house_rules import main, violations

LONG_FUNCTION = "def send():\n" + "    value = 1\n" * 50
LONG_MODULE = "def send():\n" + "    value = 1\n" * 20 + "VALUE = 1\n" * 500


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_good_code_passes(tmp_path: Path) -> None:
    assert list(violations(_write(tmp_path, "storage.py", "def send():\n    return 1\n"))) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("storage.py", LONG_FUNCTION, "send has 51 lines"),
        ("storage.py", LONG_MODULE, "521 lines"),
        ("utils.py", "", "says nothing"),
    ],
)
def test_a_violation_is_found(
    tmp_path: Path, name: str, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, name, text)
    assert main([str(tmp_path)]) == 1
    assert said in capsys.readouterr().out


def test_a_table_of_facts_may_be_long(tmp_path: Path) -> None:
    assert list(violations(_write(tmp_path, "uids.py", "VALUE = 1\n" * 900))) == []
