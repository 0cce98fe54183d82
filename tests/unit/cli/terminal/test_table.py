"""Lists that fit a terminal, and show everything elsewhere."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from openmodality.cli.terminal.table import Column, print_rows

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
    ("columns", "left_out"), [(200, ""), (80, ""), (60, "born in a place"), (38, "born in a place, age")]
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
    assert [line.split()[-1] for line in terminal.lines[1:4]] == ["three", "six", "nine"]


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
    print_rows([Column[str]("a", str)], ["\x1b[2J\nforged"])
    assert capsys.readouterr().out == "a\n\ufffd[2J\ufffdforged\n"


def test_nothing_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([Column[str]("a", str)], [], empty="there is nothing")
    assert capsys.readouterr() == ("", "there is nothing\n")


@pytest.mark.parametrize(
    ("room", "headings", "left_out", "is_below"),
    [
        (70, "a b SOP Instance UID", "", False),
        (60, "b SOP Instance UID", "a", False),
        (44, "SOP Instance UID", "a, b", False),
        (43, "c", "a, b", True),
    ],
)
def test_the_order_says_when_uids_go_below(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    room: int,
    headings: str,
    left_out: str,
    is_below: bool,
) -> None:
    """Those of instances are what the list is for: other columns go first."""
    uid = "1" * 44
    columns = [
        Column[Person]("a", lambda _: "x" * 9, leave_out=3),
        Column[Person]("b", lambda _: "x" * 9, leave_out=2),
        Column[Person]("SOP Instance UID", lambda _: uid, leave_out=1),
    ]
    if is_below:
        columns.append(Column[Person]("c", lambda _: ""))
    show(terminal, monkeypatch, room)
    print_rows(columns, ROWS)
    assert terminal.lines[0].split() == headings.split()
    assert (uid in terminal.lines[-1], terminal.lines[-2:] == [uid, uid] and len(terminal.lines) > 3) == (
        True,
        is_below,
    )
    assert capsys.readouterr().err == (f"not shown: {left_out}; --wide shows all\n" if left_out else "")


def test_a_name_is_wrapped_between_its_groups_and_measured_as_a_terminal_does(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "Matsumoto^Aoi=松本^葵=まつもと^あおい"
    columns = (Column[str]("patient", str, words=True), Column[str]("ID", lambda _: "OM-1"))
    show(terminal, monkeypatch, 26)
    print_rows(columns, [name, "Müller^Zoe\u0301"])
    assert terminal.lines == [
        "patient               ID",
        "Matsumoto^Aoi=        OM-1",
        "松本^葵=",
        "まつもと^あおい",
        "Müller^Zoe\u0301            OM-1",
    ]


def test_a_path_is_wrapped_after_its_slashes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    show(terminal, monkeypatch, 20)
    print_rows([Column[str]("peer", str, words=True)], ["/home/radiology/discs/exam-1"])
    assert terminal.lines[1:] == ["/home/radiology/", "discs/exam-1"]
