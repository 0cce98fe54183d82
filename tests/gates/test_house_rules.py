"""Each rule between modules, and each rule of words, is shown to find one planted violation in a small product."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import house_rules, mirror
from tools.house_rules import find_all, main


def _write(source: Path, modules: dict[str, str]) -> None:
    for name, text in modules.items():
        path = source / "openmodality" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A product of one command, found by name, and what it uses; nothing in it is a known violation."""
    (tmp_path / "none.txt").touch()
    monkeypatch.setattr(house_rules, "KNOWN", tmp_path / "none.txt")
    monkeypatch.setattr(house_rules, "ELSEWHERE", tmp_path / "none.txt")
    modules = {
        "__init__": "",
        "cli/__init__": "",
        "cli/main": "COMMANDS = {'echo': 'openmodality.cli.echo'}\nprint(COMMANDS, 'command')\n",
        "cli/echo": "def command():\n    from openmodality.network import associate\n",
        "network/__init__": "from openmodality.network.requestor import associate\n",
        "network/requestor": '"""Asks for associations."""\n\n\ndef associate():\n    """Open one."""\n',
    }
    source, test = tmp_path / "src", tmp_path / "tests" / "unit" / "cli" / "test_echo.py"
    _write(source, modules)
    test.parent.mkdir(parents=True)
    test.touch()
    return source


def test_a_product_without_a_fault_passes(source: Path) -> None:
    assert list(find_all([str(source)])) == []


ASSOCIATE = "from openmodality.network.requestor import associate\n"


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("store/__init__", "", "no entry point of the product uses openmodality.store;"),
        ("network/spare", ASSOCIATE, "no entry point of the product uses openmodality.network.spare;"),
        ("network/__init__", f"{ASSOCIATE}class COMMANDS: ...\n", "COMMANDS is defined in"),
        ("network/__init__", f"{ASSOCIATE}associate: int = 3\n", "associate is defined in"),
        (
            "network/requestor",
            "def associate(): await_responses()\ndef await_responses(): ...\n",
            "await_responses is used now",
        ),
        (
            "network/requestor",
            "import openmodality.network\n",
            "import cycle of openmodality.network, openmodality.network.r",
        ),
        (
            "network/requestor",
            "def ask():\n    import openmodality.network\n",
            "import cycle of openmodality.network, ",
        ),
        ("network/requestor", "if TYPE_CHECKING:\n    import openmodality.network\n", "import cycle of openmodality.n"),
        ("network/requestor", "def associate():\n    return 1\n", "write tests/unit/network/test_requestor.py"),
        ("network/requestor", "def _found(): ...\n", "_found has no verb"),
        ("network/requestor", "def _values(): ...\n", "_values is a noun"),
        ("cli/echo", "def command(): ...\n\nMAX_ECHOES = 3\n", "nothing uses MAX_ECHOES; a test is no caller"),
        ("network/requestor", '"""What the peer wants."""\n', "requestor.py:1: wants: say requires"),
        ("network/requestor", "\nPEER = 1  # the peer wants it\n", "requestor.py:2: wants: say requires"),
    ],
)
def test_a_planted_violation_is_found(
    source: Path, module: str, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(source, {module: text})
    assert main([str(source)]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "test", "said"),
    [
        ("openmodality.cli.echo", "tests/unit/cli/test_echo.py", "openmodality.cli.echo has a test of its name"),
        ("openmodality.network.requestor", "tests/missing.py", "there is no test tests/missing.py"),
        (
            "openmodality.network.missing",
            "tests/unit/cli/test_echo.py",
            "there is no module openmodality.network.missing",
        ),
    ],
)
def test_a_wrong_line_on_a_test_elsewhere_is_found(source: Path, module: str, test: str, said: str) -> None:
    [stale] = mirror.find_stale(source, {module: test})
    assert said in stale


def test_a_test_elsewhere_that_is_listed_is_enough(source: Path) -> None:
    _write(source, {"network/requestor": "def associate():\n    return 1\n"})
    house_rules.ELSEWHERE.write_text("openmodality.network.requestor tests/unit/cli/test_echo.py why", encoding="utf-8")
    assert list(find_all([str(source)])) == []
