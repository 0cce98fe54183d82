from __future__ import annotations

from collections.abc import Sequence

import pytest

from openmodality.cli.terminal.arguments import CliCommand, Group, Parser, WordValues
from openmodality.cli.terminal.options import add_keys
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.values import parse_integer
from openmodality.errors import UsageError


def parser() -> Parser:
    made = Parser("openmodality demo")
    made.add_argument("peer", metavar="PEER")
    made.add_argument("paths", metavar="PATH", nargs="+")
    made.add_argument("-k", "--key", dest="keys", metavar="K=V", action="append", default=[])
    made.add_argument("--name", metavar="NAME", default="nobody")
    made.add_argument("--port", metavar="N", type=parse_integer(-9, 9))
    made.add_argument("--simulate", metavar="PROTOCOL", nargs="?", const="*", action="append", default=[])
    made.add_argument("--json", dest="as_json", action="store_true")
    return made


UNSAID = {
    "peer": "A", "paths": ("x",), "keys": (), "name": "nobody", "port": None, "simulate": (), "as_json": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("A x", {}),
        ("A x y", {"paths": ("x", "y")}),
        ("--json A x", {"as_json": True}),
        ("A --json x y", {"as_json": True, "paths": ("x", "y")}),
        ("A x --json y", {"as_json": True, "paths": ("x", "y")}),
        ("A x y --json", {"as_json": True, "paths": ("x", "y")}),
        ("-k X=Y A x -k Z y", {"keys": ("X=Y", "Z"), "paths": ("x", "y")}),
        ("A x -kX=1 --key=Y=2 --key Z=3 -k=W", {"keys": ("X=1", "Y=2", "Z=3", "W")}),
        ("A x -k X=-5 --port -5", {"keys": ("X=-5",), "port": -5}),
        ("A x --port=-5", {"port": -5}),
        ("A x --name -17A", {"name": "-17A"}),
        ("A x --name --nme", {"name": "--nme"}),
        ("A x --name -", {"name": "-"}),
        ("A x --name=", {"name": ""}),
        ("A x --name=--json", {"name": "--json"}),
        ("A x --name 1 --name 2", {"name": "2"}),
        ("--simulate -- A x", {"simulate": ("*",)}),
        ("A x --simulate", {"simulate": ("*",)}),
        ("A x --simulate --json", {"simulate": ("*",), "as_json": True}),
        ("A x --simulate T1 --simulate --simulate=T2", {"simulate": ("T1", "*", "T2")}),
        ("--simulate A B x", {"simulate": ("A",), "peer": "B"}),
        ("A -", {"paths": ("-",)}),
        ("-- A x", {}),
        ("A -- x --json -k", {"paths": ("x", "--json", "-k")}),
        ("--json -- --name -5", {"peer": "--name", "paths": ("-5",), "as_json": True}),
    ],
)
def test_options_stand_anywhere(words: str, said: WordValues) -> None:
    assert parser().read(words.split()) == UNSAID | said


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("", "PEER is missing"),
        ("A --json", "PATH is missing"),
        ("A x --jsn", "no such option '--jsn' (did you mean '--json'?)"),
        ("A x --nam=1", "no such option '--nam' (did you mean '--name'?)"),
        ("A x --hlp", "no such option '--hlp' (did you mean '--help'?)"),
        ("A x -z", "no such option '-z'"),
        ("A x -5", "no such option '-5'"),
        ("A x --json=1", "--json takes no value"),
        ("A x --name", "--name needs a value"),
        ("A x --name --json", "--name needs a value"),
        ("A --name -- x", "--name needs a value"),
        ("A x --name=--", "--name needs a value"),
        ("A x -k", "--key needs a value"),
        ("A x --port 10", "--port: '10' is out of range (-9 to 9)"),
        ("A x --port ten", "--port: 'ten' is not a whole number"),
        ("A -- x -- y", "-- may be given once"),
    ],
)
def test_mistakes_name_what_is_wrong(words: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser().read(words.split())
    assert (caught.value.message, caught.value.advice) == (wrong, "see 'openmodality demo --help'")


def test_an_argument_too_many() -> None:
    made = Parser("openmodality demo")
    made.add_argument("peer", metavar="PEER", nargs="?")
    assert made.read([]) == {"peer": None}
    with pytest.raises(UsageError, match=r"^unexpected argument 'B' 'C'; see 'openmodality demo --help'$"):
        made.read(["A", "B", "C"])


def test_any_number_of_words_may_be_none() -> None:
    made = Parser("openmodality demo")
    made.add_argument("jobs", metavar="JOB", nargs="*", type=parse_integer(1))
    made.add_argument("--state", choices=["failed", "cancelled"])
    assert made.read([]) == {"jobs": (), "state": None}
    assert made.read(["7", "--state", "failed", "8"]) == {"jobs": (7, 8), "state": "failed"}
    with pytest.raises(UsageError, match=r"^--state: invalid choice: 'done'"):
        made.read(["--state", "done"])


def test_a_missing_option_lists_what_it_may_be() -> None:
    made = Parser("openmodality demo")
    made.add_argument("--level", choices=["STUDY", "SERIES"], required=True)
    with pytest.raises(UsageError, match=r"^--level is missing \(one of STUDY, SERIES\); see "):
        made.read([])


def test_several_options_may_make_one_parameter() -> None:
    made = parser()
    made.change_after(lambda values: values.update(where=f"{values.pop('name')}:{values.pop('port')}"))
    assert made.read(["A", "x", "--name", "h", "--port", "1"])["where"] == "h:1"


def _run(peer: str, as_json: bool) -> int | None:
    """Do something.  And more.

    In a second paragraph.
    """
    say(f"{peer} {as_json}")
    return 1 if as_json else None


def _declare(made: Parser) -> None:
    made.add_argument("peer", metavar="PEER")
    made.add_argument("--json", dest="as_json", action="store_true", help="As JSON.")


GROUP = Group("Things to do.\n\nMore about them.", {"run": CliCommand(_run, _declare)})


@pytest.mark.parametrize(("words", "status"), [(["A"], 0), (["A", "--json"], 1)])
def test_a_command_gives_its_exit_status(words: Sequence[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert GROUP("om", ["run", *words]) == status
    assert capsys.readouterr().err == f"A {status == 1}\n"


PAGE = """\
Usage: om run [OPTIONS] PEER

  Do something. And more.

  In a second paragraph.

Options:
  --json  As JSON.
  --help  Show this message and exit.
"""
GROUP_PAGE = """\
Usage: om [OPTIONS] COMMAND [ARGS]...

  Things to do.

  More about them.

Options:
  --help  Show this message and exit.

Commands:
  run  Do something.
"""


@pytest.mark.parametrize(
    ("words", "page"),
    [(["run", "--help"], PAGE), (["run", "A", "B", "--wrong", "--help"], PAGE), (["--help", "run"], GROUP_PAGE)],
)
def test_help_goes_before_everything_else(words: Sequence[str], page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert GROUP("om", words) == 0
    assert capsys.readouterr() == (page, "")


def test_behind_two_dashes_nothing_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert GROUP("om", ["run", "--", "--help"]) == 0
    assert capsys.readouterr().err == "--help False\n"


def test_a_group_without_words_shows_its_help_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert GROUP("om", []) == 2
    assert capsys.readouterr() == ("", GROUP_PAGE)


@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        ("rnu", "no such command 'rnu' (did you mean 'run'?)"),
        ("xyz", "no such command 'xyz'"),
        ("--hepl", "no such option '--hepl' (did you mean '--help'?)"),
        ("--", "no such option '--'"),
    ],
)
def test_a_group_names_the_command_that_may_be_meant(word: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        GROUP("om", [word, "--json"])
    assert (caught.value.message, caught.value.advice) == (wrong, "see 'om --help'")


def test_an_attribute_without_its_option_is_told_the_option() -> None:
    made = Parser("openmodality demo")
    add_keys(made)
    with pytest.raises(UsageError, match=r"^unexpected argument 'PatientWeight=70', which is given with -k;"):
        made.read(["PatientWeight=70"])
