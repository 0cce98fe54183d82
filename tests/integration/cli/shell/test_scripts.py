"""Completion scripts in the shells that they are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from openmodality.cli.shell.bash import make_bash_script
from openmodality.cli.shell.fish import make_fish_script
from openmodality.cli.shell.table import ShellCommand, make_table
from openmodality.cli.shell.zsh import make_zsh_script

TABLE: Final = make_table()
SCRIPTS: Final = {"bash": make_bash_script, "zsh": make_zsh_script, "fish": make_fish_script}
_BASH: Final = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_openmodality 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete_in_bash(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    done = subprocess.run(
        ["bash", "-c", _BASH, "bash", str(script), "openmodality", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=script.parent,
    )
    return list(filter(None, done.stdout.splitlines()))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bash")
    (folder / "images").mkdir()
    (folder / "image.png").touch()
    path = folder / "openmodality"
    path.write_text(make_bash_script(TABLE), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ec"], ["echo"]),
        (["exam", "st"], ["start"]),
        (["jobs", "list", "--st"], ["--state"]),
        (["jobs", "list", "--state", "f"], ["failed"]),
        (["jobs", "list", "--state", "=", "f"], ["failed"]),
        (["exam", "acquire", "1", "--from", "im"], ["image.png", "images"]),
        (["exam", "acquire", "1", "--watch", "im"], ["images"]),
        (["import", "im"], ["image.png", "images"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["query", "pacs", "--level", "STUDY", "--mod"], ["--model"]),
        (["exam", "list", "--verb"], ["--verbose"]),
        (["exam", "list", "--state", "I"], ["IN\\ PROGRESS"]),
        (["exam", "list", "--state", "IN\\ P"], ["IN\\ PROGRESS"]),
        (["--ver"], ["--version", "--verbose"]),
        (["echo", ""], []),
    ],
)
def test_bash_offers_what_the_parsers_read(script: Path, words: list[str], offered: list[str]) -> None:
    assert sorted(complete_in_bash(script, *words)) == sorted(offered)


def test_bash_offers_every_option_of_every_command(script: Path) -> None:
    for command in (each for each in TABLE if each.words in {"", "exam acquire", "send", "media create"}):
        offered = complete_in_bash(script, *command.words.split(), "-")
        assert sorted(offered) == sorted(name for option in command.options for name in option.names)


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_can_read_its_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "script"
    path.write_text(SCRIPTS[shell](TABLE), encoding="utf-8")
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_every_option_and_command_is_in_the_script(shell: str) -> None:
    text = SCRIPTS[shell](TABLE)
    for command in TABLE:
        assert f"{command.words!s}" in text
        for option in command.options:
            names = option.names if shell != "fish" else _name_for_fish(option.names)
            assert all(name in text for name in names)


def _name_for_fish(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in names)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ec", ["echo"]),
        ("exam st", ["start"]),
        ("jobs list --state f", ["failed"]),
        ("jobs list --st", ["--state"]),
        ("exam list --state I", ["IN PROGRESS"]),
    ],
)
def test_fish_offers_what_the_parsers_read(line: str, offered: list[str], tmp_path: Path) -> None:
    path = tmp_path / "openmodality.fish"
    path.write_text(make_fish_script(TABLE), encoding="utf-8")
    ask = f"source {path}; complete -C 'openmodality {line}'"
    done = subprocess.run(["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True)
    assert [each.partition("\t")[0] for each in done.stdout.splitlines()] == offered


def test_zsh_offers_a_value_with_a_blank_as_one() -> None:
    assert "compadd -- REGISTERED 'IN PROGRESS' COMPLETED DISCONTINUED" in make_zsh_script(TABLE)


def test_a_text_with_quotes_stays_one_word() -> None:
    odd = [ShellCommand("", "", (("echo", "Ask: it's \\ there"),))]
    assert "'echo:Ask\\: it'\\''s \\\\ there'" in make_zsh_script(odd)
    assert "-d 'Ask: it\\'s \\\\ there'" in make_fish_script(odd)
