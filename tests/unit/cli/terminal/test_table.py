"""Lists that fit a terminal, and show everything elsewhere."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from openmodality.cli.terminal.table import Column, print_rows, print_table, wrap

Person = tuple[str, int, str]
COLUMNS = (
    Column[Person]("name", lambda each: each[0]),
    Column[Person]("age", lambda each: each[1], leave_out=1),
    Column[Person]("born in a place", lambda each: "x" * 20, leave_out=2),
    Column[Person]("said", lambda each: each[2], words=True),
)
ROWS: list[Person] = [("Carter^Edith^^Dr.", 44, "one two three four five six seven eight nine"), ("Li", 7, "")]


class Terminal(StringIO):
    """A standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "dumb")
    return Terminal()


def show(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))


def test_a_file_gets_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(COLUMNS, ROWS)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "age", "born", "in", "a", "place", "said"]
    assert first.endswith("one two three four five six seven eight nine")
    assert (second, first.index("44")) == (f"Li{' ' * 17}7    {'x' * 20}", second.index("7"))


@pytest.mark.parametrize(
    ("columns", "left_out"), [(200, ""), (80, ""), (60, "born in a place"), (42, "born in a place, age")]
)
def test_a_terminal_loses_columns_in_the_declared_order(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, left_out: str
) -> None:
    show(terminal, monkeypatch, columns)
    print_rows(COLUMNS, ROWS)
    assert max(map(len, terminal.lines)) <= columns
    assert capsys.readouterr().err == (f"not shown: {left_out}; --wide shows all\n" if left_out else "")


def test_a_name_is_never_broken_and_words_are_wrapped(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(terminal, monkeypatch, 12)
    print_rows(COLUMNS, ROWS)
    assert terminal.lines[1].startswith("Carter^Edith^^Dr.  one")
    assert [line.split()[-1] for line in terminal.lines[1:4]] == ["four", "eight", "nine"]


def test_wide_shows_all_on_a_narrow_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(terminal, monkeypatch, 20)
    print_rows(COLUMNS, ROWS, wide=True)
    assert ("born in a place" in terminal.lines[0], capsys.readouterr().err) == (True, "")


def test_uids_that_do_not_fit_stand_below_whole(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uid = "1.2." + "3" * 60
    columns = (*COLUMNS[:2], Column[Person]("Study Instance UID", lambda _: uid))
    show(terminal, monkeypatch, 80)
    print_rows(columns, ROWS)
    assert terminal.lines[-3:] == ["Study Instance UID of each, in the same order:", uid, uid]
    assert capsys.readouterr().err == ""


def test_what_a_peer_said_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["a"], [["\x1b[2J\nforged"]])
    assert capsys.readouterr().out == "a\n\ufffd[2J\ufffdforged\n"


def test_nothing_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["a"], [], empty="there is nothing")
    assert capsys.readouterr() == ("", "there is nothing\n")


def test_a_word_that_is_longer_than_the_room_stays_whole() -> None:
    assert wrap("a longerthanthat b", 6) == ["a", "longerthanthat", "b"]
