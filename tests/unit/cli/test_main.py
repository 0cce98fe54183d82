from __future__ import annotations

from importlib import metadata

import pytest

import openmodality
from openmodality.cli import main as program
from openmodality.cli.main import main, run
from openmodality.errors import AssociationRejected, ConfigurationError, OpenModalityError


def test_version_without_an_installation(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", unknown)
    assert run(["--version"]) == 0
    assert "run from its source" in capsys.readouterr().out


def ended_with(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[object, str]:
    """Exit status and stderr where a command raises the error."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(program, "run", fail)
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code, capsys.readouterr().err


FORGED = "refused: bad\x1b[31mred\nopenmodality: fake line"
SHOWN = "refused: bad\ufffd[31mred\ufffdopenmodality: fake line"


def test_what_a_peer_said_is_one_line_and_does_nothing_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = OpenModalityError(FORGED, advice="look")
    assert ended_with(error, monkeypatch, capsys) == (1, f"openmodality: {SHOWN}; look\n")


def test_each_mistake_in_a_site_file_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = ended_with(ConfigurationError("line 1: no \x1b[2J\nline 2: no"), monkeypatch, capsys)
    assert (status, said) == (2, "openmodality: line 1: no \ufffd[2J\nline 2: no\n")


@pytest.mark.parametrize("option", ["--debug", "-d"])
def test_debug_adds_the_traceback_of_a_fault_and_changes_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    status, said = ended_with(ValueError("no \x1b[2J"), monkeypatch, capsys, option)
    assert status == 1
    assert said.startswith("Traceback (most recent call last):\n  File ")
    assert "ValueError: no \ufffd[2J\nopenmodality: a fault in openmodality (ValueError)" in said


def test_debug_shows_no_traceback_of_a_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = AssociationRejected("PACS rejected the association", result=1, source=1, reason=3, advice="ask them")
    status, said = ended_with(refused, monkeypatch, capsys, "--debug")
    assert (status, said) == (1, "openmodality: PACS rejected the association; ask them\n")


def test_a_missing_word_with_choices_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion"])
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line == ("openmodality: SHELL is missing (one of bash, zsh, fish); see 'openmodality completion --help'")


def test_the_version_of_the_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"1.2.3 of {name}")
    assert openmodality.__version__ == "1.2.3 of openmodality"
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "openmodality 1.2.3 of openmodality\n"
