from __future__ import annotations

import io
import sys

import pytest

from openmodality.cli.terminal.confirmation import ask_to_confirm, is_yes
from openmodality.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "answer", "asked"),
    [("y\n", True, 1), ("YES \n", True, 1), ("n\n", False, 1), ("no\n", False, 1), ("\n", False, 1), ("x\ny", True, 2)],
)
def test_it_asks_on_stderr_until_it_is_answered(
    typed: str, answer: bool, asked: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert is_yes("Delete \x1b[2J?") is answer
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("Delete \ufffd[2J? [y/N]: ")) == ("", asked)
    assert printed.err.count("answer y or n\n") == asked - 1


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_a_no_and_the_end_of_input_end_the_command(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    with pytest.raises(KeyboardInterrupt):
        ask_to_confirm("Delete it?", yes=False)


def test_a_yes_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\nleft"))
    ask_to_confirm("Delete it?", yes=False)
    assert capsys.readouterr().err == "Delete it? [y/N]: "
    assert sys.stdin.read() == "left"


def test_nobody_is_asked_who_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match=r"^nobody is there to answer \"Delete it"):
        ask_to_confirm("Delete it?", yes=False)
    ask_to_confirm("Delete it?", yes=True)
    assert capsys.readouterr().err == ""
